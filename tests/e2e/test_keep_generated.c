/*
 * test_keep_generated.c - random programs of gcc -O2 and -O3 in which callers rely on their callees'
 * registers and stacks (generated.h), all of whose 200 functions are replaced by functions that call
 * the original and then overwrite every register that the ABI lets them: the results stay. With plain
 * stubs in the place of keeping ones (BUILD/plain) they do not.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/directory.h"
#include "tests/support/generated.h"
#include "tests/support/harness.h"

enum { FUNCTIONS = 200, SEEDS = 2 };

static FILE *create(const char *name)
{
    char path[128];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    file = fopen(path, "w");
    assert_non_null(file);
    return file;
}

static char *text_of(const char *name)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    return file_text(path);
}

/* "double x, long a" as arguments: "x, a". */
static void write_names(FILE *out, const char *parameters)
{
    for (const char *p = parameters; *p && strcmp(parameters, "void") != 0; p++)
        if (p[1] == ',' || p[1] == '\0')
            fprintf(out, "%c%s", *p, p[1] ? ", " : "");
}

/* Of a function's head in the program: "... long i5(double x, long a)". */
static unsigned write_replacement(FILE *out, const char *head)
{
    char type[16], name[16], parameters[128];
    bool returns;

    if (sscanf(head, "%15s %15[^(](%127[^)])", type, name, parameters) != 3)
        return 0;
    returns = strcmp(type, "void") != 0;
    fprintf(out, "HOTPATCH_REPLACE(%s, %s, (%s))\n{\n    %s%sHOTPATCH_ORIGINAL(%s)(", type, name,
            parameters, returns ? type : "", returns ? " got = " : "", name);
    write_names(out, parameters);
    fprintf(out, ");\n    clobber();\n    entered++;\n%s}\n", returns ? "    return got;\n" : "");
    return 1;
}

static void write_patch(const char *program)
{
    static const char mark[] = "noclone)) ";
    FILE *out = create("patch.c");
    unsigned count = 0;

    fprintf(out,
            "#include \"clobber.h\"\n#include <stdio.h>\nHOTPATCH_MODULE(\"clobbers\", \"1\");\n"
            "static unsigned long entered;\n"
            "__attribute__((destructor)) static void end(void)\n"
            "{\n    fprintf(stderr, \"entered %%lu\\n\", entered);\n}\n");
    for (const char *at = program; (at = strstr(at, mark)) != NULL;)
        count += write_replacement(out, at += strlen(mark));
    fclose(out);
    assert_int_equal(count, FUNCTIONS);
}

static void build_all(unsigned seed, const char *options)
{
    FILE *out = create("program.c");
    char command[1024], *program;

    generated_program(out, seed, FUNCTIONS);
    fclose(out);
    out = create("sink.c");
    generated_sink(out);
    fclose(out);
    program = text_of("program.c");
    write_patch(program);
    free(program);
    snprintf(command, sizeof(command),
             "cd %s && gcc -w %s -c program.c && gcc -w -O2 -c sink.c && "
             "gcc -o program program.o sink.o && "
             "gcc -w -O1 -fPIC -shared -I'%s' -I'%s' -o patch.so patch.c",
             directory, options, source_file("include"), source_file("tests/patches"));
    run_shell(command);
}

/* The program's output, with the shim of this directory of the build: all replaced. */
static char *output_under(const char *shim)
{
    char command[1024], *errors;
    unsigned long entered = 0;

    snprintf(command, sizeof(command),
             "cd %s && mkdir -p -m 700 run && LD_PRELOAD='%s' HOTPATCH_DIR=$PWD/run "
             "HOTPATCH_PATCH=$PWD/patch.so ./program >out 2>errors",
             directory, built("%s/libhotpatch_preload.so", shim));
    if (system(command) != 0 && strcmp(shim, ".") == 0)
        fail_msg("%s", command);
    errors = text_of("errors");
    if (strcmp(shim, ".") == 0 &&
        (strstr(errors, "HP-") || sscanf(errors, "entered %lu", &entered) != 1 ||
         entered < FUNCTIONS))
        fail_msg("%s", errors);
    free(errors);
    return text_of("out");
}

static char *output_unpatched(void)
{
    char command[256];

    snprintf(command, sizeof(command), "cd %s && ./program >out", directory);
    run_shell(command);
    return text_of("out");
}

static void results_stay(const char *options)
{
    unsigned differ = 0;

    if (sanitized())
        skip();
    for (unsigned seed = 1; seed <= SEEDS; seed++) {
        char *expected, *kept, *plain;

        build_all(seed, options);
        expected = output_unpatched();
        kept = output_under(".");
        plain = output_under("plain");
        if (strcmp(expected, kept) != 0)
            fail_msg("seed %u, %s: the results are others", seed, options);
        differ += strcmp(expected, plain) != 0;
        free(expected);
        free(kept);
        free(plain);
    }
    assert_int_equal(differ, SEEDS);
}

static void with_o2(void **state)
{
    (void)state;
    results_stay("-O2");
}

static void with_o3(void **state)
{
    (void)state;
    results_stay("-O3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_o2),
        cmocka_unit_test(with_o3),
    };

    return cmocka_run_group_tests_name("keep_generated", tests, directory_make, directory_remove);
}
