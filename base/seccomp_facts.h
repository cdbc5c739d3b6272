/*
 * seccomp_facts.h - what the shim knows of the seccomp filters that its process is under.
 *
 * The shim keeps it in memory, and the command reads it there before it rings (process_vm_readv(2); the shim's
 * writable pages are searched for the magic). The kernel tells only how many filters there are.
 */
#ifndef HOTPATCH_SECCOMP_FACTS_H
#define HOTPATCH_SECCOMP_FACTS_H

#include <stdint.h>

#define SECCOMP_FACTS_MAGIC "hotpatch/filters" /* 16 bytes, no NUL */

enum {
    SECCOMP_REFUSES_NONE = -1,
    SECCOMP_REFUSES_ALL = -2,  /* strict mode */
    SECCOMP_STARTED_UNDER = -1 /* filters, and how many is not known */
};

struct seccomp_facts {
    char magic[16];
    int32_t at_start; /* filters that the program was started under */
    int32_t seen;     /* filters that it has set since, by prctl(2), syscall(2) or libseccomp */
    int32_t refuses;  /* number of a call without which no thread of the shim can be made or work */
    int32_t kills;    /* number of one that ends a thread or the process, where ours make it too */
};

enum seccomp_verdict {
    SECCOMP_ALLOWS,
    SECCOMP_REFUSES, /* facts->refuses, or facts->kills */
    SECCOMP_UNSEEN   /* a filter that the shim did not see */
};

enum seccomp_thread {
    SECCOMP_HOSTS, /* the ring makes our threads on it */
    SECCOMP_OURS   /* a call that only fails is a request that is refused */
};

/* May the system calls of needed_calls.h be made by a thread that is under `filters` filters? Filters from before
 * the start have let the constructor's calls pass. */
static inline enum seccomp_verdict seccomp_judge(const struct seccomp_facts *facts, int filters,
                                                 enum seccomp_thread thread)
{
    int refused = thread == SECCOMP_OURS ? facts->kills : facts->refuses;

    if (filters == 0)
        return SECCOMP_ALLOWS;
    if (facts->at_start >= 0 && filters > facts->at_start + facts->seen)
        return SECCOMP_UNSEEN;
    return refused == SECCOMP_REFUSES_NONE ? SECCOMP_ALLOWS : SECCOMP_REFUSES;
}

#endif
