/*
 * sys.h - system calls without libc.
 *
 * Why: an injection into libc's rename, open or write must not affect the shim's own files, and a signal handler must
 * not change errno. Every function returns the kernel's result: a value, or -errno. Any thread, also in signal
 * handlers.
 */
#ifndef HOTPATCH_SYS_H
#define HOTPATCH_SYS_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE (1U << 1)
#endif

/* The kernel's sigset_t (signal(7)): one word on 64-bit machines. */
typedef uint64_t sys_sigset;

#define SYS_SIGBIT(signal) (UINT64_C(1) << ((signal)-1))

/* The signals that instructions raise. The kernel ends a process that blocks such a signal. */
#define SYS_FAULT_SIGNALS                                                                  \
    (SYS_SIGBIT(SIGTRAP) | SYS_SIGBIT(SIGSEGV) | SYS_SIGBIT(SIGBUS) | SYS_SIGBIT(SIGILL) | \
     SYS_SIGBIT(SIGFPE))

/* Return one phrase for an errno, or for the result of a function below. Takes no lock. */
const char *sys_error(int error);

/* Make a system call, by the machine's instruction for it (arch/x86_64/system_call.S). */
long sys_call(long number, long a, long b, long c, long d, long e, long f);
/* The machine's number in seccomp(2)'s data: AUDIT_ARCH_*. */
extern const uint32_t sys_call_machine;
/* The instruction of sys_call(), with the number in the red zone. */
extern const char sys_call_here[] __attribute__((visibility("hidden")));

static inline long sys_call3(long number, long a, long b, long c)
{
    return sys_call(number, a, b, c, 0, 0, 0);
}

static inline long sys_call4(long number, long a, long b, long c, long d)
{
    return sys_call(number, a, b, c, d, 0, 0);
}

/* Convert `result` as libc's function of the call does: set errno and return -1. */
static inline long sys_as_libc(long result)
{
    if (result >= 0)
        return result;
    errno = (int)-result;
    return -1;
}

static inline int sys_openat(int dir, const char *path, int flags, mode_t mode)
{
    return (int)sys_call4(SYS_openat, dir, (long)path, flags, (long)mode);
}

/* Open the process's own memory, without regard to the pages' protection (proc(5), /proc/PID/mem), for one use each
 * time: in a forked child the descriptor would be of the parent's memory. */
static inline int sys_open_own_memory(int access)
{
    return sys_openat(AT_FDCWD, "/proc/thread-self/mem", access | O_CLOEXEC, 0);
}

static inline int sys_close(int fd)
{
    return (int)sys_call3(SYS_close, fd, 0, 0);
}

static inline ssize_t sys_read(int fd, void *buffer, size_t size)
{
    return sys_call3(SYS_read, fd, (long)buffer, (long)size);
}

static inline ssize_t sys_write(int fd, const void *buffer, size_t size)
{
    return sys_call3(SYS_write, fd, (long)buffer, (long)size);
}

/* Read the beginning of a file into `text`, of `size` bytes, and end it with a NUL. A symbolic link is not followed.
 * Return the length, or -errno with an empty text. */
ssize_t sys_read_file(int dir, const char *path, char *text, size_t size);

static inline int sys_close_range(unsigned first, unsigned last, unsigned flags)
{
    return (int)sys_call3(SYS_close_range, (long)first, (long)last, (long)flags);
}

static inline int sys_mkdirat(int dir, const char *path, mode_t mode)
{
    return (int)sys_call3(SYS_mkdirat, dir, (long)path, (long)mode);
}

static inline int sys_mkfifoat(int dir, const char *path, mode_t mode)
{
    return (int)sys_call4(SYS_mknodat, dir, (long)path, (long)(S_IFIFO | mode), 0);
}

static inline int sys_unlinkat(int dir, const char *path, int flags)
{
    return (int)sys_call3(SYS_unlinkat, dir, (long)path, flags);
}

static inline int sys_renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    return (int)sys_call(SYS_renameat2, from_dir, (long)from, to_dir, (long)to, 0, 0);
}

static inline int sys_fchmod(int fd, mode_t mode)
{
    return (int)sys_call3(SYS_fchmod, fd, (long)mode, 0);
}

