/*
 * test_padding.c - which bytes between functions may hold the long jump of a short one, and what that
 * gives on real programs.
 */
#include <elf.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/debug/file_functions.h"
#include "cli/verbs/technique_share.h"
#include "elf/functions_read.h"
#include "resolve/function_code.h"
#include "tests/support/objects.h"

/* ---- functions in assembly ---- */

/* One instruction; assemblers make other ones of .nops 11. */
#define NOPS_11 ".byte 0x66, 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0"

#define BEGIN(name) ".globl " name "\\n.type " name ",@function\\n" name ": .cfi_startproc\\n"
#define END(name) ".cfi_endproc\\n.size " name ",.-" name "\\n"
/* `name`, that ends with `last`, and the bytes of `between` behind it, up to `target`. */
#define SOURCE(last, between)                                                                  \
    "__asm__(\".text\\n.balign 256, 0xc3\\n" BEGIN("before") "mov %edi, %eax\\n" last          \
                                                             "\\n" END("before") between       \
        "\\n" BEGIN("target") "mov %edi, %eax\\nadd $1, %eax\\nret\\n" END(                    \
            "target") "ud2\\n" BEGIN("after") "push %rbx\\nmov %edi, %ebx\\nmov %ebx, %eax\\n" \
                                              "pop %rbx\\nret\\n" END("after") "ud2\\n\");\n"

struct read {
    struct opened opened;
    struct functions *functions;
    struct object_callers *callers;
    struct function_code code;
    struct function function;
};

static int take(const struct function *function, void *context)
{
    *(struct function *)context = *function;
    return 1;
}

/* Of `name` in the object made of `source`; callers close nothing: a test is short. */
static struct read read_code(const char *source, const char *name)
{
    struct file file = object(SHARED, source);
    struct read read = {.opened = object_open(&file, 0)};
    struct elf_error fault = {ELF_OK, ""};
    struct code_view view;
    int descriptor = open(object_path(SHARED, source), O_RDONLY | O_CLOEXEC);

    assert_int_equal(functions_of_file(&read.functions, descriptor, &fault), 0);
    close(descriptor);
    assert_int_equal(functions_named(read.functions, name, take, &read.function), 1);
    assert_int_equal(
        object_callers_open(&read.callers, read.opened.image, read.functions, NULL, NULL, &fault),
        0);
    view = (struct code_view){read.functions, read.opened.image, object_callers_arch(read.callers),
                              NULL};
    function_code_read(&view, &read.function, &read.code);
    object_callers_close(read.callers);
    functions_close(read.functions);
    object_close(&read.opened);
    file_free(&file);
    return read;
}

static void assert_padding(const char *source, int begin, int end)
{
    struct read read = read_code(source, "target");

    if (begin == end) {
        assert_int_equal(read.code.padding.count, 0);
        return;
    }
    assert_int_equal(read.code.padding.count, 1);
    assert_int_equal(read.code.padding.gaps[0].begin, begin);
    assert_int_equal(read.code.padding.gaps[0].end, end);
    assert_string_equal(read.code.technique, "short");
}

static void assert_none(const char *source)
{
    assert_padding(source, 0, 0);
}

static void nops_and_int3_between_two_functions_are_padding(void **state)
{
    (void)state;
    assert_padding(SOURCE("ret", NOPS_11), -11, 0);
    assert_padding(SOURCE("ret", ".skip 7, 0xcc"), -7, 0);
    assert_padding(SOURCE("ret", ".byte 0x0f, 0x1f, 0x44, 0, 0"), -5, 0);
    assert_padding(SOURCE("jmp *%rax", ".nops 8"), -8, 0);
    assert_padding(SOURCE("call abort@PLT", ".nops 9"), -9, 0);
    assert_none(SOURCE("ret", ".nops 4"));
}

static void other_bytes_are_none(void **state)
{
    (void)state;
    assert_none(SOURCE("ret", ".nops 8\\nret"));
    assert_none(SOURCE("ret", ".skip 16, 0"));
    assert_none(SOURCE("ret", ".nops 8\\nxor %eax, %eax\\nret\\n.nops 8"));
}

/* Control goes over the end of the function before it: what follows is executed. */
static void what_is_run_over_is_no_padding(void **state)
{
    (void)state;
    assert_none(SOURCE("add $1, %eax", NOPS_11));
    assert_none(SOURCE("jne before", NOPS_11));
    assert_none(SOURCE("mov $0xc3000000, %eax", NOPS_11)); /* the operand's last byte is ret */
}

static void what_is_jumped_to_is_no_padding(void **state)
{
    (void)state;
    assert_none(SOURCE("jmp 1f", "1: " NOPS_11));
    assert_none(SOURCE("jne 1f\\nret", ".nops 5\\n1: .nops 6"));
    assert_none("__asm__(\".text\\n" BEGIN("far") "mov %edi, %eax\\njmp 1f + 2\\n" END(
        "far") "\\n\");" SOURCE("ret", "1: " NOPS_11));
}

