/*
 * test_site.c - functions whose first bytes are changed while threads run through them.
 *
 * The functions are written in assembly, one for each kind of prologue; each returns ten times its
 * argument and one more, its replacement a hundred times. A thread that sees anything else counts
 * a wrong result; one that meets half a jump mostly dies. The plain copy of the jump, kept here
 * alone, must fail the same torture.
 *
 * What the torture is worth (broken on purpose): no int3 before the rest of the jump: dies within a
 * second; threads not asked to leave: dies; the question sent as SIGTRAP: dies at once (trap.c). Not
 * seen here: no membarrier, and no int3 on the inner boundaries before the rest.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "error.h"
#include "harness.h"
#include "lock.h"
#include "maps.h"
#include "site.h"
#include "swap.h"

/* `lead` bytes after a 64-byte boundary, so that the entry straddles what it is to straddle. */
#define SHAPE(name, lead, prologue, epilogue)                                             \
    __asm__(".text\n.balign 64\n.fill " #lead ", 1, 0xcc\n.globl " #name "\n.type " #name \
            ", @function\n" #name ":\n" prologue                                          \
            "\n imul $10, %rdi, %rax\n add $1, %rax\n" epilogue "\n ret\n" #name          \
            "_end:\n.size " #name ", .-" #name "\n.skip 16, 0xcc\n");                     \
    extern long name(long);                                                               \
    extern const char name##_end[];

SHAPE(shape_push_mov, 0, "push %rbp\n mov %rsp, %rbp\n sub $16, %rsp", "leave")
SHAPE(shape_pushes, 0, "push %r15\n push %r14\n push %r13\n push %r12\n push %rbp",
      "pop %rbp\n pop %r12\n pop %r13\n pop %r14\n pop %r15")
SHAPE(shape_single_pushes, 0, "push %rbp\n push %rbx\n push %rax\n push %rcx\n push %rdx",
      "pop %rdx\n pop %rcx\n pop %rbx\n pop %rbx\n pop %rbp")
SHAPE(shape_five_nops, 0, "nop\n nop\n nop\n nop\n nop", "")
SHAPE(shape_one_nop, 0, ".byte 0x0f, 0x1f, 0x44, 0, 0", "")
SHAPE(shape_nop_astray, 5, ".byte 0x0f, 0x1f, 0x44, 0, 0", "")
SHAPE(shape_relative, 0, "push %rbx\n lea shape_relative(%rip), %rbx", "pop %rbx")
SHAPE(shape_branch, 0, "test %rdi, %rdi\n je 1f\n nop\n nop\n1:\n nop\n nop", "")
SHAPE(shape_sub, 0, "sub $24, %rsp\n mov %rdi, %rdx", "add $24, %rsp")
SHAPE(shape_endbr, 0, "endbr64\n push %rbp\n mov %rsp, %rbp\n nop\n nop", "pop %rbp")
SHAPE(shape_word, 6, "push %rbp\n mov %rsp, %rbp\n sub $16, %rsp", "leave")
SHAPE(shape_line, 62, "sub $24, %rsp\n mov %rdi, %rdx", "add $24, %rsp")
SHAPE(shape_line_single, 61, "mov $7, %eax", "")
__asm__(".text\n.balign 4096\n.skip 4093, 0xcc\n");
__asm__(".globl shape_page\n.type shape_page, @function\nshape_page:\n push %rbp\n mov %rsp, %rbp\n"
        " sub $16, %rsp\n imul $10, %rdi, %rax\n add $1, %rax\n leave\n ret\nshape_page_end:\n"
        ".size shape_page, .-shape_page\n.skip 16, 0xcc\n");
extern long shape_page(long);
extern const char shape_page_end[];
/* Alone in its neighbourhood, so that the place of its stub can be taken. */
__asm__(".text\n.skip 16384, 0xcc\n");
SHAPE(shape_alone, 0, "push %rbp\n push %rbx\n push %rax\n push %rcx\n push %rdx",
      "pop %rdx\n pop %rcx\n pop %rbx\n pop %rbx\n pop %rbp")
__asm__(".text\n.skip 16384, 0xcc\n");
/* Never leaves, but by the other thread's word, in rsi. */
__asm__(".text\n.balign 16\n.globl shape_spin\n.type shape_spin, @function\nshape_spin:\n"
        " push %rbp\n mov %rsp, %rbp\n1: cmpl $0, (%rdi)\n je 1b\n pop %rbp\n ret\n"
        "shape_spin_end:\n.size shape_spin, .-shape_spin\n.skip 16, 0xcc\n");
extern long shape_spin(_Atomic int *stop);
extern const char shape_spin_end[];

typedef long function(long);

struct shape {
    const char *name;
    function *call;
    const char *end;
};
#define ROW(name)               \
    {                           \
#name, name, name##_end \
    }
static const struct shape shapes[] = {
    ROW(shape_push_mov),    ROW(shape_pushes),     ROW(shape_single_pushes), ROW(shape_five_nops),
    ROW(shape_one_nop),     ROW(shape_nop_astray), ROW(shape_relative),      ROW(shape_branch),
    ROW(shape_sub),         ROW(shape_endbr),      ROW(shape_word),          ROW(shape_line),
    ROW(shape_line_single), ROW(shape_page)};
enum { SHAPES = sizeof(shapes) / sizeof(*shapes) };

static long replacement(long argument)
{
    return argument * 100;
}

static uint64_t soon(void)
{
    return clock_ms() + 5000;
}

static size_t size_of(const struct shape *shape)
{
    return (size_t)(shape->end - (const char *)(uintptr_t)shape->call);
}

/* Behind an endbr64. */
static uintptr_t site_jump(const struct shape *shape)
{
    return (uintptr_t)shape->call + (shape->call == shape_endbr ? 4 : 0);
}

static struct site *prepared(const struct shape *shape)
{
    struct site_problem why = {0};
    struct site *site = site_at((uintptr_t)shape->call, size_of(shape), &why);

    if (!site || site_prepare(site, &why) != 0)
        fail_msg("%s: %s", shape->name, why.text);
    return site;
}

static void arm(struct site *site, const char *name)
{
    struct site_problem why = {0};

    if (site_arm(site, soon(), &why) != 0)
        fail_msg("arm %s: %s", name, why.text);
}

static void disarm(struct site *site, const char *name)
{
    struct site_problem why = {0};

    if (site_disarm(site, soon(), &why) != 0)
        fail_msg("disarm %s: %s", name, why.text);
}

/* Not folded by the compiler, which could know the function by heart. */
static long call(function *volatile function_, long argument)
{
    return function_(argument);
}

static void an_armed_entry_leads_to_the_replacement_and_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < SHAPES; i++) {
        const struct shape *shape = &shapes[i];
        uint8_t before[64];
        struct mapping was, is;
        struct site *site;

        memcpy(before, (const void *)(uintptr_t)shape->call, size_of(shape));
        assert_true(maps_at((uintptr_t)shape->call, &was));
        site = prepared(shape);
        assert_memory_equal(before, (const void *)(uintptr_t)shape->call, size_of(shape));
        arm(site, shape->name);
        print_message("%s: %s\n", shape->name, site_technique(site));
        assert_int_equal(call(shape->call, 7), 71);
        site_switch(site, (uintptr_t)replacement, false);
        assert_int_equal(call(shape->call, 7), 700);
        assert_int_equal(call((function *)site_original(site), 7), 71);
        site_switch(site, site_original(site), false);
        assert_int_equal(call(shape->call, 7), 71);
        disarm(site, shape->name);
        assert_memory_equal(before, (const void *)(uintptr_t)shape->call, size_of(shape));
        assert_true(maps_at((uintptr_t)shape->call, &is));
        assert_int_equal(was.protection, is.protection);
    }
}

