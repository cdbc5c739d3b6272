/*
 * dispatch.c - a program that sends every system call made outside of libc to its handler (syscall user dispatch), is
 * rung, and makes a system call by its number.
 */
#include <dlfcn.h>
#include <link.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif

static volatile char selector; /* 0: allow; 1: send to the handler */
static volatile sig_atomic_t sent;
static unsigned long text, size;

static void caught(int signal)
{
    (void)signal;
    selector = 0;
    sent++;
}

static int find_libc(struct dl_phdr_info *info, size_t length, void *data)
{
    (void)length;
    (void)data;
    if (!strstr(info->dlpi_name, "/libc.so"))
        return 0;
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_LOAD && (info->dlpi_phdr[i].p_flags & PF_X)) {
            text = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
            size = info->dlpi_phdr[i].p_memsz;
        }
    return 1;
}

int main(void)
{
    struct sigaction action = {.sa_handler = caught};
    long pid, off;

    dl_iterate_phdr(find_libc, NULL);
    sigaction(SIGSYS, &action, NULL);
    if (!getenv("LD_PRELOAD") || !*getenv("LD_PRELOAD"))
        signal(SIGRTMIN + 12, SIG_IGN);
    if (prctl(PR_SET_SYSCALL_USER_DISPATCH, 1, text, size, &selector) != 0) {
        perror("prctl");
        return 1;
    }
    selector = 1;
    raise(SIGRTMIN + 12); /* the doorbell; libc makes this call */
    pid = syscall(SYS_getpid);
    off = prctl(PR_SET_SYSCALL_USER_DISPATCH, 0, 0, 0, 0);
    selector = 0;
    printf("own number: %s, off: %ld, sent to the handler: %d\n", pid == getpid() ? "yes" : "no",
           off, (int)sent);
    return 0;
}