static inline int sys_ftruncate(int fd, off_t size)
{
    return (int)sys_call3(SYS_ftruncate, fd, size, 0);
}

static inline int sys_fchmodat(int dir, const char *path, mode_t mode)
{
    return (int)sys_call3(SYS_fchmodat, dir, (long)path, (long)mode);
}

static inline ssize_t sys_readlinkat(int dir, const char *path, char *buffer, size_t size)
{
    return sys_call4(SYS_readlinkat, dir, (long)path, (long)buffer, (long)size);
}

static inline int sys_fstatat(int dir, const char *path, struct stat *st, int flags)
{
    return (int)sys_call4(SYS_newfstatat, dir, (long)path, (long)st, flags);
}

static inline int sys_fstat(int fd, struct stat *st)
{
    return (int)sys_call3(SYS_fstat, fd, (long)st, 0);
}

static inline ssize_t sys_getdents64(int fd, void *buffer, size_t size)
{
    return sys_call3(SYS_getdents64, fd, (long)buffer, (long)size);
}

/* List a directory, or a file that has such records in its place (outside_open()). */
static inline ssize_t sys_list(int fd, void *buffer, size_t size)
{
    ssize_t got = sys_getdents64(fd, buffer, size);

    return got == -ENOTDIR ? sys_read(fd, buffer, size) : got;
}

static inline int sys_ppoll(struct pollfd *fds, size_t count, const struct timespec *timeout,
                            const sys_sigset *mask)
{
    return (int)sys_call(SYS_ppoll, (long)fds, (long)count, (long)timeout, (long)mask,
                         sizeof(*mask), 0);
}

static inline int sys_sigprocmask(int how, const sys_sigset *set, sys_sigset *old)
{
    return (int)sys_call4(SYS_rt_sigprocmask, how, (long)set, (long)old, sizeof(*set));
}

/* Return the signals that are pending for this thread and for the process. */
static inline sys_sigset sys_sigpending(void)
{
    sys_sigset pending = 0;

    return sys_call3(SYS_rt_sigpending, (long)&pending, sizeof(pending), 0) == 0 ? pending : 0;
}

static inline pid_t sys_getpid(void)
{
    return (pid_t)sys_call3(SYS_getpid, 0, 0, 0);
}

/* Return a number for the calling thread, unique while it lives and the same in a forked child. Not pthread_self(3):
 * an injection at that function's entry calls this (loader/slots/injection_decide.c). */
static inline uintptr_t sys_thread(void)
{
    return (uintptr_t)__builtin_thread_pointer();
}

static inline pid_t sys_gettid(void)
{
    return (pid_t)sys_call3(SYS_gettid, 0, 0, 0);
}

static inline uid_t sys_geteuid(void)
{
    return (uid_t)sys_call3(SYS_geteuid, 0, 0, 0);
}

static inline int sys_tgkill(pid_t pid, pid_t tid, int signal)
{
    return (int)sys_call3(SYS_tgkill, pid, tid, signal);
}

static inline int sys_prctl(int option, unsigned long a, unsigned long b, unsigned long c)
{
    return (int)sys_call(SYS_prctl, option, (long)a, (long)b, (long)c, 0, 0);
}

/* Do write(2), without the signal that it may raise on this thread: SIGPIPE for a pipe without a reader, SIGXFSZ for
 * a file at the program's limit (RLIMIT_FSIZE). The signal would end the program, so it is removed. */
ssize_t sys_write_quietly(int fd, const void *bytes, size_t size);

static inline ssize_t sys_pwrite(int fd, const void *buffer, size_t size, off_t offset)
{
    return sys_call4(SYS_pwrite64, fd, (long)buffer, (long)size, (long)offset);
}

static inline ssize_t sys_pread(int fd, void *buffer, size_t size, off_t offset)
{
    return sys_call4(SYS_pread64, fd, (long)buffer, (long)size, (long)offset);
}

static inline int sys_memfd_create(const char *name, unsigned flags)
{
    return (int)sys_call3(SYS_memfd_create, (long)name, (long)flags, 0);
}

static inline int sys_mprotect(void *address, size_t size, int protection)
{
    return (int)sys_call3(SYS_mprotect, (long)address, (long)size, protection);
}

#endif
