/*
 * test_thin.c - thin objects in live programs: state stays at its own addresses, versions come and go, several modules
 * of one program, refusals. The selections are made by hand (support/thin_made.h).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/directory.h"
#include "tests/support/harness.h"
#include "tests/support/thin_made.h"

/* The state probe. Every function of the file is replaced, and says its version. */
static const char probe_c[] =
    "#include \"probe.h\"\n"
    "#include <stdlib.h>\n"
    "#ifndef VERSION\n"
    "#define VERSION 0\n"
    "#endif\n"
    "struct pair { int first; long second; };\n"
    "int exported_global = 1;\n"
    "static int static_scalar = 1;\n"
    "static struct pair static_struct = {1, 1};\n"
    "static int static_array[4] = {1, 1, 1, 1};\n"
    "static __thread int static_local = 1;\n"
    "__thread int exported_local = 1;\n"
    "static OPAQUE int helper(int n) { return n * n * 7 + VERSION; }\n"
    "int (*stored_function)(int) = helper;\n"
    "static const char *const names[] = {\"zero\", \"one\", \"two\", \"three\", \"four\"};\n"
    "#if VERSION >= 2\n"
    "static int added;\n"
    "#endif\n"
    "OPAQUE int probe(char *out, int size)\n"
    "{\n"
    "    static int function_static = 1;\n"
    "    const char *word;\n"
    "    exported_global += 1; static_scalar += 1; static_struct.second += 1;\n"
    "    static_array[3] += 1; static_local += 1; exported_local += 1; function_static += 1;\n"
    "    switch (exported_global % 6) {\n"
    "    case 0: word = \"six\"; break;\n"
    "    case 1: word = \"seven\"; break;\n"
    "    case 2: word = \"eight\"; break;\n"
    "    case 3: word = \"nine\"; break;\n"
    "    case 4: word = \"ten\"; break;\n"
    "    default: word = \"eleven\"; break;\n"
    "    }\n"
    "    return snprintf(out, size, \"v%d %s %s %d %d %ld %d %d %d %d %d %d %d\", VERSION, "
    "names[VERSION],\n"
    "        getenv(\"PROBE_NONE\") ? \"?\" : word[0] ? \"w\" : \"\", exported_global, "
    "static_scalar,\n"
    "        static_struct.second, static_array[3], static_local, exported_local, "
    "function_static,\n"
    "        stored_function == helper, stored_function(0), \n"
    "#if VERSION >= 2\n"
    "        ++added\n"
    "#else\n"
    "        -1\n"
    "#endif\n"
    "    );\n"
    "}\n";

static const char probe_h[] = "#include <stdio.h>\n"
                              "#define OPAQUE __attribute__((noinline, noclone))\n"
                              "int probe(char *out, int size);\n"
                              "extern int exported_global;\n"
                              "extern __thread int exported_local;\n"
                              "extern int (*stored_function)(int);\n";

static const char program_c[] = "#include <hosts/loop.h>\n"
                                "#include \"probe.h\"\n"
                                "static void command(const char *word, char *rest)\n"
                                "{\n"
                                "    char text[200];\n"
                                "    (void)word, (void)rest;\n"
                                "    probe(text, sizeof(text));\n"
                                "    say(\"%s\", text);\n"
                                "}\n"
                                "int main(void) { return loop(); }\n";

static const char *const functions[] = {"probe", "helper", NULL};

