/*
 * site_problem.h - the reason why a function's entry cannot be patched.
 *
 * Called by any thread, no allocation.
 */
#ifndef HOTPATCH_SITE_PROBLEM_H
#define HOTPATCH_SITE_PROBLEM_H

#include "arch/arch.h"

/* The reason why there is no site: one sentence without a newline. `code` is an enum error_code of base/refusal.h:
 * HP_NOT_PATCHABLE, HP_STORE, HP_MEMORY, HP_SIGTRAP_BLOCKED, ... */
struct site_problem {
    int code;
    enum arch_problem arch; /* with HP_NOT_PATCHABLE */
    char text[256];
};

/* Fill `why`. Return -1. */
int site_refuse(struct site_problem *why, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Fill `why` for an entry that the architecture cannot patch (HP_NOT_PATCHABLE). Return -1. */
int site_refuse_arch(struct site_problem *why, enum arch_problem problem);
/* Fill `why` after near_alloc_take() found no place: `error` is the error of that function. Return -1. */
int site_refuse_place(struct site_problem *why, int error);

#endif
