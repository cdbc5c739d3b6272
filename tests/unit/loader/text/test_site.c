/*
 * test_site.c - functions whose first bytes are changed, in hosts of every kind. What threads that run
 * through them see meanwhile: test_site_order.c step by step, test_site_torture.c by chance.
 */
#include <errno.h>
#include <limits.h>
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

#include "base/clock.h"
#include "base/refusal.h"
#include "base/sys.h"
#include "base/sys_wait.h"
#include "loader/objects/maps.h"
#include "loader/objects/maps_at.h"
#include "loader/text/site.h"
#include "loader/text/site_find.h"
#include "loader/text/site_place.h"
#include "loader/text/trap.h"
#include "tests/support/harness.h"
#include "tests/support/shapes.h"

static void an_armed_entry_leads_to_the_replacement_and_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < shapes_count; i++) {
        const struct shape *shape = &shapes[i];
        uint8_t before[64];
        struct mapping was, is;
        struct site *site;

        memcpy(before, (const void *)(uintptr_t)shape->call, shape_size(shape));
        assert_true(maps_at((uintptr_t)shape->call, &was));
        site = shape_site(shape);
        assert_memory_equal(before, (const void *)(uintptr_t)shape->call, shape_size(shape));
        shape_arm(shape);
        print_message("%s: %s\n", shape->name, site_technique(site));
        assert_int_equal(shape_call(shape, 7), 71);
        site_switch(site, (uintptr_t)shape_replacement, false);
        assert_int_equal(shape_call(shape, 7), 700);
        assert_int_equal(((shape_function *)site_original(site))(7), 71);
        site_switch(site, site_original(site), false);
        assert_int_equal(shape_call(shape, 7), 71);
        shape_disarm(shape);
        assert_memory_equal(before, (const void *)(uintptr_t)shape->call, shape_size(shape));
        assert_true(maps_at((uintptr_t)shape->call, &is));
        assert_int_equal(was.protection, is.protection);
    }
}

static void the_first_call_since_a_switch_is_noted(void **state)
{
    struct site *site = shape_site(&shapes[0]);

    (void)state;
    shape_arm(&shapes[0]);
    site_switch(site, (uintptr_t)shape_replacement, true);
    assert_false(site_take_hit(site));
    assert_int_equal(shape_call(&shapes[0], 2), 200);
    assert_true(site_take_hit(site));
    assert_int_equal(*site_word(site), (uintptr_t)shape_replacement);
    assert_int_equal(shape_call(&shapes[0], 2), 200);
    site_switch(site, site_original(site), false);
    shape_disarm(&shapes[0]);
}

static bool takes_sigtrap(void)
{
    struct sigaction action;

    assert_int_equal(sigaction(SIGTRAP, NULL, &action), 0);
    return action.sa_handler != SIG_DFL;
}

/* Where a uprobe that is set there and removed leaves nothing that could be trapped. */
static int is_short_without_sigtrap(const void *unused)
{
    const struct shape *shape = shape_named("short_two");

    (void)unused;
    signal(SIGTRAP, SIG_DFL); /* what earlier tests have left */
    if (shape_there_and_back(shape) || strcmp(site_technique(shape_site(shape)), "short") != 0 ||
        takes_sigtrap())
        return 1;
    return shape_there_and_back(shape_named("page")) || !takes_sigtrap();
}

static void a_short_jump_takes_no_signal(void **state)
{
    (void)state;
    assert_int_equal(in_child(is_short_without_sigtrap, NULL), 0);
}

/* Its bytes are those of before; the pad keeps the jump, since a thread may be about to take it. */
static void a_disarmed_pad_stays(void **state)
{
    const struct shape *shape = shape_named("short_three");
    const uint8_t *entry = (const uint8_t *)(uintptr_t)shape->call;
    uint8_t before[3], pad[16];

    (void)state;
    memcpy(before, entry, sizeof(before));
    shape_arm(shape);
    memcpy(pad, entry + shape->pad_begin, sizeof(pad));
    assert_int_equal(entry[0], 0xeb);
    shape_disarm(shape);
    assert_memory_equal(entry, before, sizeof(before));
    assert_memory_equal(entry + shape->pad_begin, pad, sizeof(pad));
    shape_arm(shape);
    assert_memory_equal(entry + shape->pad_begin, pad, sizeof(pad));
    shape_disarm(shape);
}