static void shell(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void shell(const char *format, ...)
{
    char line[2048];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    run_shell(line);
}

static void write_text(const char *name, const char *text)
{
    file_write(directory_path(name), text, strlen(text), 0644);
}

static int build(void **state)
{
    if (directory_make(state) != 0)
        return -1;
    write_text("probe.c", probe_c);
    write_text("probe.h", probe_h);
    write_text("program.c", program_c);
    return 0;
}

/* Build the program, or a library and a program, as DIRECTORY/host; and the thin objects v1 to v4. */
static void make_probe(const char *flags, bool library)
{
    const char *target = directory_path(library ? "libprobe.so" : "host");

    shell("cd %s && rm -f *.o *.hpo host *.so", directory);
    if (library)
        shell("cd %s && gcc %s -g -fPIC -shared -Wl,-soname,libprobe.so -Wl,--build-id -o "
              "libprobe.so "
              "probe.c && gcc -g -I%s -o host program.c ./libprobe.so -Wl,-rpath,%s",
              directory, flags, source_file("tests"), directory);
    else
        shell("cd %s && gcc %s -g -c probe.c && gcc %s -g -c -I%s program.c && "
              "gcc %s -Wl,--build-id -o host program.o probe.o",
              directory, flags, flags, source_file("tests"), flags);
    for (int version = 1; version <= 4; version++) {
        char object[300], out[300];

        shell("cd %s && gcc %s %s -g -ffunction-sections -fdata-sections -DVERSION=%d -c -o v%d.o "
              "probe.c",
              directory, flags, library ? "-fPIC" : "", version, version);
        snprintf(object, sizeof(object), "%s/v%d.o", directory, version);
        snprintf(out, sizeof(out), "%s/v%d.hpo", directory, version);
        thin_make(out, "probe", target, object, functions);
    }
}

static void expect_probe(struct host *host, int version, int count, int added)
{
    static const char *const words[] = {"zero", "one", "two", "three", "four"};
    char text[200];

    snprintf(text, sizeof(text), "v%d %s w %d %d %d %d %d %d %d 1 %d %d", version, words[version],
             count, count, count, count, count, count, count, version, added);
    host_expect(host, "probe", text);
}

static void load_version(struct host *host, int version)
{
    char name[16];

    snprintf(name, sizeof(name), "v%d.hpo", version);
    must_apply(host, "load %s", directory_path(name));
}

static void state_is_kept(const char *flags, bool library)
{
    struct host *host;
    int count = 1, added = 0;

    print_message("%s%s\n", flags, library ? ", library" : "");
    make_probe(flags, library);
    host = host_start(directory_path("host"), NULL);
    expect_probe(host, 0, ++count, -1);
    load_version(host, 1);
    expect_probe(host, 1, ++count, -1);
    load_version(host, 2);
    expect_probe(host, 2, ++count, ++added);
    load_version(host, 3);
    expect_probe(host, 3, ++count, ++added);
    load_version(host, 1);
    expect_probe(host, 1, ++count, -1);
    load_version(host, 4);
    expect_probe(host, 4, ++count, ++added);
    load_version(host, 2);
    expect_probe(host, 2, ++count, ++added);
    must_apply(host, "revert last");
    expect_probe(host, 0, ++count, -1);
    host_stop(host);
}

static void every_kind_of_state_stays_at_its_address(void **state)
{
    (void)state;
    state_is_kept("-O2", false);
    state_is_kept("-O0", false);
    state_is_kept("-O1", false);
    state_is_kept("-O3", false);
    state_is_kept("-O2 -no-pie -fno-pie", false);
    state_is_kept("-O0 -no-pie -fno-pie", false);
    state_is_kept("-O2 -fno-plt -fcf-protection -D_FORTIFY_SOURCE=2 -fstack-protector-strong",
                  false);
    state_is_kept("-O2 -fcommon -ffunction-sections -fdata-sections -Wl,--gc-sections", false);
}

static void state_of_a_library_stays_at_its_address(void **state)
{
    (void)state;
    state_is_kept("-O2", true);
    state_is_kept("-O0", true);
    state_is_kept("-O2 -Wl,-Bsymbolic -fno-semantic-interposition", true);
}

/* ---- several modules ---- */

static const char *const only_probe[] = {"probe", NULL};
static const char *const only_helper[] = {"helper", NULL};

static void make_part(const char *name, int version, const char *const *parts)
{
    char object[300];

    snprintf(object, sizeof(object), "%s/v%d.o", directory, version);
    thin_make(path_of(directory, name), name, directory_path("host"), object, parts);
}

/* Ask for the versions of probe and helper: "v3 ... 2". */
static void expect_versions(struct host *host, int probe, int helper)
{
    const char *answer = host_ask(host, "probe");
    int probed = -1, helped = -1;

    if (sscanf(answer, "v%d %*s w %*d %*d %*d %*d %*d %*d %*d %*d %d", &probed, &helped) != 2 ||
        probed != probe || helped != helper)
        fail_msg("probe v%d, helper v%d expected: %s", probe, helper, answer);
}

static void modules_of_one_program_are_stacked_and_reverted_in_any_order(void **state)
{
    struct host *host;

    (void)state;
    make_probe("-O1", false);
    make_part("one", 1, only_probe);
    make_part("two", 2, only_helper);
    make_part("three", 3, functions);
    host = host_start(directory_path("host"), NULL);
    must_apply(host, "load %s", directory_path("one"));
    expect_versions(host, 1, 0);
    must_apply(host, "load %s", directory_path("two"));
    expect_versions(host, 1, 2);
    must_apply(host, "load %s", directory_path("three"));
    expect_versions(host, 3, 3);
    must_apply(host, "revert name=one");
    expect_versions(host, 3, 3);
    must_apply(host, "revert name=three");
    expect_versions(host, 0, 2);
    must_apply(host, "load %s", directory_path("one"));
    expect_versions(host, 1, 2);
    must_apply(host, "revert last");
    expect_versions(host, 0, 2);
    must_apply(host, "revert name=two");
    expect_versions(host, 0, 0);
    host_stop(host);
}

static void functions_that_a_reload_does_not_have_go_back(void **state)
{
    struct host *host;

    (void)state;
    make_probe("-O1", false);
    make_part("fix", 1, functions);
    host = host_start(directory_path("host"), NULL);
    must_apply(host, "load %s", directory_path("fix"));
    expect_versions(host, 1, 1);
    make_part("fix", 2, only_helper);
    must_apply(host, "load %s", directory_path("fix"));
    expect_versions(host, 0, 2);
    make_part("fix", 3, only_probe);
    must_apply(host, "reload");
    expect_versions(host, 3, 0);
    must_apply(host, "revert last");
    expect_versions(host, 0, 0);
    host_stop(host);
}

static void a_transaction_of_several_thin_objects_is_one_switch(void **state)
{
    struct host *host;

    (void)state;
    make_probe("-O1", false);
    make_part("one", 1, only_probe);
    make_part("two", 2, only_helper);
    host = host_start(directory_path("host"), NULL);
    must_apply(host, "begin\nload %s\nload %s\ncommit", directory_path("one"),
               directory_path("two"));
    expect_versions(host, 1, 2);
    must_apply(host, "revert all");
    expect_versions(host, 0, 0);
    host_stop(host);
}

/* ---- ways to load ---- */

static void a_program_starts_with_a_thin_object(void **state)
{
    char setting[300];
    const char *const environment[] = {setting, NULL};
    struct host *host;

    (void)state;
    make_probe("-O2", false);
    snprintf(setting, sizeof(setting), "HOTPATCH_PATCH=%s/v3.hpo", directory);
    host = host_start(directory_path("host"), environment);
    expect_versions(host, 3, 3);
    must_apply(host, "revert last");
    expect_versions(host, 0, 0);
    host_stop(host);
}

static void the_command_shows_what_is_applied(void **state)
{
    struct host *host;

    (void)state;
    make_probe("-O2", false);
    host = host_start(directory_path("host"), NULL);
    output_must(hotpatch(host, "check", directory_path("host"), directory_path("v1.hpo"), NULL), 0,
                "fits: probe 1, 2 functions of", "warning");
    output_must(hotpatch(host, "check", pid_text(host->pid), directory_path("v1.hpo"), NULL), 0,
                "probe", NULL);
    output_must(
        hotpatch(host, "load", "--dry-run", pid_text(host->pid), directory_path("v1.hpo"), NULL), 0,
        "probe", NULL);
    expect_versions(host, 0, 0);
    output_must(hotpatch(host, "load", pid_text(host->pid), directory_path("v1.hpo"), NULL), 0,
                "probe", NULL);
    expect_versions(host, 1, 1);
    output_must(hotpatch(host, "status", pid_text(host->pid), NULL), 0, "helper", NULL);
    output_must(hotpatch(host, "load", pid_text(host->pid), directory_path("v1.hpo"), NULL), 0,
                "unchanged", NULL);
    output_must(hotpatch(host, "revert", pid_text(host->pid), "last", NULL), 0, "probe", NULL);
    expect_versions(host, 0, 0);
    host_stop(host);
}

/* ---- refusals ---- */

static void another_build_is_refused(void **state)
{
    struct host *host;

    (void)state;
    make_probe("-O2", false);
    shell("cd %s && mv v1.hpo old.hpo && gcc -O2 -g -DOTHER -c -Dadded_text=1 probe.c && "
          "gcc -Wl,--build-id=0x0123456789abcdef -o host program.o probe.o",
          directory);
    host = host_start(directory_path("host"), NULL);
    assert_string_equal(outcome(host, "load %s", directory_path("old.hpo")), "HP-BUILD-ID");
    output_must(hotpatch(host, "check", directory_path("host"), directory_path("old.hpo"), NULL), 1,
                "HP-BUILD-ID", "fits");
    expect_versions(host, 0, 0);
    host_stop(host);
}

static void a_missing_symbol_is_refused(void **state)
{
    struct host *host;

    (void)state;
    make_probe("-O2", false);
    shell("cd %s && sed 's/getenv(\"PROBE_NONE\")/no_such_function()/' probe.c > lost.c && "
          "gcc -O2 -g -w -ffunction-sections -fdata-sections -DVERSION=1 -c -o lost.o lost.c",
          directory);
    thin_make(directory_path("lost.hpo"), "lost", directory_path("host"), directory_path("lost.o"),
              functions);
    host = host_start(directory_path("host"), NULL);
    assert_string_equal(outcome(host, "load %s", directory_path("lost.hpo")), "HP-UNDEFINED");
    expect_versions(host, 0, 0);
    host_stop(host);
}

/* ---- what code of a thin object relies on ---- */

/* The edited `work` keeps values in registers over calls of `leaf` that `leaf` does not write (gcc's -fipa-ra). */
static const char relying_c[] =
    "#include <stdio.h>\n"
    "#define OPAQUE __attribute__((noinline, noclone))\n"
    "int leaf(int n);\n"
    "int work(int n, int m);\n"
    "OPAQUE int leaf(int n) { __asm__ volatile(\"\" : \"+r\"(n)); return n * 3; }\n"
    "#if VERSION == 0\n"
    "OPAQUE int work(int n, int m) { return leaf(n) + (m > 1000); }\n"
    "#else\n"
    "OPAQUE int work(int n, int m) { int a = leaf(n); return a + n * 100 + m * 10000; }\n"
    "#endif\n";

static const char relying_program_c[] = "#include <hosts/loop.h>\n"
                                        "int work(int n, int m);\n"
                                        "static void command(const char *word, char *rest)\n"
                                        "{\n"
                                        "    (void)word, (void)rest;\n"
                                        "    say(\"%d\", work(3, 4));\n"
                                        "}\n"
                                        "int main(void) { return loop(); }\n";

/* Writes every register that a function may write. */
static const char clobbering_c[] =
    "#include <hotpatch.h>\n"
    "HOTPATCH_MODULE(\"clobbering\", \"1\");\n"
    "HOTPATCH_REPLACE_AS(int, other_leaf, (int n), \"leaf\")\n"
    "{\n"
    "    __asm__ volatile(\"xor %%ecx, %%ecx; xor %%edx, %%edx; xor %%esi, %%esi; xor %%r8d, "
    "%%r8d;\"\n"
    "                     \"xor %%r9d, %%r9d; xor %%r10d, %%r10d; xor %%r11d, %%r11d\"\n"
    "                     ::: \"rcx\", \"rdx\", \"rsi\", \"r8\", \"r9\", \"r10\", \"r11\");\n"
    "    return n * 3;\n"
    "}\n";

static void make_relying(void)
{
    static const char *const only_work[] = {"work", NULL};

    write_text("relying.c", relying_c);
    write_text("relying_program.c", relying_program_c);
    write_text("clobbering.c", clobbering_c);
    shell(
        "cd %s && gcc -O2 -g -DVERSION=0 -c relying.c && gcc -O2 -g -I%s -Wl,--build-id -o relying "
        "relying_program.c relying.o && gcc -O2 -g -DVERSION=1 -ffunction-sections -c -o "
        "relying_new.o relying.c && gcc -O2 -I%s -fPIC -shared -o clobbering.so clobbering.c",
        directory, source_file("tests"), source_file("include"));
    thin_make(directory_path("relying.hpo"), "relying", directory_path("relying"),
              directory_path("relying_new.o"), only_work);
}

static void later_patches_keep_what_a_thin_objects_calls_rely_on(void **state)
{
    struct host *host;

    (void)state;
    make_relying();
    host = host_start(directory_path("relying"), NULL);
    host_expect(host, "work", "9");
    must_apply(host, "load %s", directory_path("relying.hpo"));
    host_expect(host, "work", "40309");
    must_apply(host, "load %s", directory_path("clobbering.so"));
    host_expect(host, "work", "40309");
    must_apply(host, "revert name=relying");
    host_expect(host, "work", "9");
    must_apply(host, "revert all");
    host_stop(host);
}

static void a_thin_object_whose_calls_a_live_patch_would_break_is_refused(void **state)
{
    struct host *host;

    (void)state;
    make_relying();
    host = host_start(directory_path("relying"), NULL);
    must_apply(host, "load %s", directory_path("clobbering.so"));
    assert_string_equal(outcome(host, "load %s", directory_path("relying.hpo")), "HP-CALLERS");
    host_expect(host, "work", "9");
    must_apply(host, "revert all");
    must_apply(host, "load %s", directory_path("relying.hpo"));
    must_apply(host, "load %s", directory_path("clobbering.so"));
    host_expect(host, "work", "40309");
    host_stop(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_state_stays_at_its_address),
        cmocka_unit_test(state_of_a_library_stays_at_its_address),
        cmocka_unit_test(modules_of_one_program_are_stacked_and_reverted_in_any_order),
        cmocka_unit_test(functions_that_a_reload_does_not_have_go_back),
        cmocka_unit_test(a_transaction_of_several_thin_objects_is_one_switch),
        cmocka_unit_test(a_program_starts_with_a_thin_object),
        cmocka_unit_test(the_command_shows_what_is_applied),
        cmocka_unit_test(another_build_is_refused),
        cmocka_unit_test(a_missing_symbol_is_refused),
        cmocka_unit_test(later_patches_keep_what_a_thin_objects_calls_rely_on),
        cmocka_unit_test(a_thin_object_whose_calls_a_live_patch_would_break_is_refused),
    };

    return cmocka_run_group_tests(tests, build, directory_remove);
}
