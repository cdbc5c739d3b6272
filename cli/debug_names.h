/*
 * debug_names.h - the functions that symbol tables name, read once: a program may have half a million
 * of them, and one load asks for several names.
 */
#ifndef HOTPATCH_DEBUG_NAMES_H
#define HOTPATCH_DEBUG_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "debug_info.h"

struct debug_names {
    struct debug_function *list;
    uint32_t *hashes; /* of their names */
    size_t count, capacity;
    bool read;
};

uint32_t debug_name_hash(const char *name);

/* The function's texts are not copied. */
void debug_names_add(const struct debug_function *function, struct debug_names *names);
void debug_names_free(struct debug_names *names);

/* All, or those called `name`. A non-zero return of `each` stops and is returned. */
int debug_names_each(const struct debug_names *names, debug_function_visit *each, void *context);
int debug_names_called(const struct debug_names *names, const char *name,
                       debug_function_visit *each, void *context);

#endif
