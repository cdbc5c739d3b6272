/*
 * linker_ask.h - ask ld.so, on the worker, which addresses names have. dlsym(3) runs the resolvers of indirect
 * functions, and waits for ld.so's load lock.
 *
 * Called by the thread that holds the engine lock, outside objects_locked().
 */
#ifndef HOTPATCH_LINKER_ASK_H
#define HOTPATCH_LINKER_ASK_H

#include <stddef.h>
#include <stdint.h>

#include "base/refusal.h"

struct linker_ask;

/* Make a list of at most `capacity` questions. Return NULL if there is no memory. */
struct linker_ask *linker_ask_new(size_t capacity);
/* Add the question which address `name` has in the object at `path` (NULL: the program) or in the objects that it
 * needs. `version` may be NULL. The strings are copied. Return 0, or -1 if there is no memory. */
int linker_ask_add(struct linker_ask *ask, const char *path, const char *name, const char *version);
/* Ask the questions. Return 0, or -1 with `why` (HP_BUSY, HP_DEADLINE); the questions are then freed. */
int linker_ask_run(struct linker_ask *ask, uint64_t deadline, struct refusal *why);
/* Return the answer to the `i`-th question, after linker_ask_run(); 0 if ld.so finds no such symbol. */
uintptr_t linker_ask_answer(const struct linker_ask *ask, size_t i);
void linker_ask_free(struct linker_ask *ask);

#endif
