/*
 * test_baseline_whole.c - resolve/baseline_whole.c: whether an object is all that the binary has of its file.
 *
 * Each row is a source as the program was built from it, and as it is compared; main.c has the rest of the program, with
 * statics of its own.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "elf/binary_read.h"
#include "elf/rel_object_read.h"
#include "resolve/baseline.h"
#include "tests/support/directory.h"
#include "tests/support/harness.h"

struct row {
    const char *name;
    bool whole;
    const char *built, *compared; /* NULL: the same */
    const char *flags;            /* of both; NULL: none */
};

#define F "int f(int n) { return n * 3 + 1; }\n"
#define USED "__attribute__((used)) "

static const struct row rows[] = {
    {"code and data", true,
     "static int s = 3, zero; int g = 5, more; const int k = 9;\n"
     "const char *text = \"word\"; static const char *const table[] = {\"a\", \"b\"};\n"
     "static const short numbers[] = {4, 3, 2, 1};\n"
     "int f(int n) { static int own = 7; s += n; zero += s; own += g + more + numbers[n & 3];\n"
     "  return own + s + zero + table[n & 1][0] + text[0]; }\n",
     NULL, NULL},
    {"pointers in data", true,
     "static int s = 3; int *p = &s; int *const q = &s; int f(int n);\n"
     "int (*const pointer)(int) = f; int f(int n) { s += n; return *p + *q + n; }\n",
     NULL, NULL},
    {"a common variable", true, "int common[3];\n" F, NULL, "-fcommon"},
    {"a static function that the binary lacks", true, F,
     "__attribute__((noipa)) " USED "static int unused(int n) { return n * 77; }\n" F, NULL},
    {"a weak function that another file has", true,
     "__attribute__((weak, noipa)) int weak(int n) { return n * 5; }\n" F, NULL, NULL},
    {"debug information", true, F, NULL, "-g"},
    {"a global function that the binary lacks", false, F,
     "int global(int n) { return n * 77; }\n" F, NULL},
    {"no function", false, "int only = 3;\n", NULL, NULL},
    {"another string that the code refers to", false, "int f(int n) { return \"word\"[n & 3]; }\n",
     "int f(int n) { return \"ward\"[n & 3]; }\n", NULL},
    {"data that begins with another value", false, "int g = 5;\n" F, "int g = 6;\n" F, NULL},
    {"data that begins as zero", false, "int g = 5;\n" F, "int g;\n" F, NULL},
    {"static data that begins with another value", false, "static int g = 5; int *p = &g;\n" F,
     "static int g = 6; int *p = &g;\n" F, NULL},
    {"data that leads to another string", false, "const char *const table[] = {\"a\", \"b\"};\n" F,
     "const char *const table[] = {\"a\", \"c\"};\n" F, NULL},
    {"another constant", false, "extern const int k; const int k = 9;\n" F,
     "extern const int k; const int k = 10;\n" F, NULL},
    {"data of another size", false, "int a[4];\n" F, "int a[5];\n" F, NULL},
    {"a common variable of another size", false, "int a[4];\n" F, "int a[5];\n" F, "-fcommon"},
    {"data of no size", false, "int none[0] = {};\nint after = 4;\n" F, NULL, NULL},
    {"data that the binary lacks", false, F, "int more = 3;\n" F, NULL},
    {"a common variable that the binary lacks", false, F, "int more;\n" F, "-fcommon"},
    {"a thread-local variable", false, "static __thread int t; int f(int n) { return t += n; }\n",
     NULL, NULL},
    {"a section of its own", false,
     "__attribute__((noipa, section(\"mine\"))) int own(int n) { return n * 7 + 2; }\n" F, NULL,
     NULL},
    {"a section whose name begins as a usual one", false,
     "__attribute__((noipa, section(\".textual\"))) int own(int n) { return n * 7 + 2; }\n" F, NULL,
     NULL},
    {"an empty section", true, "__asm__(\".section mine, \\\"a\\\"\\n.previous\\n\");\n" F, NULL,
     NULL},
    {"a note", true, F, NULL, "-fcf-protection"},
    {"labels of the assembler", true,
     "int f(int n) { return \"word\"[n & 3] + (n > 5 ? 1.5 : n / 2.5); }\n", NULL, "-Wa,-L"},
    {"a function that is chosen at the start", true,
     "static int one(int n) { return n * 7; } static int (*choose(void))(int) { return one; }\n"
     "int f(int) __attribute__((ifunc(\"choose\")));\n",
     NULL, NULL},
    {"a constructor", false,
     "int g; __attribute__((constructor)) static void first(void) { g = 1; }\n" F, NULL, NULL},
    {"a static variable that the object lacks", false, USED "static int more = 4;\n" F, F, NULL},
    {"a static function that the object lacks", false,
     "__attribute__((noipa)) " USED "static int more(int n) { return n * 77; }\n" F, F, NULL},
};

