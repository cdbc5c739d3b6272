/*
 * copies.h - children that a host makes past fork(3), each in another way, and what they do that needs
 * locks of libc. Included once, after entries_threads.h.
 */
#ifndef COPIES_H
#define COPIES_H

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <linux/sched.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COPY_STACK = 256 << 10, HANGS_SECONDS = 10 };

static int see_object(struct dl_phdr_info *info, size_t size, void *count)
{
    (void)info;
    (void)size;
    ++*(int *)count;
    return 0;
}

static int copy_main(void *nothing)
{
    int count = 0;

    alarm(HANGS_SECONDS);
    dl_iterate_phdr(see_object, &count);
    _exit(count > 2 && dlsym(RTLD_DEFAULT, "getpid") != nothing ? 0 : 1);
}

static pid_t by_clone_call(void)
{
    return (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

static pid_t by_fork_call(void)
{
    return (pid_t)syscall(SYS_fork);
}

static pid_t by_clone3_call(void)
{
    struct clone_args args;

    memset(&args, 0, sizeof(args));
    args.exit_signal = SIGCHLD;
    return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

static pid_t by_clone(void)
{
    static char stack[COPY_STACK] __attribute__((aligned(16)));

    return clone(copy_main, stack + sizeof(stack), SIGCHLD, NULL);
}

/* In the program's memory, as posix_spawn(3) does it. */
static pid_t by_shared_clone(void)
{
    static char stack[COPY_STACK] __attribute__((aligned(16)));

    return clone(copy_main, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
}

static pid_t (*const ways[])(void) = {by_clone_call, by_fork_call,    by_clone3_call,
                                      by_clone,      by_shared_clone, _Fork};

/* One that makes children past fork(3) all the time. */
static void *copier(void *nothing)
{
    for (unsigned i = 0; __atomic_load_n(&running, __ATOMIC_RELAXED); i++) {
        pid_t pid = ways[i % (sizeof(ways) / sizeof(*ways))]();
        int status = -1;

        if (pid == 0)
            copy_main(NULL);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
        if (status != 0)
            __atomic_store_n(&wrong, 4000 + (long)i % 6, __ATOMIC_RELAXED);
        __atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED);
        usleep(200);
    }
    return nothing;
}

/* syscall(2) hands six arguments on, and says errno. */
static const char *raw_calls(void)
{
    int file = (int)syscall(SYS_memfd_create, "six", 0);
    char *page;

    if (file < 0 || syscall(SYS_ftruncate, file, 8192) != 0 ||
        syscall(SYS_pwrite64, file, "x", 1, 4096) != 1)
        return "file";
    page = (char *)syscall(SYS_mmap, NULL, 4096, PROT_READ, MAP_PRIVATE, file, 4096);
    if (page == MAP_FAILED || *page != 'x')
        return "six";
    errno = 0;
    if (syscall(SYS_close, -1) != -1 || errno != EBADF)
        return "errno";
    if (syscall(SYS_clone3, NULL, sizeof(struct clone_args)) != -1 || errno != EFAULT)
        return "clone3 of nothing";
    if (syscall(SYS_clone3, page, 8) != -1 || errno != EINVAL)
        return "clone3 of little";
    if (syscall(SYS_clone, CLONE_THREAD, 0, 0, 0, 0) != -1 || errno != EINVAL)
        return "clone";
    return "right";
}

#endif
