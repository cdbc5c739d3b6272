/*
 * bpf.h - finds the result of a seccomp filter for a system call by running its program (classic BPF, with the
 * restrictions of seccomp(2)) on the call's number and arguments. Pure: memory alone, any thread.
 */
#ifndef HOTPATCH_BPF_H
#define HOTPATCH_BPF_H

#include <linux/filter.h>
#include <stdint.h>

struct bpf_call {
    int number;
    unsigned known; /* mask of the arguments that are known */
    uint64_t arguments[6];
};

#define BPF_UNKNOWN UINT32_C(0x80000000) /* SECCOMP_RET_KILL_PROCESS, the worst result */

/* Return the result of the filter (SECCOMP_RET_*, with its data). Where the result depends on an unknown argument or
 * on the instruction's address: the worst possible result, in the order allowed, failed, anything else. Return
 * BPF_UNKNOWN where the run takes too many steps, or the program is not valid. */
uint32_t bpf_run(const struct sock_filter *code, unsigned count, const struct bpf_call *call);

#endif
