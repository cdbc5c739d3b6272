/* test_seccomp_facts.c - whether the filters of a thread let the library's system calls pass. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/syscall.h>

#include "base/seccomp_facts.h"

static void filters_that_were_not_seen_are_told_from_inherited_ones(void **state)
{
    struct seccomp_facts facts = {.refuses = SECCOMP_REFUSES_NONE, .kills = SECCOMP_REFUSES_NONE};

    (void)state;
    assert_int_equal(seccomp_judge(&facts, 0, SECCOMP_HOSTS), SECCOMP_ALLOWS);
    assert_int_equal(seccomp_judge(&facts, 1, SECCOMP_HOSTS), SECCOMP_UNSEEN);
    facts.at_start = 2;
    assert_int_equal(seccomp_judge(&facts, 2, SECCOMP_HOSTS), SECCOMP_ALLOWS);
    assert_int_equal(seccomp_judge(&facts, 3, SECCOMP_HOSTS), SECCOMP_UNSEEN);
    facts.seen = 1;
    assert_int_equal(seccomp_judge(&facts, 3, SECCOMP_HOSTS), SECCOMP_ALLOWS);
    facts.refuses = SYS_futex;
    assert_int_equal(seccomp_judge(&facts, 3, SECCOMP_HOSTS), SECCOMP_REFUSES);
    assert_int_equal(seccomp_judge(&facts, 0, SECCOMP_HOSTS), SECCOMP_ALLOWS);
    facts =
        (struct seccomp_facts){.at_start = SECCOMP_STARTED_UNDER, .refuses = SECCOMP_REFUSES_NONE};
    assert_int_equal(seccomp_judge(&facts, 9, SECCOMP_HOSTS), SECCOMP_ALLOWS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filters_that_were_not_seen_are_told_from_inherited_ones),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
