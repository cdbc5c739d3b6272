/*
 * debug_names.h - the functions that symbol tables name, read once: a program may have half a million
 * of them, and one load asks for several names.
 */
#ifndef HOTPATCH_DEBUG_NAMES_H
#define HOTPATCH_DEBUG_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct debug_function {
    const char *name; /* the symbol's, mangled */
    const char *file; /* base name of the source file of a local one, or NULL */
    uint64_t address;
    bool local;
    bool ifunc;
};

typedef int debug_function_visit(const struct debug_function *function, void *context);

/* A clone's name begins with that of its source. */
struct debug_clone {
    uint32_t hash; /* of the source's name */
    uint32_t function;
    uint32_t length; /* of the source's name */
};

struct debug_names {
    struct debug_function *list;
    uint32_t *hashes; /* of their names */
    size_t count, capacity;
    bool read;
    uint32_t *heads, *nexts; /* of chains by hash, each 1 + an index; made when first asked for */
    size_t mask;             /* of `heads` */
    struct debug_clone *clones; /* by hash; likewise */
    size_t clone_count;
};

uint32_t debug_name_hash(const char *name);

/* The function's texts are not copied. */
void debug_names_add(const struct debug_function *function, struct debug_names *names);
void debug_names_free(struct debug_names *names);

/* Call `each` for all, or for those called `name` by the rule of functions_named(). Stop at a return value other
 * than 0 and return it. */
int debug_names_each(const struct debug_names *names, debug_function_visit *each, void *context);
int debug_names_called(struct debug_names *names, const char *name, debug_function_visit *each,
                       void *context);
/* Call `each` for those that gcc made of the function `name` for some of its calls, or of a part of it
 * (NAME.constprop.0, .isra.0, .part.0); not for .cold, the rarely run part of the function itself. */
int debug_names_clones(struct debug_names *names, const char *name, debug_function_visit *each,
                       void *context);

#endif
