/*
 * stepper_child.c - the child of stepper.h: traced, stopped, and with no mapping but the arena.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/stepper.h"

/* The end of user addresses (Documentation/arch/x86/x86_64/mm.rst). */
#define USER_END UINT64_C(0x7ffffffff000)

/* Unregister rseq(2). The kernel would write to its area, and end the process after the area is unmapped. */
static void leave_rseq(void)
{
    char *area = (char *)__builtin_thread_pointer() + __rseq_offset;

    if (__rseq_size > 0)
        syscall(SYS_rseq, area, sizeof(struct rseq), RSEQ_FLAG_UNREGISTER, RSEQ_SIG);
}

static void be_traced(void)
{
    leave_rseq();
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
        _exit(1);
    raise(SIGSTOP);
    _exit(0);
}

int stepper_await(pid_t child)
{
    int status;
    pid_t who;

    do
        who = waitpid(child, &status, 0);
    while (who < 0 && errno == EINTR); /* a fuzzer has a timer */
    assert_int_equal(who, child);
    return status;
}

/* Let the child unmap the range, by munmap(2) from an instruction in the arena. */
static void unmap(const struct stepper *stepper, uint64_t from, uint64_t to)
{
    struct user_regs_struct registers;
    int status;

    memcpy(stepper->copies, "\x0f\x05", 2); /* syscall */
    assert_int_equal(ptrace(PTRACE_GETREGS, stepper->child, NULL, &registers), 0);
    registers.rip = (uintptr_t)stepper->copies;
    registers.rax = SYS_munmap;
    registers.orig_rax = (unsigned long long)-1; /* not within a system call */
    registers.rdi = from;
    registers.rsi = to - from;
    assert_int_equal(ptrace(PTRACE_SETREGS, stepper->child, NULL, &registers), 0);
    assert_int_equal(ptrace(PTRACE_SINGLESTEP, stepper->child, NULL, NULL), 0);
    status = stepper_await(stepper->child);
    assert_true(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP);
    assert_int_equal(ptrace(PTRACE_GETREGS, stepper->child, NULL, &registers), 0);
    assert_int_equal(registers.rax, 0);
}

/* Unmap all other memory. Bytes that one side wrote there would be seen by the other side. */
static void leave_the_arena_alone(const struct stepper *stepper)
{
    uint64_t begin = (uintptr_t)stepper->arena;

    unmap(stepper, 0, begin);
    unmap(stepper, begin + stepper->size, USER_END);
}

bool stepper_start(struct stepper *stepper, size_t span)
{
    int status;

    stepper->shadow_stack = false;
    stepper->size = STEPPER_COPIES + span + 2 * STEPPER_GAP + STEPPER_SCRATCH;
    stepper->arena = mmap(NULL, stepper->size, PROT_READ | PROT_WRITE | PROT_EXEC,
                          MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_true(stepper->arena != MAP_FAILED);
    stepper->copies = stepper->arena;
    stepper->image = stepper->arena + STEPPER_COPIES;
    stepper->scratch = stepper->image + span + STEPPER_GAP;
    assert_int_equal(mprotect(stepper->image + span, STEPPER_GAP, PROT_NONE), 0);
    assert_int_equal(mprotect(stepper->scratch + STEPPER_SCRATCH, STEPPER_GAP, PROT_NONE), 0);
    /* Not fork(3): with TSan the child would have another thread, and lose its memory. */
    stepper->child = (pid_t)syscall(SYS_fork);
    assert_true(stepper->child >= 0);
    if (stepper->child == 0)
        be_traced();
    status = stepper_await(stepper->child);
    if (WIFSTOPPED(status) &&
        ptrace(PTRACE_SETOPTIONS, stepper->child, NULL, PTRACE_O_EXITKILL) == 0) {
        leave_the_arena_alone(stepper);
        return true;
    }
    stepper_stop(stepper);
    return false;
}

void stepper_stop(struct stepper *stepper)
{
    kill(stepper->child, SIGKILL);
    waitpid(stepper->child, NULL, 0);
    munmap(stepper->arena, stepper->size);
}