static const char main_c[] = "static int own = 5; static int other(int n) { return n * own++; }\n"
                             "__attribute__((noipa)) int weak(int n) { return other(n) * 9; }\n"
                             "__attribute__((weak)) int f(int n) { return n; }\n"
                             "int main(int c, char **v) { return v[0] ? f(c) + weak(c) : 0; }\n";

static void put(const char *name, const char *text)
{
    file_write(directory_path(name), text, strlen(text), 0644);
}

static void run_here(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void run_here(const char *format, ...)
{
    char command[1024], line[2048];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(command, sizeof(command), format, arguments);
    va_end(arguments);
    snprintf(line, sizeof(line), "cd %s && %s", directory, command);
    run_shell(line);
}

static int open_here(const char *name)
{
    int file = open(directory_path(name), O_RDONLY | O_CLOEXEC);

    assert_true(file >= 0);
    return file;
}

/* Return what is found of the object; -1: the comparison is refused. */
static int is_whole(void)
{
    struct file file = file_read(directory_path("compared/unit.o"));
    int program = open_here("program"), result = -1;
    struct elf_error fault = {0};
    struct refusal why = {0};
    struct rel_object *object;
    struct binary *binary;
    struct baseline *baseline;

    assert_int_equal(binary_open(&binary, program, -1, &fault), 0);
    close(program);
    assert_int_equal(rel_object_open(&object, file.bytes, file.size, &fault), 0);
    if (baseline_compare(&baseline, binary, object, NULL, &why) == 0) {
        result = baseline->whole;
        baseline_free(baseline);
    }
    refusal_clear(&why);
    rel_object_close(object);
    file_free(&file);
    binary_close(binary);
    return result;
}

static void one_row(const struct row *row, const char *way, const char *link)
{
    const char *flags = row->flags ? row->flags : "";

    put("built/unit.c", row->built);
    put("compared/unit.c", row->compared ? row->compared : row->built);
    run_here(
        "gcc %s %s -c -o built/unit.o built/unit.c && "
        "gcc %s %s -ffunction-sections -fdata-sections -c -o compared/unit.o compared/unit.c && "
        "gcc %s -o program built/unit.o main.o",
        way, flags, way, flags, link);
    if (is_whole() != row->whole)
        fail_msg("%s (%s): %d", row->name, way, is_whole());
}

static void all_rows(const char *way, const char *link)
{
    put("main.c", main_c);
    run_here("mkdir -p built compared && gcc %s -c main.c", way);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        one_row(&rows[i], way, link);
}

static void an_object_is_whole_if_nothing_of_it_differs(void **state)
{
    (void)state;
    all_rows("-O2", "-pie");
}

static void so_it_is_without_position_independence(void **state)
{
    (void)state;
    all_rows("-O1 -fno-pie", "-no-pie");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_object_is_whole_if_nothing_of_it_differs),
        cmocka_unit_test(so_it_is_without_position_independence),
    };

    return cmocka_run_group_tests(tests, directory_make, directory_remove);
}
