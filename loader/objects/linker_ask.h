/*
 * linker_ask.h - ask ld.so, on the worker, where names are defined: dlsym(3) runs the resolvers of indirect
 * functions, and waits for ld.so's load lock.
 *
 * Runs on whichever thread holds the engine lock, outside objects_locked().
 */
#ifndef HOTPATCH_LINKER_ASK_H
#define HOTPATCH_LINKER_ASK_H

#include <stddef.h>
#include <stdint.h>

#include "base/refusal.h"

struct linker_ask;

/* Make a list of at most `capacity` questions; NULL: no memory. */
struct linker_ask *linker_ask_new(size_t capacity);
/* Where does the object at `path` (NULL: the program), or one that it needs, define `name`? `version` may be NULL.
 * Copies. -1: no memory. */
int linker_ask_add(struct linker_ask *ask, const char *path, const char *name, const char *version);
/* 0, or -1 with `why`: HP_BUSY, HP_DEADLINE; then the questions are freed. */
int linker_ask_run(struct linker_ask *ask, uint64_t deadline, struct refusal *why);
/* The answer to the `i`-th question, after linker_ask_run(); 0: ld.so finds none. */
uintptr_t linker_ask_answer(const struct linker_ask *ask, size_t i);
void linker_ask_free(struct linker_ask *ask);

#endif
