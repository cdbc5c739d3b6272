/*
 * parked.h - mappings of reverted modules, found by the content of their files. A module with the same content uses the
 * mapping again; reuse.c. Called with the engine lock held.
 */
#ifndef HOTPATCH_PARKED_H
#define HOTPATCH_PARKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct module;
struct object;

struct parked {
    struct parked *next; /* the next record of the bucket; the module reverted last comes first */
    char sha256[65];
    size_t size;  /* size of the copy */
    char *origin; /* as in the module */
    char *snapshot, *loaded_as;
    void *handle;
    struct object *object;
    uintptr_t bias;
    struct thin_module *thin; /* of a thin object, or NULL */
    uint64_t since;           /* CLOCK_MONOTONIC in ms: time of the revert */
};

/* Free a module that is no longer applied. Its code stays mapped, since a thread may still run it, and is kept for the
 * next module with the same content. */
void parked_retire(struct module *module);

/* Return the next record with the content of `module`: the record after `parked`, or the first record if `parked` is
 * NULL. */
struct parked *parked_next(const struct module *module, const struct parked *parked);

/* Give the mapping of `parked` to a module of the same content that was read from a file and is not loaded. The caller
 * calls module_place() next. `parked` is freed. */
void parked_take(struct parked *parked, struct module *module);

#endif
