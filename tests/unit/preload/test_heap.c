/*
 * test_heap.c - the memory that shim and engine share.
 *
 * What these tests are worth: each fails with one of these changes to heap.c, in the order of the tests: a class one
 * too small, or units of 8 bytes; half of the contents copied; no alignment; what is given back is not listed; a large
 * piece is not unmapped; no limit; libc's memory taken for the heap's; a look before a page; that look by a system call; no lock, or one that a forked child finds
 * held; no way around the limit of locked memory. That the parent takes the lock before fork(3), and that a child
 * forgets lists which were being changed, is not shown: the moment was not hit in 50 forks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "preload/heap.h"

static void every_size_has_room_and_an_address_that_16_divides(void **state)
{
    (void)state;
    for (size_t size = 0; size < 70000; size += size < 2000 ? 1 : 997) {
        unsigned char *a = heap_allocate(size), *b = heap_allocate(size);

        assert_non_null(a);
        assert_non_null(b);
        assert_int_equal((uintptr_t)a % 16, 0);
        assert_true(heap_owns(a) && heap_owns(b));
        memset(a, 0xaa, size);
        memset(b, 0xbb, size);
        for (size_t i = 0; i < size; i++)
            assert_true(a[i] == 0xaa && b[i] == 0xbb);
        heap_release(a);
        heap_release(b);
    }
}

static void resizing_keeps_the_contents(void **state)
{
    unsigned char *memory = NULL;
    size_t before = 0;

    (void)state;
    for (size_t size = 1; size < 3000000; size = size * 5 / 4 + 1) {
        memory = heap_resize(memory, size);
        assert_non_null(memory);
        for (size_t i = 0; i < before; i++)
            assert_int_equal(memory[i], (unsigned char)(i * 7));
        for (size_t i = 0; i < size; i++)
            memory[i] = (unsigned char)(i * 7);
        before = size;
    }
    for (size_t size = before; size > 0; size /= 3) {
        memory = heap_resize(memory, size);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(memory[i], (unsigned char)(i * 7));
    }
    heap_release(memory);
}

static void aligned_memory_is_aligned_and_can_be_resized_and_released(void **state)
{
    (void)state;
    for (size_t alignment = 16; alignment <= 8192; alignment *= 2) {
        char *memory = heap_allocate_aligned(alignment, 100);

        assert_non_null(memory);
        assert_int_equal((uintptr_t)memory % alignment, 0);
        memset(memory, 'x', 100);
        memory = heap_resize(memory, 50000);
        assert_non_null(memory);
        for (int i = 0; i < 100; i++)
            assert_int_equal(memory[i], 'x');
        heap_release(memory);
    }
}

static void what_is_given_back_is_used_again(void **state)
{
    char *first[100], *again[100];
    int same = 0;

    (void)state;
    for (int i = 0; i < 100; i++)
        first[i] = heap_allocate(300);
    for (int i = 0; i < 100; i++)
        heap_release(first[i]);
    for (int i = 0; i < 100; i++)
        again[i] = heap_allocate(310);
    for (int i = 0; i < 100; i++)
        for (int k = 0; k < 100; k++)
            same += again[i] == first[k];
    assert_int_equal(same, 100);
    for (int i = 0; i < 100; i++)
        heap_release(again[i]);
}

static void large_pieces_go_back_to_the_kernel(void **state)
{
    char *memory = heap_allocate(1 << 20);
    unsigned char resident;

    (void)state;
    assert_non_null(memory);
    memset(memory, 1, 1 << 20);
    heap_release(memory);
    assert_int_equal(mincore((void *)((uintptr_t)memory & ~4095ul), 4096, &resident), -1);
    assert_int_equal(errno, ENOMEM);
}

static void more_than_the_limit_is_refused(void **state)
{
    (void)state;
    assert_null(heap_allocate(HEAP_LIMIT + 1));
    assert_null(heap_allocate(SIZE_MAX));
    assert_null(heap_allocate_aligned(64, SIZE_MAX - 8));
}

static void memory_of_libc_goes_back_to_libc(void **state)
{
    char *memory = calloc(1, 1000);

    (void)state;
    assert_false(heap_owns(memory));
    heap_release(memory); /* a sanitizer tells if it leaks */
}

