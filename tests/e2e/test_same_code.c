/*
 * test_same_code.c - several functions with one code: equal bodies that a compiler or linker folded, a
 * function that only jumps to another, clones; what check, load and slots say of them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/harness.h"
#include "tests/support/made.h"

#define WARNING_OF_WRITE "may_write has the same code as may_read, which changes with it"

static const char rights_c[] =
    "#include <hosts/loop.h>\n"
    "#define OPAQUE __attribute__((noinline))\n"
    "int least = 1;\n"
    "OPAQUE int may_read(int user);\n"
    "OPAQUE int may_write(int user);\n"
    "OPAQUE int may_read(int user) { return user * 7 + least > 3; }\n"
    "OPAQUE int may_write(int user) { return user * 7 + least > 3; }\n"
    "OPAQUE int alone(int user) { return user * 9 + least > 3; }\n"
    "static void command(const char *word, char *rest)\n"
    "{\n"
    "    int user = *rest ? 2 : 1;\n"
    "    say(\"%d\", !strcmp(word, \"read\") ? may_read(user)\n"
    "             : !strcmp(word, \"write\") ? may_write(user) : alone(user));\n"
    "}\n"
    "int main(void) { return loop(); }\n";

/* A library that calls its own function directly, as -Bsymbolic and protected visibility have it. */
static const char counts_c[] =
    "int hundred(int);\n"
    "int twice(int);\n"
    "int lonely(int);\n"
    "__attribute__((visibility(\"protected\"), noinline)) int hundred(int n)\n"
    "{ __asm__ volatile(\"\"); return 100 + n; }\n"
    "int twice(int n) { return hundred(n) + hundred(n + 1); }\n"
    "int lonely(int n) { return n; }\n";

static const char counting_c[] =
    "#include <hosts/loop.h>\n"
    "int hundred(int);\n"
    "int twice(int);\n"
    "int lonely(int);\n"
    "static void command(const char *word, char *rest)\n"
    "{\n"
    "    int n = *rest ? 2 : 1;\n"
    "    say(\"%d\", !strcmp(word, \"hundred\") ? hundred(n)\n"
    "             : !strcmp(word, \"twice\") ? twice(n) : lonely(n));\n"
    "}\n"
    "int main(void) { return loop(); }\n";

static const char patch_c[] = "#include <hotpatch.h>\n"
                              "HOTPATCH_MODULE(\"rights\", \"1\");\n"
                              "HOTPATCH_REPLACE(int, NAME, (int user)) { return user > 9; }\n";

static int build(void **state)
{
    char command[1024];

    made_build(state);
    file_write(made_path("rights.c"), rights_c, strlen(rights_c), 0644);
    file_write(made_path("patch.c"), patch_c, strlen(patch_c), 0644);
    snprintf(command, sizeof(command),
             "for name in may_write may_read alone hundred lonely; do sed s/NAME/$name/ patch.c > "
             "$name.c && "
             "gcc -I%s -shared -fPIC -o $name.so $name.c || exit 1; done",
             source_file("include"));
    made_run(command);
    snprintf(command, sizeof(command),
             "clang -O2 -g -I%s -ffunction-sections -fuse-ld=lld -Wl,--icf=all -o folded rights.c",
             source_file("tests"));
    made_run(command);
    file_write(made_path("counts.c"), counts_c, strlen(counts_c), 0644);
    file_write(made_path("counting.c"), counting_c, strlen(counting_c), 0644);
    snprintf(command, sizeof(command),
             "gcc -O2 -shared -fPIC -Wl,-soname,libcounts.so -o libcounts.so counts.c && "
             "gcc -O1 -I%s -o counting counting.c -L. -lcounts -Wl,-rpath,'$ORIGIN'",
             source_file("tests"));
    made_run(command);
    /* gcc's -fipa-icf keeps the address of each function of two: one jumps to the other. */
    snprintf(
        command, sizeof(command),
        "sed 's/^OPAQUE int may_write(int user) .*/"
        "__asm__(\".globl may_write\\\\n.type may_write, @function\\\\nmay_write: jmp may_read\\\\n"
        ".size may_write, 5\\\\n.balign 16\");/' rights.c > jumps.c && "
        "gcc -O2 -g -I%s -o jumping jumps.c",
        source_file("tests"));
    made_run(command);
    return 0;
}

static void must_warn(const char *program, const char *patch, const char *said,
                      const char *not_said)
{
    struct host *host = made_start(program);

    output_must(hotpatch(host, "check", made_path(program), made_path(patch), NULL), 0, said,
                not_said);
    output_must(hotpatch(host, "check", pid_text(host->pid), made_path(patch), NULL), 0, said,
                not_said);
    output_must(hotpatch(host, "load", pid_text(host->pid), made_path(patch), NULL), 0, said,
                not_said);
    host_stop(host);
}

