/*
 * keep_rules.h - how calls of a replacement are to be made, from what callers rely on and from what is
 * known of the function's arguments and result. Compiled into engine and command; any thread.
 */
#ifndef HOTPATCH_KEEP_RULES_H
#define HOTPATCH_KEEP_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/keep.h"

struct keep_facts {
    const char *name;      /* the function's, or NULL */
    const char *signature; /* the replacement's, or NULL */
    struct arch_kept kept; /* as found */
    /* The callers were not read: result registers that the signature does not name count as results. */
    bool unread;
    /* Return how many bytes of arguments on the stack the function's own code reads; -1: not known. Called
     * only where the signature does not say. */
    int64_t (*stack_read)(void *context);
    void *context;
};

/*
 * `out`: what calls of the replacement must keep. NULL, or, in one clause, why a keeping stub cannot
 * stand between.
 */
const char *keep_decide(const struct keep_facts *facts, struct keep *out);

/* List what calls of a function keep: "rcx, rdx, xmm8, k1, x87, an aligned stack". */
void keep_list(const struct arch_kept *kept, char *list, size_t size);

/* Return whether the function of that name is known to return twice (setjmp, vfork). */
bool keep_returns_twice(const char *name);

#endif