static void the_first_call_since_a_switch_is_noted(void **state)
{
    struct site *site = prepared(&shapes[0]);

    (void)state;
    arm(site, "push_mov");
    site_switch(site, (uintptr_t)replacement, true);
    assert_false(site_settle(site));
    assert_int_equal(call(shapes[0].call, 2), 200);
    assert_true(site_settle(site));
    assert_int_equal(*site_word(site), (uintptr_t)replacement);
    assert_int_equal(call(shapes[0].call, 2), 200);
    site_switch(site, site_original(site), false);
    disarm(site, "push_mov");
}

/* ---- torture ---- */

struct torture {
    const struct shape *shape;
    _Atomic bool stop;
    _Atomic long wrong, calls;
};

static void *caller(void *argument)
{
    struct torture *torture = argument;
    long calls = 0;

    for (long i = 1; !atomic_load_explicit(&torture->stop, memory_order_relaxed); i++) {
        long result = call(torture->shape->call, i);

        if (result != i * 10 + 1 && result != i * 100)
            atomic_fetch_add(&torture->wrong, 1);
        calls++;
    }
    atomic_fetch_add(&torture->calls, calls);
    return NULL;
}

enum { THREADS = 4 };

static void start_callers(struct torture *torture, pthread_t threads[THREADS])
{
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, caller, torture), 0);
}

