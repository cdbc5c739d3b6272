/*
 * site_problem.h - why a function's entry cannot be patched.
 *
 * Any thread, no allocation.
 */
#ifndef HOTPATCH_SITE_PROBLEM_H
#define HOTPATCH_SITE_PROBLEM_H

#include "arch/arch.h"

/* Why a site cannot be had: one sentence without a newline. `code` is an enum error_code of
 * base/refusal.h: HP_NOT_PATCHABLE, HP_STORE, HP_MEMORY, HP_SIGTRAP_BLOCKED, ... */
struct site_problem {
    int code;
    enum arch_problem arch; /* with HP_NOT_PATCHABLE */
    char text[256];
};

/* Fill `why`; return -1. */
int site_refuse(struct site_problem *why, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same, of an entry that the architecture cannot patch (HP_NOT_PATCHABLE). */
int site_refuse_arch(struct site_problem *why, enum arch_problem problem);
/* The same, where near_alloc_take() found no place: `error` is that function's. */
int site_refuse_place(struct site_problem *why, int error);

#endif