/* Three of five bytes find room in sixteen; a fourth function gets another jump, or none. */
static void where_padding_is_used_up_a_function_gets_another_jump(void **state)
{
    const struct shape *shape = shape_named("share_one");
    struct function_code code = {.size = shape_size(shape), .no_long = true};
    struct site_problem why = {0};
    struct site *site;

    (void)state;
    for (int i = 1; i <= 3; i++)
        shape_site(shape_named(i == 1 ? "share_one" : i == 2 ? "share_two" : "share_three"));
    code.padding.count = 1;
    code.padding.gaps[0].begin = (int16_t)(shape->pad_begin - 6);
    code.padding.gaps[0].end = (int16_t)(shape->pad_end - 6);
    site = site_at((uintptr_t)shape->call + 6, &code, &why); /* "add", between the others' bytes */
    assert_non_null(site);
    assert_int_equal(site_prepare(site, &why), -1);
    assert_int_equal(why.code, HP_NOT_PATCHABLE);
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
        shape_call(&shape_spins, (long)&blocked->stop);
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

    for (size_t i = 0; i < shapes_count; i++) {
        struct site_problem why = {0};
        struct site *site = shape_site(&shapes[i]);

        if (site_arm(site, clock_ms() + 3000, &why) != 0)
            fail_msg("%s: %s", shapes[i].name, why.text);
        site_switch(site, (uintptr_t)shape_replacement, false);
        assert_int_equal(shape_call(&shapes[i], 3), 300);
        site_switch(site, site_original(site), false);
        shape_disarm(&shapes[i]);
        assert_int_equal(shape_call(&shapes[i], 3), 31);
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
    const void *code = (const void *)(uintptr_t)shape_spins.call;
    struct blocked blocked = {.mask = ~UINT64_C(0), .inside = true};
    struct site_problem why = {0};
    struct site *site = shape_site(&shape_spins);
    uint8_t before[16];
    pthread_t thread = start_blocked(&blocked);

    (void)state;
    memcpy(before, code, sizeof(before));
    assert_int_equal(site_arm(site, clock_ms() + 50, &why), -1);
    assert_int_equal(why.code, HP_SIGTRAP_BLOCKED);
    assert_non_null(strstr(why.text, "test_site"));
    assert_false(site_is_armed(site));
    assert_memory_equal(before, code, sizeof(before));
    stop_blocked(&blocked, thread);
}

/* Nobody who is inside would meet a trap, and that all are seen asleep elsewhere proves nothing. */
static int beside_it_without_a_place(const void *shape)
{
    struct blocked blocked = {.mask = ~UINT64_C(0)};
    struct site_problem why = {0};
    pthread_t thread;
    uint8_t before[16];
    int result;

    shape_take_places(shape, UINT_MAX);
    shape_take_hold_places(shape);
    memcpy(before, (const void *)shape_jump(shape), sizeof(before));
    thread = start_blocked(&blocked);
    result = site_arm(shape_site(shape), clock_ms() + 100, &why) == 0 ? 1
             : why.code != HP_SIGTRAP_BLOCKED                         ? 2
                                                                      : 0;
    stop_blocked(&blocked, thread);
    return result ? result : memcmp(before, (const void *)shape_jump(shape), sizeof(before)) != 0;
}

static void beside_it_a_function_whose_stub_has_no_place_is_refused(void **state)
{
    (void)state;
    assert_int_equal(in_child(beside_it_without_a_place, &shape_alone), 0);
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

    (void)state;
    assert_int_equal(sigaction(SIGTRAP, &action, &old), 0);
    shape_arm(&shapes[1]);
    __asm__ volatile("int3");
    raise(SIGTRAP);
    assert_int_equal(host_traps, 2);
    shape_disarm(&shapes[1]);
    sigaction(SIGTRAP, &old, NULL);
}

static _Atomic int seen_blocked;

static void note_mask(int signal_)
{
    sys_sigset now;

    sys_sigprocmask(SIG_BLOCK, NULL, &now);
    seen_blocked = (now & SYS_SIGBIT(signal_)) != 0;
}

/* Ours blocks SIGILL while it runs. */
static void a_hosts_sigill_handler_runs_with_the_mask_that_it_asked_for(void **state)
{
    struct sigaction action = {.sa_handler = note_mask}, old;

    (void)state;
    for (int nodefer = 0; nodefer < 2; nodefer++) {
        action.sa_flags = nodefer ? SA_NODEFER : 0;
        assert_int_equal(sigaction(SIGILL, &action, nodefer ? NULL : &old), 0);
        assert_int_equal(trap_install(true), 0);
        seen_blocked = -1;
        raise(SIGILL);
        assert_int_equal(seen_blocked, !nodefer);
    }
    sigaction(SIGILL, &old, NULL);
}

static int own_int3(const void *unused)
{
    (void)unused;
    signal(SIGTRAP, SIG_DFL);
    shape_arm(&shapes[1]);
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
    return shapes_there_and_back();
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
    return shapes_there_and_back();
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
    return open("/proc/thread-self/mem", O_RDWR) >= 0 ? 9 : shapes_there_and_back();
}

static void without_its_memory_file_a_process_is_patched_by_mprotect(void **state)
{
    (void)state;
    assert_int_equal(in_child(not_dumpable, NULL), 0);
}

static void a_child_of_fork_is_patched_for_itself(void **state)
{
    struct site *site = shape_site(&shapes[0]);
    int status;

    (void)state;
    shape_arm(&shapes[0]);
    site_switch(site, (uintptr_t)shape_replacement, false);
    if (fork() == 0) {
        sites_after_fork();
        site_switch(site, site_original(site), false);
        _exit(shape_call(&shapes[0], 3) == 31 && shapes_there_and_back() == 0 ? 0 : 1);
    }
    wait(&status);
    assert_int_equal(status, 0);
    assert_int_equal(shape_call(&shapes[0], 3), 300);
    site_switch(site, site_original(site), false);
    shape_disarm(&shapes[0]);
}

/* ---- pages ---- */

static int at_pages_of(int protection, int flags)
{
    static const uint8_t code[] = {0x55, 0x48, 0x89, 0xe5, 0x5d, 0xc3, 0x90, 0x90};
    struct site_problem why = {0};
    uint8_t *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);

    assert_true(page != MAP_FAILED);
    memcpy(page, code, sizeof(code));
    assert_int_equal(mprotect(page, 4096, protection), 0);
    assert_null(site_at((uintptr_t)page, &(struct function_code){.size = sizeof(code)}, &why));
    print_message("%s\n", why.text);
    munmap(page, 4096);
    return why.code;
}