static void stop_callers(struct torture *torture, pthread_t threads[THREADS])
{
    torture->stop = true;
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

/* Some shapes take a few milliseconds a cycle, where threads are asked to leave: bounded by time. */
static long torture_shape(const struct shape *shape, int cycles, uint64_t ms)
{
    struct torture torture = {.shape = shape};
    pthread_t threads[THREADS];
    struct site *site = prepared(shape);
    uint64_t until = clock_ms() + ms;
    int done = 0;

    start_callers(&torture, threads);
    for (; done < cycles && clock_ms() < until; done++) {
        arm(site, shape->name);
        site_switch(site, (uintptr_t)replacement, done & 1);
        site_settle(site);
        site_switch(site, site_original(site), false);
        disarm(site, shape->name);
    }
    arm(site, shape->name);
    for (int i = 0; i < cycles; i++)
        site_switch(site, i & 1 ? site_original(site) : (uintptr_t)replacement, i & 2);
    site_switch(site, site_original(site), false);
    disarm(site, shape->name);
    stop_callers(&torture, threads);
    print_message("%s: %s, %d cycles, %ld calls\n", shape->name, site_technique(site), done,
                  torture.calls);
    assert_true(torture.calls > 0);
    return torture.wrong;
}

static void no_thread_sees_anything_but_old_or_new(void **state)
{
    (void)state;
    for (size_t i = 0; i < SHAPES; i++)
        assert_int_equal(torture_shape(&shapes[i], sanitized() ? 300 : 10000, 2000), 0);
}

/* What must not be done. */
static void naive(const struct shape *shape, const uint8_t *bytes)
{
    memcpy((void *)(uintptr_t)shape->call, bytes, 5);
}

static int naive_child(const struct shape *shape)
{
    struct torture torture = {.shape = shape};
    pthread_t threads[THREADS];
    uintptr_t page = (uintptr_t)shape->call & ~4095ul;
    uint8_t old[5], jump[5] = {0xe9};
    struct site *site = prepared(shape);
    int32_t distance = (int32_t)(site_original(site) - ((uintptr_t)shape->call + 5));
    uint64_t until = clock_ms() + 8000;

    memcpy(old, (const void *)(uintptr_t)shape->call, 5);
    memcpy(jump + 1, &distance, 4);
    if (mprotect((void *)page, 8192, PROT_READ | PROT_WRITE | PROT_EXEC) != 0)
        return 0;
    start_callers(&torture, threads);
    while (clock_ms() < until && torture.wrong == 0) {
        naive(shape, jump);
        naive(shape, old);
    }
    stop_callers(&torture, threads);
    return torture.wrong != 0;
}

static int in_child(int (*body)(const void *), const void *argument)
{
    pid_t child = fork();
    int status;

    assert_true(child >= 0);
    if (child == 0) {
        alarm(30);
        _exit(body(argument));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static int naive_body(const void *argument)
{
    signal(SIGSEGV, SIG_DFL);
    signal(SIGILL, SIG_DFL);
    return naive_child(argument);
}

static void a_plain_copy_of_the_jump_fails_the_same_torture(void **state)
{
    (void)state;
    for (int i = 1; i < 4; i++)
        assert_int_not_equal(in_child(naive_body, &shapes[i]), 0);
}

/* ---- hosts ---- */

struct blocked {
    sys_sigset mask;
    _Atomic int stop;
    _Atomic int ready;
    bool inside;
};

static void *blocking_thread(void *argument)
{
    struct blocked *blocked = argument;

    sys_sigprocmask(SIG_BLOCK, &blocked->mask, NULL);
    blocked->ready = 1;
    sys_futex_wake(&blocked->ready, 1);
    if (blocked->inside)
        shape_spin(&blocked->stop);
    while (!blocked->stop)
        sys_futex_wait(&blocked->stop, 0, NULL);
    return NULL;
}

static pthread_t start_blocked(struct blocked *blocked)
{
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, blocking_thread, blocked), 0);
    while (!blocked->ready)
        sys_futex_wait(&blocked->ready, 0, NULL);
    return thread;
}

static void stop_blocked(struct blocked *blocked, pthread_t thread)
{
    blocked->stop = 1;
    sys_futex_wake(&blocked->stop, 1);
    pthread_join(thread, NULL);
}

static void patched_beside(sys_sigset mask)
{
    struct blocked blocked = {.mask = mask};
    pthread_t thread = start_blocked(&blocked);

    for (size_t i = 0; i < SHAPES; i++) {
        struct site_problem why = {0};
        struct site *site = prepared(&shapes[i]);

        if (site_arm(site, clock_ms() + 2000, &why) != 0) {
            /* Only one that straddles a word and begins with an instruction of one byte, without
             * an endbr64 before it. */
            assert_ptr_not_equal(shapes[i].call, shape_endbr);
            assert_int_equal(why.code, HP_SIGTRAP_BLOCKED);
            assert_non_null(strstr(why.text, "thread "));
            assert_true((site_jump(&shapes[i]) & 7) > 3);
            continue;
        }
        site_switch(site, (uintptr_t)replacement, false);
        assert_int_equal(call(shapes[i].call, 3), 300);
        site_switch(site, site_original(site), false);
        disarm(site, shapes[i].name);
        assert_int_equal(call(shapes[i].call, 3), 31);
    }
    stop_blocked(&blocked, thread);
}

static void beside_a_sleeping_thread_that_blocks_sigtrap_it_is_applied(void **state)
{
    (void)state;
    patched_beside(SYS_SIGBIT(SIGTRAP));
}

static void beside_a_sleeping_thread_that_blocks_every_signal_it_is_applied(void **state)
{
    (void)state;
    patched_beside(~UINT64_C(0));
}

static void a_thread_that_blocks_sigtrap_and_spins_inside_is_refused_by_name(void **state)
{
    const struct shape spin = {"shape_spin", (function *)(uintptr_t)shape_spin, shape_spin_end};
    struct blocked blocked = {.mask = ~UINT64_C(0), .inside = true};
    struct site_problem why = {0};
    struct site *site = prepared(&spin);
    uint8_t before[16];
    pthread_t thread = start_blocked(&blocked);

    (void)state;
    memcpy(before, (const void *)(uintptr_t)spin.call, sizeof(before));
    assert_int_equal(site_arm(site, clock_ms() + 50, &why), -1);
    assert_int_equal(why.code, HP_SIGTRAP_BLOCKED);
    assert_non_null(strstr(why.text, "test_site"));
    assert_false(site_is_armed(site));
    assert_memory_equal(before, (const void *)(uintptr_t)spin.call, sizeof(before));
    stop_blocked(&blocked, thread);
}

static _Atomic int host_traps;

static void host_trap(int signal_)
{
    (void)signal_;
    host_traps++;
}

static void a_host_keeps_its_own_sigtrap_handler(void **state)
{
    struct sigaction action = {.sa_handler = host_trap}, old;
    struct site *site;

    (void)state;
    assert_int_equal(sigaction(SIGTRAP, &action, &old), 0);
    site = prepared(&shapes[1]);
    arm(site, "pushes");
    __asm__ volatile("int3");
    raise(SIGTRAP);
    assert_int_equal(host_traps, 2);
    disarm(site, "pushes");
    sigaction(SIGTRAP, &old, NULL);
}

static int own_int3(const void *unused)
{
    (void)unused;
    signal(SIGTRAP, SIG_DFL);
    arm(prepared(&shapes[1]), "pushes");
    __asm__ volatile("int3");
    return 0;
}

static void an_int3_of_the_hosts_own_still_kills_it(void **state)
{
    int status = in_child(own_int3, NULL);

    (void)state;
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGTRAP);
}

