/*
 * test_stacks.c - what is read of a thread's stack: all that may lead back, and nothing that somebody
 * else could take away meanwhile.
 */
#include <pthread.h>
#include <sys/mman.h>

#include "loader/text/stacks.h"
#include "tests/support/harness.h"

enum { PAGE = 4096, BEGIN = 0x1234000, END = 0x1234005 };

static bool leads_from(const volatile uintptr_t *word)
{
    uintptr_t end = own_stack_end((uintptr_t)word);

    assert_true(end > (uintptr_t)word);
    return own_stack_leads_into((uintptr_t)word, end, BEGIN, END);
}

/* A word above decides; both bounds are exclusive. */
static void assert_words_count(void)
{
    volatile uintptr_t words[3] = {0, 0, BEGIN};

    assert_int_equal(stacks_look(), 0);
    assert_false(leads_from(words));
    words[2] = END;
    assert_false(leads_from(words));
    words[2] = BEGIN + 1;
    assert_true(leads_from(words));
    assert_true(leads_from(words + 2));
    assert_true(stack_leads_into((uintptr_t)words, BEGIN, END));
    words[2] = 0;
}

static void words_of_the_main_threads_stack_count(void **state)
{
    (void)state;
    assert_words_count();
}

static void *look_at_own(void *unused)
{
    volatile uintptr_t here = 0;

    assert_words_count();
    assert_true(own_stack_end((uintptr_t)&here) <= (uintptr_t)__builtin_thread_pointer());
    return unused;
}

static void words_of_another_threads_stack_count_up_to_its_thread_pointer(void **state)
{
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, look_at_own, NULL), 0);
    pthread_join(thread, NULL);
}

/* As an alternate stack, or a coroutine's: what lies behind it may be somebody else's. */
static void memory_that_is_no_threads_stack_has_no_end(void **state)
{
    char *memory = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)state;
    assert_true(memory != MAP_FAILED);
    assert_int_equal(mprotect(memory + 2 * PAGE, PAGE, PROT_NONE), 0); /* no neighbour */
    assert_int_equal(stacks_look(), 0);
    assert_int_equal(own_stack_end((uintptr_t)memory), 0);
    assert_false(stack_leads_into((uintptr_t)memory + PAGE, BEGIN, END));
    munmap(memory + PAGE, PAGE);
    assert_true(stack_leads_into((uintptr_t)memory, BEGIN, END)); /* gone since: not known */
    munmap(memory, PAGE);
    munmap(memory + 2 * PAGE, PAGE);
    assert_int_equal(stacks_look(), 0);
    assert_true(stack_leads_into((uintptr_t)memory, BEGIN, END));
    assert_int_equal(own_stack_end((uintptr_t)memory), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_of_the_main_threads_stack_count),
        cmocka_unit_test(words_of_another_threads_stack_count_up_to_its_thread_pointer),
        cmocka_unit_test(memory_that_is_no_threads_stack_has_no_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
