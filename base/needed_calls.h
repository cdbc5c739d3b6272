/*
 * needed_calls.h - the system calls of the doorbell's handler, of the two threads and of the engine.
 *
 * preload/filters.c checks a seccomp filter of the program with this list: a call for which the filter would end the
 * program must not be made. test_filters runs a whole load and revert under a filter that allows exactly these calls
 * and kills at any other.
 *
 *   MUST  without the call no request can be handled: the filter has to allow it
 *   MAY   a failure is handled: the filter may also return an errno
 *
 * NEEDED_WITH also gives arguments, as a mask of those that are known and their values. clone3 and clone are not in
 * the list: libc makes a thread by clone where clone3 fails with ENOSYS.
 */
#ifndef HOTPATCH_NEEDED_CALLS_H
#define HOTPATCH_NEEDED_CALLS_H

#include <sys/syscall.h>

#ifndef SYS_access /* newer machines have only faccessat(2): a number that no call has */
#define SYS_access (-1001)
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef SYS_clone3
#define SYS_clone3 435
#endif
#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif
#ifndef SYS_rseq
#define SYS_rseq 334
#endif

/* CLONE_VM, _FS, _FILES, _SIGHAND, _THREAD, _SYSVSEM, _SETTLS, _PARENT_SETTID, _CHILD_CLEARTID */
#define NEEDED_CLONE_FLAGS 0x3d0f00

#define NEEDED_CALLS(NEEDED, NEEDED_WITH)                                                   \
    NEEDED(getpid, MUST)                                                                    \
    NEEDED(gettid, MUST)                                                                    \
    NEEDED(process_vm_readv, MUST)                                                          \
    NEEDED(rt_sigprocmask, MUST)                                                            \
    NEEDED(rt_sigpending, MUST)                                                             \
    NEEDED(rt_sigaction, MUST)                                                              \
    NEEDED(rt_sigreturn, MUST)                                                              \
    NEEDED(restart_syscall, MUST)                                                           \
    NEEDED(tgkill, MUST)                                                                    \
    NEEDED(rt_tgsigqueueinfo, MUST)                                                         \
    NEEDED(futex, MUST)                                                                     \
    NEEDED(munmap, MUST)                                                                    \
    NEEDED(exit, MUST)                                                                      \
    NEEDED(close_range, MUST)                                                               \
    NEEDED(ppoll, MUST)                                                                     \
    NEEDED(openat, MUST)                                                                    \
    NEEDED(read, MUST)                                                                      \
    NEEDED(pread64, MUST)                                                                   \
    NEEDED(write, MUST)                                                                     \
    NEEDED(close, MUST)                                                                     \
    NEEDED(fstat, MUST)                                                                     \
    NEEDED(fchmod, MUST)                                                                    \
    NEEDED(newfstatat, MUST)                                                                \
    NEEDED(geteuid, MUST)                                                                   \
    NEEDED(renameat2, MUST)                                                                 \
    NEEDED_WITH(mmap, MUST, 0x3c, 0, 0, 3 /* PROT_READ, _WRITE */,                          \
                0x22 /* MAP_PRIVATE, */ /* _ANONYMOUS */, 0xffffffffffffffff, 0)            \
    NEEDED_WITH(mmap, MAY, 0x0c, 0, 0, 5 /* PROT_READ, _EXEC */, 2 /* MAP_PRIVATE */, 0, 0) \
    NEEDED_WITH(mprotect, MAY, 0x04, 0, 0, 3 /* PROT_READ, _WRITE */, 0, 0, 0)              \
    NEEDED_WITH(mprotect, MAY, 0x04, 0, 0, 5 /* PROT_READ, _EXEC */, 0, 0, 0)               \
    NEEDED_WITH(prctl, MUST, 0x01, 15 /* PR_SET_NAME */, 0, 0, 0, 0, 0)                     \
    NEEDED_WITH(prctl, MAY, 0x01, 40 /* PR_GET_TID_ADDRESS */, 0, 0, 0, 0, 0)               \
    NEEDED(access, MAY)                                                                     \
    NEEDED(brk, MAY)                                                                        \
    NEEDED(capget, MAY)                                                                     \
    NEEDED(clock_gettime, MAY)                                                              \
    NEEDED(epoll_create1, MAY)                                                              \
    NEEDED(fchmodat, MAY)                                                                   \
    NEEDED(fcntl, MAY)                                                                      \
    NEEDED(fchdir, MAY)                                                                     \
    NEEDED(flock, MAY)                                                                      \
    NEEDED(fstatfs, MAY)                                                                    \
    NEEDED(ftruncate, MAY)                                                                  \
    NEEDED(futex_waitv, MAY)                                                                \
    NEEDED(getdents64, MAY)                                                                 \
    NEEDED(getrandom, MAY)                                                                  \
    NEEDED(lseek, MAY)                                                                      \
    NEEDED(madvise, MAY)                                                                    \
    NEEDED(membarrier, MAY)                                                                 \
    NEEDED(memfd_create, MAY)                                                               \
    NEEDED(mkdirat, MAY)                                                                    \
    NEEDED(mknodat, MAY)                                                                    \
    NEEDED(mremap, MAY)                                                                     \
    NEEDED(pipe2, MAY)                                                                      \
    NEEDED(prlimit64, MAY)                                                                  \
    NEEDED(pwrite64, MAY)                                                                   \
    NEEDED(readlinkat, MAY)                                                                 \
    NEEDED(rt_sigtimedwait, MAY)                                                            \
    NEEDED(rseq, MAY)                                                                       \
    NEEDED(sched_getscheduler, MAY)                                                         \
    NEEDED(sched_yield, MAY)                                                                \
    NEEDED(set_robust_list, MAY)                                                            \
    NEEDED(set_tid_address, MAY)                                                            \
    NEEDED(sigaltstack, MAY)                                                                \
    NEEDED(unlinkat, MAY)                                                                   \
    NEEDED(utimensat, MAY)

#endif