/* Allocators that keep their own facts elsewhere give out the first bytes of a mapping. */
static void memory_with_nothing_before_it_is_not_looked_at(void **state)
{
    char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    void *whole, *small[2000];

    (void)state;
    assert_ptr_not_equal(pages, MAP_FAILED);
    assert_int_equal(munmap(pages, 4096), 0);
    assert_false(heap_owns(pages + 4096));
    whole = heap_allocate_aligned(4096, 100);
    assert_true(heap_owns(whole));
    assert_false(heap_owns(pages + 4096));
    heap_release(whole);
    munmap(pages + 4096, 4096);
    for (size_t i = 0; i < 2000; i++) {
        small[i] = i % 2 ? heap_allocate(i) : heap_allocate_aligned(64, i);
        assert_int_not_equal((uintptr_t)small[i] % 4096, 0);
        assert_true(heap_owns(small[i]));
    }
    for (size_t i = 0; i < 2000; i++)
        heap_release(small[i]);
}

/* As a container's filter does: process_vm_readv(2) is refused. */
static void refuse_reads(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_process_vm_readv, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof(code) / sizeof(*code), code};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        _exit(2);
}

static void whole_pages_are_known_where_memory_may_not_be_read_by_a_call(void **state)
{
    char *a = heap_allocate_aligned(4096, 100), *b = heap_allocate_aligned(8192, 100000);
    int status;
    pid_t child = fork();

    (void)state;
    if (child == 0) {
        refuse_reads();
        _exit(heap_owns(a) && heap_owns(b) ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    heap_release(a);
    assert_false(heap_owns(a));
    assert_true(heap_owns(b));
    heap_release(b);
    assert_false(heap_owns(b));
}

static void *churn(void *seed)
{
    unsigned random = (unsigned)(uintptr_t)seed;
    char *kept[64] = {0};

    for (int i = 0; i < 50000; i++) {
        random = random * 1103515245 + 12345;
        unsigned slot = random >> 16 & 63, size = random >> 8 & 4095;

        heap_release(kept[slot]);
        kept[slot] = heap_allocate(size + 1);
        kept[slot][0] = (char)slot;
        kept[slot][size] = (char)slot;
    }
    for (int i = 0; i < 64; i++)
        heap_release(kept[i]);
    return NULL;
}

static void threads_and_forked_children_find_it_whole(void **state)
{
    pthread_t threads[4];

    (void)state;
    for (uintptr_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, churn, (void *)(i + 1)), 0);
    for (int i = 0; i < 50; i++) {
        pid_t child;
        int status;

        heap_fork_prepare(0);
        child = fork();
        if (child == 0) {
            heap_fork_child();
            churn((void *)77);
            syscall(SYS_exit_group, 0); /* TSan's _exit(2) tells of the parent's threads */
        }
        heap_fork_parent();
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
    }
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
}

/* In a child of its own: locked memory is the process's. */
static void pages_are_had_although_no_more_may_be_locked(void **state)
{
    pid_t child = fork();
    int status;

    (void)state;
    if (child == 0) {
        const struct rlimit limit = {4 << 20, 4 << 20};

        if (setrlimit(RLIMIT_MEMLOCK, &limit) != 0 || (geteuid() == 0 && setuid(65534) != 0) ||
            mlockall(MCL_FUTURE) != 0)
            _exit(77);
        if (mmap(NULL, 8 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
            _exit(77);
        _exit(heap_map(8 << 20) ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        skip(); /* a sandbox around the tests */
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_has_room_and_an_address_that_16_divides),
        cmocka_unit_test(resizing_keeps_the_contents),
        cmocka_unit_test(aligned_memory_is_aligned_and_can_be_resized_and_released),
        cmocka_unit_test(what_is_given_back_is_used_again),
        cmocka_unit_test(large_pieces_go_back_to_the_kernel),
        cmocka_unit_test(more_than_the_limit_is_refused),
        cmocka_unit_test(memory_of_libc_goes_back_to_libc),
        cmocka_unit_test(memory_with_nothing_before_it_is_not_looked_at),
        cmocka_unit_test(whole_pages_are_known_where_memory_may_not_be_read_by_a_call),
        cmocka_unit_test(threads_and_forked_children_find_it_whole),
        cmocka_unit_test(pages_are_had_although_no_more_may_be_locked),
    };

    return cmocka_run_group_tests_name("heap", tests, NULL, NULL);
}