/* In a child, with threads: every shape armed, switched and disarmed. 0: all as it should be. */
static int run_shapes(void)
{
    struct site_problem why = {0};

    for (size_t i = 0; i < SHAPES; i++) {
        struct site *site = site_at((uintptr_t)shapes[i].call, size_of(&shapes[i]), &why);

        if (!site || site_prepare(site, &why) != 0 || site_arm(site, soon(), &why) != 0) {
            fprintf(stderr, "%s: %s\n", shapes[i].name, why.text);
            return 1;
        }
        site_switch(site, (uintptr_t)replacement, false);
        if (call(shapes[i].call, 3) != 300)
            return 2;
        site_switch(site, site_original(site), false);
        if (site_disarm(site, soon(), &why) != 0 || call(shapes[i].call, 3) != 31)
            return 3;
    }
    return 0;
}

static int under_filter(const void *unused)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mprotect, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof(code) / sizeof(*code), code};

    (void)unused;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        return 9;
    return run_shapes();
}

static void a_filter_that_forbids_mprotect_does_not_matter(void **state)
{
    (void)state;
    assert_int_equal(in_child(under_filter, NULL), 0);
}

static int under_mdwe(const void *unused)
{
    (void)unused;
    if (prctl(65, 1, 0, 0, 0) != 0)
        return 0; /* before Linux 6.3 */
    return run_shapes();
}

