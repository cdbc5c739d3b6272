/*
 * entry_bytes.h - compare the bytes at an entry with the expected bytes. An int3 or a jump of another tool is never
 * relocated, and is never overwritten.
 *
 * Called by the thread that holds the engine lock, inside objects_locked().
 */
#ifndef HOTPATCH_ENTRY_BYTES_H
#define HOTPATCH_ENTRY_BYTES_H

#include "arch/foreign.h"
#include "loader/text/site_problem.h"

struct damage;

struct entry_bytes {
    uintptr_t at;
    size_t size;
    uint8_t bytes[ARCH_PROLOGUE_BYTES];
};

/* Read the readable bytes at `at`, at most as many as `out` holds. */
void entry_bytes_read(uintptr_t at, struct entry_bytes *out, size_t size);

/* Return 0 if `expected` lies at `at`. Else return -1: HP_BREAKPOINT, HP_HOST_OWNED. */
int entry_bytes_check(const uint8_t *expected, uintptr_t at, size_t size, struct site_problem *why);

/* Refuse an entry because of the found bytes; or an armed entry. Return -1. */
int entry_bytes_refuse(const struct entry_bytes *found, enum arch_foreign kind, size_t first,
                       struct site_problem *why);
int entry_bytes_refuse_damage(const struct damage *damage, struct site_problem *why);

#endif
