/*
 * seccomp_facts.h - the shim's record of the seccomp filters of its process.
 *
 * The shim keeps the record in memory, and the command reads it there before it rings (process_vm_readv(2); the
 * shim's writable pages are searched for the magic). The kernel reports only the number of filters.
 */
#ifndef HOTPATCH_SECCOMP_FACTS_H
#define HOTPATCH_SECCOMP_FACTS_H

#include <stdint.h>

#define SECCOMP_FACTS_MAGIC "hotpatch/filters" /* 16 bytes, no NUL */

enum {
    SECCOMP_REFUSES_NONE = -1,
    SECCOMP_REFUSES_ALL = -2,  /* strict mode */
    SECCOMP_STARTED_UNDER = -1 /* filters whose number is not known */
};

struct seccomp_facts {
    char magic[16];
    int32_t at_start; /* filters that the program was started under */
    int32_t seen;     /* filters set since, by prctl(2), syscall(2) or libseccomp */
    int32_t refuses;  /* number of a call without which no thread of the shim can be made or work */
    int32_t kills;    /* number of a call of the shim's threads that ends a thread or the process */
};

enum seccomp_verdict {
    SECCOMP_ALLOWS,
    SECCOMP_REFUSES, /* facts->refuses, or facts->kills */
    SECCOMP_UNSEEN   /* a filter that the shim did not see */
};

enum seccomp_thread {
    SECCOMP_HOSTS, /* thread of the host: a ring makes the shim's threads on it */
    SECCOMP_OURS   /* thread of the shim: a failed call only refuses a request */
};

/* Return whether a thread under `filters` filters may make the system calls of needed_calls.h. Filters from before
 * the start have allowed the constructor's calls. */
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
