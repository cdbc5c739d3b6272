/*
 * test_callers_truth.c - nothing that a caller relies on is missed: each function of programs that gcc
 * made is let overwrite, before it returns, every caller-saved register that the analysis says it
 * need not keep, and checks its stack's alignment where the analysis says that it is right. The
 * programs must print what they print without.
 *
 *   test_callers_truth [FIRST-SEED TIMES-AS-MANY]
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "elf/functions_read.h"
#include "elf/object_callers.h"
#include "tests/support/generated.h"
#include "tests/support/objects.h"

enum { FUNCTIONS = 60, LINE = 512, NAME = 32 };

/* Of the programs: other ones are tried with other numbers, and more of them. */
static uint64_t first_seed = 1, more = 1;

static char directory[] = "/tmp/hotpatch-truth-XXXXXX";

/* ---- what the analysis says of the program ---- */

struct program {
    struct file file;
    struct opened opened;
    struct functions *functions;
    struct object_callers *callers;
};

static void open_program(struct program *program, const char *path)
{
    struct elf_error fault = {0};
    FILE *stream = fopen(path, "re");

    assert_non_null(stream);
    program->file = file_read(path);
    program->opened = object_open(&program->file, 0);
    assert_non_null(program->opened.image);
    assert_int_equal(functions_of_file(&program->functions, fileno(stream), &fault), 0);
    fclose(stream);
    assert_int_equal(object_callers_open(&program->callers, program->opened.image,
                                         program->functions, NULL, NULL, &fault),
                     0);
}

static void close_program(struct program *program)
{
    object_callers_close(program->callers);
    functions_close(program->functions);
    object_close(&program->opened);
    file_free(&program->file);
}

static int take_address(const struct function *function, void *context)
{
    *(uint64_t *)context = function->address;
    return 1;
}

/* False: it was inlined, or is no function of ours. */
static bool kept_by(struct program *program, const char *name, struct arch_kept *kept)
{
    uint64_t address;

    if (functions_named(program->functions, name, take_address, &address) != 1)
        return false;
    arch_callers_kept(object_callers_arch(program->callers), address, kept, NULL, 0, NULL);
    return true;
}

/* ---- the program that overwrites ---- */

struct rewriting {
    struct program *program; /* NULL: nothing is kept */
    bool wide;               /* AVX */
    char name[NAME];         /* the function that is being written; "": none of ours */
    struct arch_kept kept;
    FILE *out;
};

static bool is_ours(const char *name)
{
    return (name[0] == 'i' || name[0] == 'd' || name[0] == 'v') &&
           name[1 + strspn(name + 1, "0123456789")] == '\0' && name[1];
}

static void begin_function(struct rewriting *rewriting, const char *line)
{
    const char *colon = strchr(line, ':');

    rewriting->name[0] = '\0';
    if (!colon || colon - line >= NAME)
        return;
    memcpy(rewriting->name, line, (size_t)(colon - line));
    rewriting->name[colon - line] = '\0';
    rewriting->kept = (struct arch_kept){0};
    if (!is_ours(rewriting->name) ||
        (rewriting->program && !kept_by(rewriting->program, rewriting->name, &rewriting->kept)))
        rewriting->name[0] = '\0';
    if (*rewriting->name && rewriting->program && !rewriting->kept.align)
        fputs(
            "\tpush %rax\n\tlea 16(%rsp), %rax\n\ttest $15, %al\n\tpop %rax\n\tje 1f\n\tud2\n1:\n",
            rewriting->out);
}

static void overwrite_general(const struct rewriting *rewriting)
{
    static const char *const names[] = {"rax", "rcx", "rdx", NULL, NULL,  NULL,
                                        "rsi", "rdi", "r8",  "r9", "r10", "r11"};

    for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (names[i] && !(rewriting->kept.general >> i & 1) && (i > 0 || *rewriting->name == 'v'))
            fprintf(rewriting->out, "\tmov $0x5a5a5a5a, %%%s\n", names[i]);
}

/* What is kept of 16 bytes loses the rest. */
static void overwrite_vectors(const struct rewriting *rewriting)
{
    for (unsigned i = 0; i < 16; i++) {
        bool kept = (rewriting->kept.vector >> i & 1) || (i == 0 && *rewriting->name == 'd');

        if (!kept)
            fprintf(rewriting->out,
                    rewriting->wide ? "\tvpcmpeqd %%ymm%u, %%ymm%u, %%ymm%u\n"
                                    : "\tpcmpeqd %%xmm%u, %%xmm%u\n",
                    i, i, i);
        else if (rewriting->wide && rewriting->kept.vector_bytes < 32)
            fprintf(rewriting->out, "\tvmovdqa %%xmm%u, %%xmm%u\n", i, i);
    }
}

