/*
 * entry_bytes.h - what lies at an entry, compared with what should. An int3 or a jump of another tool is
 * never relocated, nor written over.
 *
 * Runs on whichever thread holds the engine lock, inside objects_locked().
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

/* Read what is mapped readable at `at`; no more than there is room for. */
void entry_bytes_read(uintptr_t at, struct entry_bytes *out, size_t size);

/* 0 where `expected` lies at `at`. Else -1: HP_BREAKPOINT, HP_HOST_OWNED. */
int entry_bytes_check(const uint8_t *expected, uintptr_t at, size_t size, struct site_problem *why);

/* The refusal of what was found; of what was found at an armed entry. Always -1. */
int entry_bytes_refuse(const struct entry_bytes *found, enum arch_foreign kind, size_t first,
                       struct site_problem *why);
int entry_bytes_refuse_damage(const struct damage *damage, struct site_problem *why);

#endif