static void another_name_of_the_address_is_named(void **state)
{
    (void)state;
    must_warn("folded", "may_write.so", WARNING_OF_WRITE, NULL);
    must_warn("folded", "may_read.so",
              "may_read has the same code as may_write, which changes with it", NULL);
    must_warn("folded", "alone.so", "rights 1", "same code");
}

static void a_function_that_only_jumps_there_is_named(void **state)
{
    struct host *host = made_start("jumping");

    (void)state;
    host_expect(host, "write", "1");
    host_stop(host);
    must_warn("jumping", "may_read.so",
              "may_read has the same code as may_write, which changes with it", NULL);
}

/* The jump itself is replaced, not what it leads to. */
static void a_function_that_jumps_changes_alone(void **state)
{
    struct host *host = made_start("jumping");

    (void)state;
    output_must(hotpatch(host, "load", pid_text(host->pid), made_path("may_write.so"), NULL), 0,
                "1 slot", "same code");
    host_expect(host, "write", "0");
    host_expect(host, "read", "1");
    host_stop(host);
}

static void slots_lists_them(void **state)
{
    struct host *host = made_start("folded");

    (void)state;
    output_must(hotpatch(host, "slots", made_path("folded"), "may_write", NULL), 0,
                "same code: may_read", NULL);
    output_must(hotpatch(host, "slots", pid_text(host->pid), "may_write", NULL), 0,
                "same code: may_read", NULL);
    output_must(hotpatch(host, "slots", "--json", pid_text(host->pid), "may_write", NULL), 0,
                "\"same_code\":\"may_read\"", NULL);
    output_must(hotpatch(host, "slots", pid_text(host->pid), "alone", NULL), 0, "alone", "NOTES");
    output_must(hotpatch(host, "load", pid_text(host->pid), made_path("may_write.so"), NULL), 0,
                "1 slot", NULL);
    output_must(hotpatch(host, "slots", "--json", pid_text(host->pid), "may_*", NULL), 0,
                "\"same_code\":\"may_read\"", NULL);
    host_stop(host);
}

static void slots_lists_inlined_copies(void **state)
{
    struct host *host = made_start("whole");

    (void)state;
    output_must(hotpatch(host, "slots", made_path("whole"), "small", NULL), 0,
                "inlined into: command (program.c:25)", NULL);
    output_must(hotpatch(host, "slots", pid_text(host->pid), "small", NULL), 0,
                "inlined into: command (program.c:25)", NULL);
    host_stop(host);
}

static void a_replacement_of_a_clone_is_warned_of(void **state)
{
    struct host *host = made_start("clones");

    (void)state;
    output_must(hotpatch(host, "load", pid_text(host->pid), "--replace", "work.constprop.0=two",
                         patch_file("entry_plain"), NULL),
                0, "work.constprop.0 is a clone that the compiler made for some calls", NULL);
    host_stop(host);
}

static void calls_inside_of_a_library_are_told(void **state)
{
    struct host *host = made_start("counting");

    (void)state;
    output_must(hotpatch(host, "load", pid_text(host->pid), made_path("hundred.so"), NULL), 0,
                "libcounts.so:hundred reaches both", NULL);
    host_expect(host, "hundred", "0");
    host_expect(host, "twice", "203");
    output_must(hotpatch(host, "revert", pid_text(host->pid), "all", NULL), 0, "reverted", NULL);
    output_must(hotpatch(host, "load", pid_text(host->pid), "--replace", "libcounts.so:hundred=two",
                         patch_file("entry_plain"), NULL),
                0, "1 slot", "keep the old code");
    host_expect(host, "hundred", "2");
    host_expect(host, "twice", "4");
    output_must(hotpatch(host, "load", pid_text(host->pid), made_path("lonely.so"), NULL), 0,
                "1 slot", "keep the old code");
    host_stop(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_name_of_the_address_is_named),
        cmocka_unit_test(a_function_that_only_jumps_there_is_named),
        cmocka_unit_test(a_function_that_jumps_changes_alone),
        cmocka_unit_test(slots_lists_them),
        cmocka_unit_test(slots_lists_inlined_copies),
        cmocka_unit_test(a_replacement_of_a_clone_is_warned_of),
        cmocka_unit_test(calls_inside_of_a_library_are_told),
    };

    return cmocka_run_group_tests(tests, build, made_clean);
}