static void rewrite(struct rewriting *rewriting, const char *from, const char *to)
{
    FILE *in = fopen(from, "re");
    char line[LINE];

    rewriting->out = fopen(to, "we");
    assert_true(in && rewriting->out);
    rewriting->name[0] = '\0';
    while (fgets(line, sizeof(line), in)) {
        if (strcmp(line, "\tret\n") == 0 && *rewriting->name) {
            overwrite_general(rewriting);
            overwrite_vectors(rewriting);
        }
        fputs(line, rewriting->out);
        if (line[0] != '\t' && line[0] != '.' && line[0] != '#')
            begin_function(rewriting, line);
    }
    fclose(in);
    fclose(rewriting->out);
}

/* ---- building and running ---- */

static int run(const char *format, ...) __attribute__((format(printf, 1, 2)));
static int run(const char *format, ...)
{
    char command[LINE];
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = snprintf(command, sizeof(command), "cd %s && ", directory);
    vsnprintf(command + length, sizeof(command) - (size_t)length, format, arguments);
    va_end(arguments);
    return system(command);
}

static const char *in_directory(const char *name)
{
    static char paths[4][64];
    static unsigned turn;
    char *path = paths[turn++ % 4];

    snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
    return path;
}

static void write_source(const char *name, uint64_t seed)
{
    FILE *out = fopen(in_directory(name), "we");

    assert_non_null(out);
    if (seed)
        generated_program(out, seed, FUNCTIONS);
    else
        generated_sink(out);
    fclose(out);
}

static void build(const char *flags, uint64_t seed)
{
    write_source("sink.c", 0);
    write_source("program.c", seed);
    assert_int_equal(run("gcc -O2 -c sink.c && gcc %s -S program.c && "
                         "gcc %s -o plain program.s sink.o && ./plain > plain.out",
                         flags, flags),
                     0);
}

/* Does it print the same although its functions overwrite what they need not keep? */
static bool prints_the_same(const char *flags, bool keep, bool wide)
{
    struct program program;
    struct rewriting rewriting = {.program = keep ? &program : NULL, .wide = wide};

    open_program(&program, in_directory("plain"));
    rewrite(&rewriting, in_directory("program.s"), in_directory("other.s"));
    close_program(&program);
    assert_int_equal(run("gcc %s -o other other.s sink.o", flags), 0);
    return run("./other > other.out 2>/dev/null") == 0 && run("cmp -s plain.out other.out") == 0;
}

static void nothing_is_missed(const char *flags, bool wide, uint64_t seeds)
{
    unsigned relied = 0;

    for (uint64_t seed = first_seed; seed < first_seed + seeds * more; seed++) {
        build(flags, seed);
        if (!prints_the_same(flags, true, wide))
            fail_msg("gcc %s: the program of seed %lu prints something else", flags,
                     (unsigned long)seed);
        relied += !prints_the_same(flags, false, wide);
    }
    /* Else nothing was tried. */
    assert_true(relied > 0);
}

static void nothing_is_missed_at_o2(void **state)
{
    (void)state;
    nothing_is_missed("-O2", false, 4);
}

static void nothing_is_missed_at_o3_in_place(void **state)
{
    (void)state;
    nothing_is_missed("-O3 -fno-pie -no-pie", false, 3);
}

static void nothing_is_missed_at_os(void **state)
{
    (void)state;
    nothing_is_missed("-Os", false, 2);
}

static void nothing_is_missed_with_frame_pointers(void **state)
{
    (void)state;
    nothing_is_missed("-O2 -fno-omit-frame-pointer -fcf-protection=none", false, 2);
}

static void nothing_is_missed_in_wide_registers(void **state)
{
    (void)state;
    if (!__builtin_cpu_supports("avx2"))
        skip();
    nothing_is_missed("-O3 -mavx2", true, 2);
}

static int setup(void **state)
{
    (void)state;
    return mkdtemp(directory) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    return run("rm -r %s", directory);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_missed_at_o2),
        cmocka_unit_test(nothing_is_missed_at_o3_in_place),
        cmocka_unit_test(nothing_is_missed_at_os),
        cmocka_unit_test(nothing_is_missed_with_frame_pointers),
        cmocka_unit_test(nothing_is_missed_in_wide_registers),
    };

    if (argc > 2) {
        first_seed = strtoull(argv[1], NULL, 10);
        more = strtoull(argv[2], NULL, 10);
    }
    return cmocka_run_group_tests(tests, setup, teardown);
}
