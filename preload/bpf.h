/*
 * bpf.h - what a seccomp filter returns for a system call, found by running its program (classic BPF, with the
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

#define BPF_UNKNOWN UINT32_C(0x80000000) /* SECCOMP_RET_KILL_PROCESS: to be counted as the worst */

/* Return what the filter returns (SECCOMP_RET_*, with its data). Where it depends on an argument that is not known or on
 * the instruction's address: the worst that it can be, of allowed, failed and anything else. BPF_UNKNOWN
 * where that takes too many steps, or where the program is not valid. */
uint32_t bpf_run(const struct sock_filter *code, unsigned count, const struct bpf_call *call);

#endif
