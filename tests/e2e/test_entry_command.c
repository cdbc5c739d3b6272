/*
 * test_entry_command.c - what the command says of functions that nobody prepared: status, slots,
 * check, doctor, and the warnings of load.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/harness.h"
#include "tests/support/made.h"

static void calls_that_keep_the_old_code_are_told(void **state)
{
    struct host *host = made_start("whole");

    (void)state;
    output_must(hotpatch(host, "load", pid_text(host->pid), "--replace", "small=two",
                         patch_file("entry_plain"), NULL),
                0, "small was inlined into: command (program.c:25); these keep the old code", NULL);
    host_expect(host, "small by-pointer", "2");
    host_expect(host, "small", "60");
    host_stop(host);
}

static void a_function_that_was_inlined_everywhere_is_told(void **state)
{
    static const char text[] =
        "gone has no code of its own: the compiler inlined it into command (program.c:27)";
    struct host *host = made_start("whole");

    (void)state;
    output_must(hotpatch(host, "load", pid_text(host->pid), "--replace", "gone=two",
                         patch_file("entry_plain"), NULL),
                1, text, NULL);
    output_must(hotpatch(host, "check", made_path("whole"), made_path("gone.so"), NULL), 1, text,
                NULL);
    host_stop(host);
}

static void a_clone_is_not_taken_for_the_function(void **state)
{
    struct host *host = made_start("clones");

    (void)state;
    output_must(hotpatch(host, "load", pid_text(host->pid), "--replace", "work=two",
                         patch_file("entry_plain"), NULL),
                1, "work has no code of its own: there is work.constprop.0", NULL);
    output_must(hotpatch(host, "load", pid_text(host->pid), "--replace", "work.constprop.0=two",
                         patch_file("entry_plain"), NULL),
                0, "1 slot", NULL);
    host_expect(host, "hello", "2");
    host_stop(host);
}

static void what_is_never_patched_is_told(void **state)
{
    static const char *const names[] = {"ld-linux-x86-64.so.2:anything=two",
                                        "libhotpatch_engine.so:anything=two"};
    struct host *host = made_start("whole");

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        output_must(hotpatch(host, "load", pid_text(host->pid), "--replace", names[i],
                             patch_file("entry_plain"), NULL),
                    1, "are never patched", NULL);
    host_expect(host, "answer", "1");
    host_stop(host);
}

static void the_running_main_is_told(void **state)
{
    struct host *host = made_start("whole");

    (void)state;
    output_must(hotpatch(host, "load", pid_text(host->pid), "--replace", "main=two",
                         patch_file("entry_plain"), NULL),
                0, "main has been entered already", NULL);
    host_expect(host, "answer", "1");
    host_stop(host);
}

static void status_tells_whether_the_new_code_was_entered(void **state)
{
    struct host *host = made_start("whole");

    (void)state;
    output_must(hotpatch(host, "load", pid_text(host->pid), "--replace", "answer=two",
                         patch_file("entry_plain"), NULL),
                0, NULL, NULL);
    output_must(hotpatch(host, "status", pid_text(host->pid), NULL), 0,
                "not entered since the switch", NULL);
    host_expect(host, "answer", "2");
    output_must(hotpatch(host, "status", pid_text(host->pid), NULL), 0,
                "  entered since the switch", "not entered");
    host_stop(host);
}

static void whether_it_was_entered_is_off_by_choice(void **state)
{
    struct host *host = made_start("whole");

    (void)state;
    output_must(hotpatch(host, "load", "--no-seen", pid_text(host->pid), "--replace", "answer=two",
                         patch_file("entry_plain"), NULL),
                0, NULL, NULL);
    host_expect(host, "answer", "2");
    output_must(hotpatch(host, "status", pid_text(host->pid), NULL), 0,
                "whether it has been entered is not noted", "since the switch");
    output_must(hotpatch(host, "status", "--json", pid_text(host->pid), NULL), 0,
                "\"entered\":null", NULL);
    host_stop(host);
}

static void slots_gives_the_reason_where_an_entry_cannot_be_patched(void **state)
{
    struct host *host = made_start("whole");

    (void)state;
    output_must(hotpatch(host, "slots", pid_text(host->pid), "tiny", NULL), 0,
                "no: the function is shorter than a jump", NULL);
    output_must(hotpatch(host, "slots", made_path("whole"), "tiny", NULL), 0,
                "no: the function is shorter than a jump", NULL);
    output_must(hotpatch(host, "slots", "--kind=entry", made_path("whole"), "answer", NULL), 0,
                "answer@program.c", "no:");
    host_stop(host);
}

static void doctor_tells_what_entries_need(void **state)
{
    struct host *host = made_start("whole");

    (void)state;
    output_must(hotpatch(host, "doctor", pid_text(host->pid), NULL), 0, "no thread blocks SIGTRAP",
                NULL);
    output_must(hotpatch(host, "doctor", made_path("whole"), NULL), 0,
                "can be replaced at their entries", " 0 of ");
    host_stop(host);
}

static void slots_of_one_object_alone_can_be_asked_for(void **state)
{
    struct host *host = made_start("whole");

    (void)state;
    output_must(hotpatch(host, "slots", pid_text(host->pid), "exe:*", NULL), 0, "with_symbol",
                NULL);
    output_must(hotpatch(host, "slots", pid_text(host->pid), "exe:strlen", NULL), 0, " import ",
                " entry ");
    output_must(hotpatch(host, "slots", pid_text(host->pid), "libc.so.6:strlen", NULL), 0,
                " entry ", " import ");
    output_must(hotpatch(host, "slots", pid_text(host->pid), "libc.so.6:with_symbol", NULL), 0,
                "NAME", "with_symbol");
    output_must(hotpatch(host, "slots", made_path("whole"), "whole:with_*", NULL), 0, "with_symbol",
                NULL);
    output_must(hotpatch(host, "slots", made_path("whole"), "other:with_*", NULL), 0, "NAME",
                "with_symbol");
    host_stop(host);
}

static void a_program_is_found_in_path(void **state)
{
    struct output *output;
    char path[256];

    (void)state;
    snprintf(path, sizeof(path), "PATH=%s", made_path("."));
    output = run_program(NULL, (const char *const[]){"/usr/bin/env", path, built("hotpatch"),
                                                     "slots", "whole", "answer", NULL});
    output_must(output, 0, "answer@program.c", NULL);
    output =
        run_program(NULL, (const char *const[]){"/usr/bin/env", path, built("hotpatch"), "check",
                                                "whole", made_path("short.so"), NULL});
    output_must(output, 1, "HP-NOT-PATCHABLE", NULL);
}

static void check_judges_a_function_as_the_load_does(void **state)
{
    struct host *host = made_start("whole");
    const char *patch = made_path("short.so");

    (void)state;
    output_must(hotpatch(host, "check", made_path("whole"), patch, NULL), 1,
                "HP-NOT-PATCHABLE: ", "fits");
    output_must(hotpatch(host, "check", made_path("whole"), patch, NULL), 1,
                "tiny: the function is shorter than a jump", NULL);
    output_must(hotpatch(host, "check", pid_text(host->pid), patch, NULL), 1,
                "tiny: the function is shorter than a jump", NULL);
    output_must(hotpatch(host, "load", pid_text(host->pid), patch, NULL), 1,
                "tiny: the function is shorter than a jump", NULL);
    host_stop(host);
}

/* A fault gives its value in rax: what is no integer would return whatever lies in xmm0 or on the stack. */
static void a_fault_of_what_returns_no_integer_is_refused(void **state)
{
    static const char *const refused[][2] = {{"mean=1", "mean returns double"},
                                             {"exe:mean=1", "exe:mean returns double"},
                                             {"grow=1", "grow returns struct box"},
                                             {"libm.so.6:sqrt=1", "HP-"},
                                             {"libc.so.6:strtod=1", "HP-SIGNATURE"}};
    struct host *host = host_start("entries", NULL);
    char pid[16];

    (void)state;
    snprintf(pid, sizeof(pid), "%d", (int)host->pid);
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
        output_must(hotpatch(host, "load", pid, "--fail", refused[i][0], NULL), 1, refused[i][1],
                    "applied");
        output_must(hotpatch(host, "load", pid, "--dry-run", "--fail", refused[i][0], NULL), 1,
                    refused[i][1], "would apply");
    }
    output_must(hotpatch(host, "load", pid, "--fail", "answer=3", NULL), 0, "1 slot", NULL);
    host_expect(host, "answer", "3");
    host_stop(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_that_keep_the_old_code_are_told),
        cmocka_unit_test(a_function_that_was_inlined_everywhere_is_told),
        cmocka_unit_test(a_clone_is_not_taken_for_the_function),
        cmocka_unit_test(what_is_never_patched_is_told),
        cmocka_unit_test(the_running_main_is_told),
        cmocka_unit_test(status_tells_whether_the_new_code_was_entered),
        cmocka_unit_test(whether_it_was_entered_is_off_by_choice),
        cmocka_unit_test(slots_gives_the_reason_where_an_entry_cannot_be_patched),
        cmocka_unit_test(doctor_tells_what_entries_need),
        cmocka_unit_test(slots_of_one_object_alone_can_be_asked_for),
        cmocka_unit_test(a_program_is_found_in_path),
        cmocka_unit_test(check_judges_a_function_as_the_load_does),
        cmocka_unit_test(a_fault_of_what_returns_no_integer_is_refused),
    };
    return cmocka_run_group_tests(tests, made_build, made_clean);
}
