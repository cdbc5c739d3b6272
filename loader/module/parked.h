/*
 * parked.h - mappings of modules that were reverted, by the content of their files: a module with the
 * same content takes its mapping up again; reuse.c. Engine lock.
 */
#ifndef HOTPATCH_PARKED_H
#define HOTPATCH_PARKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct module;
struct object;

struct parked {
    struct parked *next; /* of the bucket; the one reverted last comes first */
    char sha256[65];
    size_t size;  /* of the copy */
    char *origin; /* as the module's */
    char *snapshot, *loaded_as;
    void *handle;
    struct object *object;
    uintptr_t bias;
    uint64_t since; /* CLOCK_MONOTONIC ms of the revert */
};

/* Free what is known of a module that is no longer applied. Its code stays mapped, since a thread may still run it, and
 * is kept for the next module with the same content. */
void parked_retire(struct module *module);

/* The next one with the content of `module`, after `parked` or, where that is NULL, the first. */
struct parked *parked_next(const struct module *module, const struct parked *parked);

/* Give its mapping to a module of the same content, which was read from a file and not loaded.
 * module_place() does the rest. `parked` is freed. */
void parked_take(struct parked *parked, struct module *module);

#endif
