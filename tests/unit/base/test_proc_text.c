/* test_proc_text.c - fields of /proc/PID/stat and /proc/PID/status, whatever a thread is called; reading of a file. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/proc_text.h"
#include "base/sys.h"

static const char status[] =
    "Name:\tState:\tX\nState:\tS (sleeping)\nNSpid:\t4711\t12\t1\nGroups:\t \n"
    "SigBlk:\tfffffffe7ffbfeff\n";

static void a_key_counts_at_the_beginning_of_a_line_alone(void **state)
{
    (void)state;
    assert_int_equal(*proc_field(status, "State:"), 'S');
    assert_int_equal(*proc_field(status, "Groups:"), '\n');
    assert_string_equal(proc_field(status, "sleeping"), "");
    assert_string_equal(proc_field("State:", "State:"), "");
    assert_string_equal(proc_field("Stat", "State:"), "");
    assert_string_equal(proc_field("", "State:"), "");
}

static void numbers_end_at_what_is_no_digit_of_their_base(void **state)
{
    (void)state;
    assert_true(proc_number(proc_field(status, "SigBlk:"), 16) == 0xfffffffe7ffbfeff);
    assert_int_equal(proc_number("12a", 10), 12);
    assert_int_equal(proc_number("-1", 10), 0);
    assert_int_equal(proc_number("", 10), 0);
}

static void the_last_number_of_a_line_is_of_the_innermost_namespace(void **state)
{
    (void)state;
    assert_int_equal(proc_innermost(proc_field(status, "NSpid:")), 1);
    assert_int_equal(proc_innermost("7\n8"), 7);
    assert_int_equal(proc_innermost(""), 0);
}

static void fields_are_counted_behind_the_last_bracket(void **state)
{
    const char stat[] = "77 (a) 5 (b c)) R 1 2 3";

    (void)state;
    assert_int_equal(*proc_stat_field(stat, PROC_STAT_STATE), 'R');
    assert_int_equal(proc_number(proc_stat_field(stat, 6), 10), 3);
    assert_string_equal(proc_stat_field(stat, 7), "");
    assert_string_equal(proc_stat_field("", PROC_STAT_STATE), "");
}

static void as_much_of_a_file_is_read_as_there_is_room_for(void **state)
{
    char text[6];

    (void)state;
    assert_int_equal(sys_read_file(AT_FDCWD, "/proc/self/status", text, sizeof(text)), 5);
    assert_string_equal(text, "Name:");
    assert_int_equal(sys_read_file(AT_FDCWD, "/proc/self/none", text, sizeof(text)), -ENOENT);
    assert_string_equal(text, "");
    text[0] = 'x';
    assert_int_equal(sys_read_file(AT_FDCWD, "/proc/self/exe", text, sizeof(text)), -ELOOP);
    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_counts_at_the_beginning_of_a_line_alone),
        cmocka_unit_test(numbers_end_at_what_is_no_digit_of_their_base),
        cmocka_unit_test(the_last_number_of_a_line_is_of_the_innermost_namespace),
        cmocka_unit_test(fields_are_counted_behind_the_last_bracket),
        cmocka_unit_test(as_much_of_a_file_is_read_as_there_is_room_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