/* -fpatchable-function-entry=5,3: three NOPs before the entry are other tools'. */
static void nops_before_an_entry_for_other_tools_are_left_out(void **state)
{
    (void)state;
    assert_padding(SOURCE("ret", NOPS_11 "\\n.byte 0x90, 0x90, 0x90"), -14, -3);
    assert_none(SOURCE("ret", ".byte 0x90, 0x90, 0x90, 0x90, 0x90, 0x90"));
}

static void bytes_within_another_functions_range_are_no_padding(void **state)
{
    (void)state;
    assert_none("__asm__(\".text\\n" BEGIN(
        "wide") "mov %edi, %eax\\nret\\n.globl inner\\n.type inner,@function\\ninner: mov %eax, "
                "%edi\\nret\\n.size inner,.-inner\\n.nops 11\\n.globl target\\n.type "
                "target,@function\\ntarget: mov %edi, %eax\\nadd $1, %eax\\nret\\n.size "
                "target,.-target\\n" END("wide") "ud2\\n\");\n");
}

/* Far enough away a jump of eight bits does not reach it. */
static void padding_out_of_reach_is_none(void **state)
{
    struct read read;

    (void)state;
    read = read_code(SOURCE("ret", ".skip 200, 0xcc"), "target");
    assert_int_equal(read.code.padding.count, 1);
    assert_int_equal(read.code.padding.gaps[0].begin, 2 - 128);
    read = read_code(
        SOURCE("ret", NOPS_11 "\\n" BEGIN("long") ".rept 130\\ncwtl\\n.endr\\nret\\n" END("long")),
        "target");
    assert_int_equal(read.code.padding.count, 0);
}

/* ---- where no short jump is possible ---- */

#define ENTERED(first)                                               \
    "__asm__(\".text\\n" BEGIN("target") first                       \
        "\\n1: mov %edi, %eax\\nadd $1, %eax\\nret\\n" END("target") \
            BEGIN("enters") "mov $7, %eax\\njmp 1b\\n" END("enters") "ud2\\n\");\n"

static void a_function_that_another_one_enters_is_refused_by_its_name(void **state)
{
    struct read read = read_code(ENTERED("push %rbx"), "target");

    (void)state;
    assert_non_null(read.code.problem);
    read.code.problem = read.code.text;
    assert_non_null(strstr(read.code.problem, "enters (at 0x"));
    read = read_code(ENTERED("lea 1(%rdi,%rdi), %eax\\nnop\\nnop"), "target");
    assert_null(read.code.problem);
}

/* ---- real programs ---- */

#define LIB "/usr/lib/x86_64-linux-gnu/"

/* Of Debian 12's builds at least so many per cent are short or, of one instruction, aligned. */
static const struct subject {
    const char *name, *path;
    unsigned least;
} subjects[] = {
    {"redis", "/usr/bin/redis-server", 60},
    {"nginx", "/usr/sbin/nginx", 66},
    {"memcached", "/usr/bin/memcached", 64},
    {"bash", "/bin/bash", 68},
    {"libc", LIB "libc.so.6", 72},
    {"python3", "/usr/bin/python3", 36},
    {"postgres", "/usr/lib/postgresql/15/bin/postgres", 19},
};

static bool every_name(const char *name, void *context)
{
    (void)name;
    (void)context;
    return true;
}

static void count(const struct function *function, const char *name,
                  const struct function_code *code, void *share)
{
    (void)name;
    if (!function->ifunc)
        technique_count(share, code->technique);
}

static void no_trap_is_needed_in_most_functions_of_real_programs(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(subjects) / sizeof(*subjects); i++) {
        struct technique_share share = {.functions = 0};
        struct file_functions functions;
        struct refusal why = {0};
        struct file_image file;
        char *text;

        if (access(subjects[i].path, R_OK) != 0)
            continue;
        assert_int_equal(file_image_open(&file, subjects[i].path, 0, &why), 0);
        assert_int_equal(file_functions_open(&functions, &file, subjects[i].path, &why), 0);
        file_functions_each(&functions, subjects[i].name, every_name, count, &share);
        text = technique_share_text(&share);
        printf("%-10s %6zu  %s\n", subjects[i].name, share.functions, text);
        free(text);
        file_functions_close(&functions);
        file_image_close(&file);
        assert_true(100 * (share.counts[0] + share.counts[1]) >=
                    subjects[i].least * share.functions);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nops_and_int3_between_two_functions_are_padding),
        cmocka_unit_test(other_bytes_are_none),
        cmocka_unit_test(what_is_run_over_is_no_padding),
        cmocka_unit_test(what_is_jumped_to_is_no_padding),
        cmocka_unit_test(nops_before_an_entry_for_other_tools_are_left_out),
        cmocka_unit_test(bytes_within_another_functions_range_are_no_padding),
        cmocka_unit_test(padding_out_of_reach_is_none),
        cmocka_unit_test(a_function_that_another_one_enters_is_refused_by_its_name),
        cmocka_unit_test(no_trap_is_needed_in_most_functions_of_real_programs),
    };

    return cmocka_run_group_tests_name("padding", tests, objects_setup, objects_teardown);
}
