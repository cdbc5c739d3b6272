/*
 * rings_itself.c - rings its own doorbell, or lets a child ring it, in a state in which a ring could end or change the
 * process. Exit status 0: all results are the same as without the ring.
 *
 * In the first two states the ring comes inside fork(3), where no thread may be made: the thread is stepped.
 *
 *   overflow   its stack overflows, which its handler on an alternate stack detects
 *   deep       its stack has no room for the frame of a step; a handler as in `overflow`
 *   errno      no thread can be made, and errno is unchanged
 *   timeout    a filter kills at each call that is not needed; waits for a socket that has a time limit
 *   copied     such a filter; the ring comes in a child that was made without libc
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "../../base/needed_calls.h"

#define DOORBELL (SIGRTMIN + 12)

enum { CODE_MAX = 600 };

static void ring(void)
{
    syscall(SYS_tgkill, getpid(), (pid_t)syscall(SYS_gettid), DOORBELL);
}

/* ---- where no thread may be made: in fork(3), before the child is made ---- */

static volatile int result;

static void call_in_fork(void (*function)(void))
{
    pid_t child;

    if (pthread_atfork(function, NULL, NULL) != 0)
        _exit(2);
    child = fork();
    if (child == 0)
        _exit(0);
    waitpid(child, NULL, 0);
}

/* ---- stacks ---- */

static sigjmp_buf before;
static volatile sig_atomic_t overflows;

static void leave(int signal)
{
    (void)signal;
    overflows++;
    siglongjmp(before, 1);
}

static void catch_overflows(void)
{
    stack_t stack = {.ss_sp = malloc(65536), .ss_size = 65536};
    struct sigaction action = {.sa_handler = leave, .sa_flags = SA_ONSTACK};

    sigaltstack(&stack, NULL);
    sigaction(SIGSEGV, &action, NULL);
}

/* Recurse. The caller's value is used after the call; otherwise a compiler makes a loop of the recursion. */
__attribute__((noinline)) static unsigned recurse(unsigned depth, volatile char *above)
{
    volatile char large[60000];

    large[0] = (char)(depth + (unsigned char)*above);
    return depth == 100000 ? 0 : recurse(depth + 1, large) + (unsigned char)large[0];
}

static void overflow_it(void)
{
    volatile char first = 0;

    ring();
    result = (int)recurse(0, &first);
}

static int overflow(void)
{
    catch_overflows();
    if (sigsetjmp(before, 1) == 0)
        call_in_fork(overflow_it);
    return overflows == 1 ? 0 : 1;
}

static ucontext_t main_context, other_context;
static char *guard_end;

static void go_deep(void)
{
    volatile char *low;

    ring();
    low = __builtin_alloca((uintptr_t)__builtin_frame_address(0) - (uintptr_t)guard_end - 1400);
    for (int i = 0; i < 20; i++)
        low[i] = (char)i;
    result = low[19];
}

static void on_other_stack(void)
{
    call_in_fork(go_deep);
}

static int deep(void)
{
    const size_t size = 1 << 17;
    char *stack = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    catch_overflows();
    mprotect(stack, 4096, PROT_NONE);
    guard_end = stack + 4096;
    getcontext(&other_context);
    other_context.uc_stack.ss_sp = stack;
    other_context.uc_stack.ss_size = size;
    other_context.uc_link = &main_context;
    makecontext(&other_context, on_other_stack, 0);
    if (sigsetjmp(before, 1) == 0)
        swapcontext(&main_context, &other_context);
    return overflows == 0 ? 0 : 1;
}

/* ---- calls by the program's own instruction: no thread is in libc then ---- */

static long by_instruction(long number, long a, long b, long c)
{
    long result;

    __asm__ volatile("mov %4, %%rdx; xor %%r10d, %%r10d; xor %%r8d, %%r8d; syscall"
                     : "=a"(result)
                     : "0"(number), "D"(a), "S"(b), "r"(c)
                     : "rcx", "rdx", "r8", "r10", "r11", "memory");
    return result;
}

static void ring_outside_libc(void)
{
    long self = by_instruction(SYS_getpid, 0, 0, 0);

    by_instruction(SYS_tgkill, self, self, DOORBELL);
}

static int keep_errno(void)
{
    const struct rlimit none = {0, 0};

    if (setrlimit(RLIMIT_NPROC, &none) != 0 ||
        (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0))
        return 2;
    errno = EDOM;
    ring_outside_libc();
    return errno == EDOM ? 0 : 1;
}

/* ---- filters ---- */

static struct sock_filter code[CODE_MAX];
static unsigned short length;

static void allow(unsigned number)
{
    code[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1);
    code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
}

static int kill_at_other_calls(void)
{
    static const unsigned numbers[] = {
#define NEEDED(name, need) SYS_##name,
#define NEEDED_WITH(name, need, ...) SYS_##name,
        NEEDED_CALLS(NEEDED, NEEDED_WITH) SYS_clone3,
        SYS_clone,
        SYS_recvfrom,
        SYS_exit_group,
        SYS_wait4,
        SYS_kill};
    struct sock_fprog program;

    code[length++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
        allow(numbers[i]);
    code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
    program = (struct sock_fprog){length, code};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* Ring the parent, in a child, when the parent waits in that call. */
static void ring_in_call(pid_t parent, const char *number)
{
    char path[64], text[8] = "";

    snprintf(path, sizeof(path), "/proc/%d/syscall", (int)parent);
    while (strncmp(text, number, strlen(number)) != 0) {
        FILE *file = fopen(path, "r");

        if (!file || !fgets(text, sizeof(text), file))
            _exit(1);
        fclose(file);
        usleep(500);
    }
    kill(parent, DOORBELL);
    usleep(20000);
    _exit(0);
}

static int wait_for_socket(void)
{
    struct timeval limit = {60, 0};
    pid_t parent = getpid(), child;
    int ends[2];
    char byte;

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0 ||
        setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) != 0)
        return 2;
    child = fork();
    if (child == 0) {
        close(ends[0]);
        ring_in_call(parent, "45 ");
    }
    close(ends[1]);
    if (!kill_at_other_calls())
        return 2;
    /* The end of the child ends the stream. */
    if (recv(ends[0], &byte, 1, 0) != 0 && errno != EINTR)
        return 1;
    return waitpid(child, NULL, 0) == child ? 0 : 1;
}

static int ring_a_copy(void)
{
    int status = -1;
    long child;

    if (!kill_at_other_calls())
        return 2;
    child = by_instruction(SYS_clone, SIGCHLD, 0, 0);
    if (child == 0) {
        ring_outside_libc();
        by_instruction(SYS_exit_group, 7, 0, 0);
    }
    by_instruction(SYS_wait4, child, (long)&status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 7 ? 0 : 1;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*function)(void);
    } ways[] = {{"overflow", overflow},
                {"deep", deep},
                {"errno", keep_errno},
                {"timeout", wait_for_socket},
                {"copied", ring_a_copy}};

    for (size_t i = 0; argc == 2 && i < sizeof(ways) / sizeof(*ways); i++)
        if (strcmp(argv[1], ways[i].name) == 0)
            return ways[i].function();
    return 2;
}
