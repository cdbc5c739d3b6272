/*
 * function_copies.h - what else runs a function's code, and what else was made of its source: other
 * names at its address (equal bodies that a compiler or linker folded, gcc's -fipa-icf, lld's and
 * gold's --icf; aliases), functions that are nothing but a jump to it, and clones (NAME.constprop.0,
 * NAME.isra.0, NAME.part.0). Compiled into engine and command.
 *
 * Reads only. In the engine inside objects_locked().
 */
#ifndef HOTPATCH_FUNCTION_COPIES_H
#define HOTPATCH_FUNCTION_COPIES_H

#include "elf/functions.h"

/* The warnings of load and check: the function's name and, in the first, the list of the others. */
#define FUNCTION_SAME_CODE "%s has the same code as %s, which changes with it"
#define FUNCTION_IS_CLONE                                                                          \
    "%s is a clone that the compiler made for some calls: its parameters, and the registers that " \
    "its callers rely on, are the compiler's own choice"

struct function_copies;

enum function_copy {
    COPY_NAME,    /* another name of the same address: it changes as well */
    COPY_FORWARD, /* a function that only jumps there: it changes as well */
    COPY_CLONE    /* code of its own, made of the same source: it does not change */
};

/* Read those of one object, whose functions and image outlive the result, in one pass over its functions.
 * NULL: no memory. */
struct function_copies *function_copies_read(struct functions *functions,
                                             const struct image *image);
void function_copies_free(struct function_copies *copies); /* NULL is allowed */

/* Call `each` for every copy of the function at `address` that is called `name` (NULL: it has no name).
 * `other`: the copy's name without OBJECT, NULL where it has none. A non-zero return stops and is returned. */
typedef int function_copy_visit(enum function_copy kind, const struct function *other,
                                void *context);
int function_copies_each(const struct function_copies *copies, uint64_t address, const char *name,
                         function_copy_visit *each, void *context);

/* List those that change with the function, or its clones: "f, g and 3 more", in at most `size` bytes; ""
 * where there are none. */
void function_copies_list(const struct function_copies *copies, uint64_t address, const char *name,
                          bool clones, char *list, size_t size);

/* Return whether it is the name of a clone, whose parameters and registers the compiler chooses. */
bool function_is_clone(const char *name);
/* Return how many bytes, more than `after`, of a clone's name are the name of a function that it is a clone of; 0: it
 * is a clone of no (other) function. A clone of a clone is one of both. NAME.cold is a function's own. */
size_t function_clone_source(const char *name, size_t after);

#endif