static void memory_deny_write_execute_does_not_matter(void **state)
{
    (void)state;
    assert_int_equal(in_child(under_mdwe, NULL), 0);
}

static int not_dumpable(const void *unused)
{
    (void)unused;
    /* Root may open the file whoever owns it. */
    if (geteuid() == 0 && setuid(65534) != 0)
        return 9;
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    return open("/proc/thread-self/mem", O_RDWR) >= 0 ? 9 : run_shapes();
}

static void without_its_memory_file_a_process_is_patched_by_mprotect(void **state)
{
    (void)state;
    assert_int_equal(in_child(not_dumpable, NULL), 0);
}

static void a_child_of_fork_is_patched_for_itself(void **state)
{
    struct site *site = prepared(&shapes[0]);
    int status;

    (void)state;
    arm(site, "push_mov");
    site_switch(site, (uintptr_t)replacement, false);
    if (fork() == 0) {
        sites_after_fork();
        site_switch(site, site_original(site), false);
        _exit(call(shapes[0].call, 3) == 31 && run_shapes() == 0 ? 0 : 1);
    }
    wait(&status);
    assert_int_equal(status, 0);
    assert_int_equal(call(shapes[0].call, 3), 300);
    site_switch(site, site_original(site), false);
    disarm(site, "push_mov");
}

/* ---- where no punned stub has a place ---- */

/* Threads must be asked to leave: as for a program at 0x400000. */
static void threads_are_moved_where_no_punned_stub_has_a_place(void **state)
{
    /* Five instructions of one byte: there is one place, and it is taken. */
    const struct shape alone = ROW(shape_alone), *shape = &alone;
    uintptr_t place = (uintptr_t)shape->call + 5 + (uintptr_t)(int64_t)(int32_t)0xcccccccc;

    (void)state;
    if (mmap((void *)(place & ~4095ul), 8192, PROT_NONE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED)
        fail_msg("the place of the stub: %s", strerror(errno));
    assert_int_equal(torture_shape(shape, sanitized() ? 100 : 10000, 6000), 0);
    assert_string_equal(site_technique(prepared(shape)), "evacuated");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_armed_entry_leads_to_the_replacement_and_back),
        cmocka_unit_test(the_first_call_since_a_switch_is_noted),
        cmocka_unit_test(a_plain_copy_of_the_jump_fails_the_same_torture),
        cmocka_unit_test(no_thread_sees_anything_but_old_or_new),
        cmocka_unit_test(beside_a_sleeping_thread_that_blocks_sigtrap_it_is_applied),
        cmocka_unit_test(beside_a_sleeping_thread_that_blocks_every_signal_it_is_applied),
        cmocka_unit_test(a_thread_that_blocks_sigtrap_and_spins_inside_is_refused_by_name),
        cmocka_unit_test(a_host_keeps_its_own_sigtrap_handler),
        cmocka_unit_test(an_int3_of_the_hosts_own_still_kills_it),
        cmocka_unit_test(a_filter_that_forbids_mprotect_does_not_matter),
        cmocka_unit_test(memory_deny_write_execute_does_not_matter),
        cmocka_unit_test(without_its_memory_file_a_process_is_patched_by_mprotect),
        cmocka_unit_test(a_child_of_fork_is_patched_for_itself),
        cmocka_unit_test(threads_are_moved_where_no_punned_stub_has_a_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