static void what_cannot_be_read_or_run_or_is_shared_is_refused(void **state)
{
    (void)state;
    assert_int_equal(at_pages_of(PROT_EXEC, MAP_PRIVATE), HP_NOT_PATCHABLE);
    assert_int_equal(at_pages_of(PROT_READ, MAP_PRIVATE), HP_NOT_PATCHABLE);
    assert_int_equal(at_pages_of(PROT_NONE, MAP_PRIVATE), HP_NOT_PATCHABLE);
    assert_int_equal(at_pages_of(PROT_READ | PROT_EXEC, MAP_SHARED), HP_NOT_PATCHABLE);
}

static void what_is_not_mapped_is_refused(void **state)
{
    struct site_problem why = {0};

    (void)state;
    assert_null(site_at(0x1000, &(struct function_code){.size = 16}, &why));
    assert_int_equal(why.code, HP_NOT_PATCHABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_armed_entry_leads_to_the_replacement_and_back),
        cmocka_unit_test(a_short_jump_takes_no_signal),
        cmocka_unit_test(a_disarmed_pad_stays),
        cmocka_unit_test(where_padding_is_used_up_a_function_gets_another_jump),
        cmocka_unit_test(the_first_call_since_a_switch_is_noted),
        cmocka_unit_test(beside_a_sleeping_thread_that_blocks_sigtrap_it_is_applied),
        cmocka_unit_test(beside_a_sleeping_thread_that_blocks_every_signal_it_is_applied),
        cmocka_unit_test(a_thread_that_blocks_sigtrap_and_spins_inside_is_refused_by_name),
        cmocka_unit_test(beside_it_a_function_whose_stub_has_no_place_is_refused),
        cmocka_unit_test(a_host_keeps_its_own_sigtrap_handler),
        cmocka_unit_test(a_hosts_sigill_handler_runs_with_the_mask_that_it_asked_for),
        cmocka_unit_test(an_int3_of_the_hosts_own_still_kills_it),
        cmocka_unit_test(a_filter_that_forbids_mprotect_does_not_matter),
        cmocka_unit_test(memory_deny_write_execute_does_not_matter),
        cmocka_unit_test(without_its_memory_file_a_process_is_patched_by_mprotect),
        cmocka_unit_test(a_child_of_fork_is_patched_for_itself),
        cmocka_unit_test(what_cannot_be_read_or_run_or_is_shared_is_refused),
        cmocka_unit_test(what_is_not_mapped_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
