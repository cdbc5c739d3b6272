/*
 * test_selection_functions.c - which functions an edit puts into the patch, and which entries are switched: callers,
 * clones, parts, prototypes, bindings, several files, sections with a meaning of their own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/edited.h"

#define KEEP "__attribute__((noinline)) "
#define MAIN(call) "int main(int c, char **v) { (void)v; return " call "; }\n"

static const char *const ways[] = {"gcc -g -O2", "gcc -g -O0", "clang -g -O2", "clang -g -O0",
                                   "gcc -g -O3 -no-pie -fno-pie"};
enum { WAYS = sizeof(ways) / sizeof(*ways) };

#define IN_ALL_WAYS(before, after, checks)                           \
    for (size_t way = 0; way < WAYS; way++) {                        \
        struct edited edited = edited_one(ways[way], before, after); \
        checks;                                                      \
        edited_close(&edited);                                       \
    }

static void a_new_function_is_placed_with_its_caller(void **state)
{
    (void)state;
    IN_ALL_WAYS(KEEP "int f(int x) { return x + 1; }\n" MAIN("f(c)"),
                KEEP "static int helper(int x) { return x * x; }\n" KEEP
                     "int f(int x) { return helper(x) + 1; }\n" MAIN("f(c)"),
                {
                    edited_expect_replaced(&edited, "f");
                    edited_expect_placed(&edited, "f helper");
                    edited_expect_why(&edited, "helper", "it is new");
                })
}

static void a_new_function_that_nobody_calls_changes_nothing(void **state)
{
    (void)state;
    IN_ALL_WAYS(KEEP "int f(int x) { return x + 1; }\n" MAIN("f(c)"),
                KEEP
                "int f(int x) { return x + 1; }\nint unused(int x) { return x; }\n" MAIN("f(c)"),
                edited_expect_refused(&edited, HP_UNCHANGED, ""))
}

static void callers_of_a_removed_function_are_in_the_patch(void **state)
{
    (void)state;
    IN_ALL_WAYS(KEEP "static int g(int x) { return x * 3; }\n" KEEP
                     "int f(int x) { return g(x) + 1; }\n" MAIN("f(c)"),
                KEEP "int f(int x) { return x * 4 + 1; }\n" MAIN("f(c)"),
                edited_expect_placed(&edited, "f"))
}

static void a_renamed_function_is_new_and_its_callers_change(void **state)
{
    (void)state;
    IN_ALL_WAYS(KEEP "static int old_name(int x) { static int n; return x + n++; }\n" KEEP
                     "int f(int x) { return old_name(x) + 1; }\n" MAIN("f(c)"),
                KEEP "static int new_name(int x) { static int n; return x + n++; }\n" KEEP
                     "int f(int x) { return new_name(x) + 1; }\n" MAIN("f(c)"),
                {
                    edited_expect_replaced(&edited, "f");
                    edited_expect_placed(&edited, "f new_name");
                    /* Its static is the program's: the code is the same. */
                    for (size_t i = 0; i < edited.after[0].object->symbol_count; i++)
                        assert_null(edited.selection->units[0].symbols[i].keep);
                })
}

static void a_static_function_that_becomes_global_is_the_same(void **state)
{
    (void)state;
    IN_ALL_WAYS(KEEP "static int g(int x) { return x * 3; }\n" KEEP
                     "int f(int x) { return g(x) + 1; }\n" MAIN("f(c)"),
                KEEP "int g(int x) { return x * 3; }\n" KEEP
                     "int f(int x) { return g(x) + 1; }\n" MAIN("f(c)"),
                edited_expect_refused(&edited, HP_UNCHANGED, ""))
    IN_ALL_WAYS(KEEP "int g(int x) { return x * 3; }\n" KEEP
                     "int f(int x) { return g(x) + 1; }\n" MAIN("f(c)"),
                KEEP "static int g(int x) { return x * 4; }\n" KEEP
                     "int f(int x) { return g(x) + 1; }\n" MAIN("f(c)"),
                edited_expect_replaced(&edited, "g"))
}

static void a_function_s_address_is_the_program_s(void **state)
{
    static const char before[] =
        KEEP "static int g(int x) { return x * 3; }\nint (*volatile call)(int) = g;\n" KEEP
             "int f(int x) { call = g; return call(x) + g(x); }\n" MAIN("f(c)");
    static const char after[] =
        KEEP "static int g(int x) { return x * 5; }\nint (*volatile call)(int) = g;\n" KEEP
             "int f(int x) { call = g; return call(x) - g(x); }\n" MAIN("f(c)");

    (void)state;
    IN_ALL_WAYS(before, after, {
        struct symbol_choice g = edited_choice(&edited, 0, "g");

        edited_expect_replaced(&edited, "f g");
        assert_int_equal(g.kind, CHOICE_OWN);
        assert_true(g.has_host);
        assert_int_equal(g.host, edited_address(&edited, "g"));
    })
}

static void an_unchanged_callee_is_the_program_s(void **state)
{
    (void)state;
    IN_ALL_WAYS(KEEP "static int g(int x) { return x * 3; }\n" KEEP
                     "int f(int x) { return g(x) + 1; }\n" MAIN("f(c)"),
                KEEP "static int g(int x) { return x * 3; }\n" KEEP
                     "int f(int x) { return g(x) + 2; }\n" MAIN("f(c)"),
                {
                    edited_expect_placed(&edited, "f");
                    assert_int_equal(edited_choice(&edited, 0, "g").kind, CHOICE_HOST);
                    assert_int_equal(edited_choice(&edited, 0, "g").at,
                                     edited_address(&edited, "g"));
                })
}

static void an_inlined_function_changes_those_it_is_inlined_into(void **state)
{
    static const char before[] =
        "static inline __attribute__((always_inline)) int in(int x) { return x * 3; }\n" KEEP
        "int f(int x) { return in(x) + 1; }\n" KEEP "int g(int x) { return in(x) - 1; }\n" KEEP
        "int h(int x) { return x; }\n" MAIN("f(c) + g(c) + h(c)");
    static const char after[] =
        "static inline __attribute__((always_inline)) int in(int x) { return x * 5; }\n" KEEP
        "int f(int x) { return in(x) + 1; }\n" KEEP "int g(int x) { return in(x) - 1; }\n" KEEP
        "int h(int x) { return x; }\n" MAIN("f(c) + g(c) + h(c)");

    (void)state;
    IN_ALL_WAYS(before, after, edited_expect_replaced(&edited, "f g"))
}

/* ---- clones and parts ---- */

/* Check the functions that keep their entries and are old code: `names`, a space after each. */
static void expect_old(const struct edited *edited, const char *names)
{
    char all[512] = "";

    for (size_t i = 0; i < edited->selection->old_count; i++) {
        assert_true(edited->selection->olds[i].host != 0);
        snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s ",
                 edited->selection->olds[i].name);
    }
    assert_string_equal(all, names);
}

#define CLONE(body)                                                                     \
    "struct s { int a, b, c; };\nextern int volatile sink;\nint volatile sink;\n" KEEP  \
    "static int clone(struct s *s, int unused, int x) { sink = s->a; " body " }\n" KEEP \
    "int f(struct s *s) { return clone(s, 5, 1); }\n" KEEP                              \
    "int g(struct s *s) { return clone(s, 6, 1) + 1; }\n"                               \
    "int main(int c, char **v) { (void)v; struct s s = {c, c, c}; return f(&s) + g(&s); }\n"

static void callers_of_a_changed_clone_are_in_the_patch(void **state)
{
    struct edited edited =
        edited_one("gcc -g -O2", CLONE("return s->a * x;"), CLONE("return s->a * x + 7;"));
    bool clone = false;

    (void)state;
    edited_expect_replaced(&edited, "f g");
    for (size_t i = 0; i < edited.selection->function_count; i++)
        clone |= strncmp(edited.selection->functions[i].name, "clone.", 6) == 0 &&
                 !edited.selection->functions[i].replaces;
    assert_true(clone);
    assert_int_equal(edited.selection->old_count, 1);
    assert_int_equal(strncmp(edited.selection->olds[0].name, "clone.", 6), 0);
    edited_close(&edited);
}

static void an_unchanged_clone_is_the_program_s(void **state)
{
    char before[2048], after[2048];
    struct edited edited;

    (void)state;
    snprintf(before, sizeof(before),
             "%s" KEEP "int h(struct s *s) { return clone(s, 7, 1) - 1; }\n",
             CLONE("return s->a * x;"));
    snprintf(after, sizeof(after), "%s" KEEP "int h(struct s *s) { return clone(s, 7, 1) - 2; }\n",
             CLONE("return s->a * x;"));
    edited = edited_one("gcc -g -O2", before, after);
    edited_expect_placed(&edited, "h");
    expect_old(&edited, "");
    edited_close(&edited);
}

#define COLD(value)                                                                         \
    "#include <stdlib.h>\nint f(int x, int *y) { *y = x; if (x > 1000) { y[3] = " value ";" \
    " abort(); } return x + 3; }\n" MAIN("c")

static void a_function_and_its_cold_part_are_one(void **state)
{
    struct edited edited = edited_one("gcc -g -O2", COLD("x"), COLD("x + 77"));

    (void)state;
    edited_expect_replaced(&edited, "f");
    edited_expect_placed(&edited, "f");
    assert_int_equal(edited_choice(&edited, 0, "f.cold").kind, CHOICE_OWN);
    expect_old(&edited, "f.cold ");
    edited_close(&edited);
}

/* ---- prototypes ---- */

static void callers_of_a_static_function_with_a_new_prototype_are_in_the_patch(void **state)
{
    (void)state;
    IN_ALL_WAYS(KEEP "static long g(long x) { return x * 3; }\n" KEEP
                     "long f(long x) { return g(x) + 1; }\n" KEEP
                     "long h(long x) { return g(x) - 1; }\n" MAIN("(int)(f(c) + h(c))"),
                KEEP "static long g(int x) { return x / 3; }\n" KEEP
                     "long f(long x) { return g(x) + 1; }\n" KEEP
                     "long h(long x) { return g(x) - 1; }\n" MAIN("(int)(f(c) + h(c))"),
                {
                    edited_expect_why(&edited, "h", "changed");
                    edited_expect_why(&edited, "f", "changed");
                    assert_false(edited_choice(&edited, 0, "g").has_host);
                    expect_old(&edited, "g ");
                })
}

static void a_new_prototype_of_a_function_whose_address_is_taken_is_refused(void **state)
{
    (void)state;
    IN_ALL_WAYS(KEEP "static int g(int x) { return x * 3; }\nvoid *volatile call = g;\n" KEEP
                     "int f(int x) { return g(x) + 1; }\n" MAIN("f(c)"),
                KEEP "static int g(int x, int y) { return x * y; }\nvoid *volatile call = g;\n" KEEP
                     "int f(int x) { return g(x, 4) + 1; }\n" MAIN("f(c)"),
                edited_expect_refused(&edited, HP_TYPES, "g"))
}

static void a_new_prototype_of_a_function_that_others_call_is_refused(void **state)
{
    (void)state;
    for (size_t way = 0; way < WAYS; way++) {
        const struct edited_file files[] = {
            {"a", KEEP "int f(int x) { return x + 1; }\nint g(int);\n" MAIN("f(c) + g(c)"),
             KEEP "int f(int x, int y) { return x + y; }\nint g(int);\n" MAIN("f(c, 3) + g(c)")},
            {"b", "int f(int);\n" KEEP "int g(int x) { return f(x) + 1; }\n", NULL}};
        struct edited edited = edited_select(ways[way], files, 2);

        edited_expect_refused(&edited, HP_TYPES, "f");
        edited_close(&edited);
    }
}

static void a_new_prototype_with_all_callers_is_not_redirected(void **state)
{
    (void)state;
    for (size_t way = 0; way < WAYS; way++) {
        const struct edited_file files[] = {
            {"a", KEEP "int f(int x) { return x + 1; }\nint g(int);\n" MAIN("f(c) + g(c)"),
             KEEP "int f(int x, int y) { return x + y; }\nint g(int);\n" MAIN("f(c, 3) + g(c)")},
            {"b", "int f(int);\n" KEEP "int g(int x) { return f(x) + 1; }\n",
             "int f(int, int);\n" KEEP "int g(int x) { return f(x, x) + 1; }\n"}};
        struct edited edited = edited_select(ways[way], files, 2);

        edited_expect_replaced(&edited, "main g");
        edited_expect_placed(&edited, "main g f");
        assert_int_equal(edited_choice(&edited, 1, "f").kind, CHOICE_UNIT);
        edited_close(&edited);
    }
}

/* ---- entries that cannot be patched ---- */

static void callers_of_a_function_without_room_for_a_jump_are_in_the_patch(void **state)
{
    struct edited edited;

    (void)state;
    edited_judges = true;
    edited = edited_one("gcc -g -Os -fcf-protection=none",
                        "static " KEEP "__attribute__((noclone, noipa)) int tiny(void) {"
                        " __asm__ volatile(\"nop\"); }\n" KEEP
                        "int f(int x) { return tiny() + x; }\n" MAIN("f(c)"),
                        "static " KEEP "__attribute__((noclone, noipa)) int tiny(void) {"
                        " __asm__ volatile(\"nop; nop\"); }\n" KEEP
                        "int f(int x) { return tiny() + x; }\n" MAIN("f(c)"));
    edited_judges = false;
    edited_expect_replaced(&edited, "f");
    edited_expect_placed(&edited, "f tiny");
    edited_close(&edited);
}

static void the_caller_of_an_ifunc_calls_what_the_program_chose(void **state)
{
    static const char before[] =
        "__attribute__((target_clones(\"default\", \"avx2\"))) int chosen(int n) { return n * 3; "
        "}\n" KEEP "int f(int x) { return chosen(x) + 1; }\n" MAIN("f(c)");
    static const char after[] =
        "__attribute__((target_clones(\"default\", \"avx2\"))) int chosen(int n) { return n * 3; "
        "}\n" KEEP "int f(int x) { return chosen(x) + 2; }\n" MAIN("f(c)");
    static const char *const flags[] = {"gcc -g -O2", "gcc -g -O0", "gcc -g -O2 -no-pie -fno-pie"};

    (void)state;
    for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
        struct edited edited = edited_one(flags[i], before, after);
        struct symbol_choice chosen = edited_choice(&edited, 0, "chosen");

        edited_expect_placed(&edited, "f");
        assert_true(chosen.kind == CHOICE_HOST || chosen.kind == CHOICE_HOST_GOT);
        if (chosen.kind == CHOICE_HOST)
            assert_true(binary_is_stub(edited.binary, chosen.at, &(uint64_t){0}));
        edited_close(&edited);
    }
}

/* ---- several names ---- */

static void aliases_are_one_function(void **state)
{
    (void)state;
    IN_ALL_WAYS(KEEP "int f(int x) { return x + 1; }\n"
                     "int other(int x) __attribute__((alias(\"f\")));\n" MAIN("f(c) + other(c)"),
                KEEP "int f(int x) { return x + 2; }\n"
                     "int other(int x) __attribute__((alias(\"f\")));\n" MAIN("f(c) + other(c)"),
                {
                    edited_expect_replaced(&edited, "f");
                    assert_int_equal(edited_choice(&edited, 0, "other").kind, CHOICE_OWN);
                })
}

static void names_of_one_entry_are_not_separated(void **state)
{
    (void)state;
    IN_ALL_WAYS(KEEP "int f(int x) { return x + 1; }\n"
                     "int other(int x) __attribute__((alias(\"f\")));\n" MAIN("f(c) + other(c)"),
                KEEP "int f(int x) { return x + 2; }\n" KEEP
                     "int other(int x) { return x + 1; }\n" MAIN("f(c) + other(c)"),
                edited_expect_refused(&edited, HP_LATER, "one entry"))
}

static void a_weak_function_of_which_another_is_used_is_not_replaced(void **state)
{
    (void)state;
    for (size_t way = 0; way < WAYS; way++) {
        const struct edited_file files[] = {
            {"a",
             "__attribute__((weak)) int hook(int x) { return x; }\n" KEEP
             "int f(int x) { return hook(x) + 1; }\n" MAIN("f(c)"),
             "__attribute__((weak)) int hook(int x) { return x * 2; }\n" KEEP
             "int f(int x) { return hook(x) + 2; }\n" MAIN("f(c)")},
            {"b", "int hook(int x) { return x - 1; }\n", NULL}};
        struct edited edited = edited_select(ways[way], files, 2);

        edited_expect_placed(&edited, "f");
        assert_int_equal(edited_choice(&edited, 0, "hook").kind, CHOICE_HOST);
        assert_int_equal(edited_choice(&edited, 0, "hook").at, edited_address(&edited, "hook"));
        edited_close(&edited);
    }
}

/* ---- several files ---- */

static void a_new_function_of_a_new_file_is_visible(void **state)
{
    (void)state;
    for (size_t way = 0; way < WAYS; way++) {
        const struct edited_file files[] = {
            {"a", KEEP "int f(int x) { return x + 1; }\n" MAIN("f(c)"),
             "int help(int); extern int level;\n" KEEP
             "int f(int x) { return help(x) + level; }\n" MAIN("f(c)")},
            {"b", NULL, "int level = 3;\nint help(int x) { return x * level++; }\n"}};
        struct edited edited = edited_select(ways[way], files, 2);

        edited_expect_replaced(&edited, "f");
        edited_expect_placed(&edited, "f help");
        assert_int_equal(edited_choice(&edited, 0, "help").kind, CHOICE_UNIT);
        assert_int_equal(edited_choice(&edited, 0, "help").unit, 1);
        assert_int_equal(edited_choice(&edited, 0, "level").kind, CHOICE_UNIT);
        assert_non_null(edited_choice(&edited, 1, "level").keep);
        edited_close(&edited);
    }
}

static void a_function_that_moves_to_another_file_is_replaced(void **state)
{
    (void)state;
    for (size_t way = 0; way < WAYS; way++) {
        const struct edited_file files[] = {
            {"a", "int n = 5;\n" KEEP "int f(int x) { return x + n++; }\n" MAIN("f(c)"),
             "extern int n; int f(int);\n" MAIN("f(c)")},
            {"b", "int other(int x) { return x; }\n",
             "int other(int x) { return x; }\nint n = 5;\nint f(int x) { return x + n++ + 1; }\n"}};
        struct edited edited = edited_select(ways[way], files, 2);
        struct symbol_choice n = edited_choice(&edited, 1, "n");

        edited_expect_replaced(&edited, "f main");
        edited_expect_why(&edited, "f", "moved here");
        expect_old(&edited, "");
        assert_int_equal(n.kind, CHOICE_HOST);
        assert_int_equal(n.at, edited_address(&edited, "n"));
        edited_close(&edited);
    }
}

static void a_global_of_another_file_is_found_in_the_binary(void **state)
{
    (void)state;
    for (size_t way = 0; way < WAYS; way++) {
        const struct edited_file files[] = {
            {"a",
             KEEP
             "int f(int x) { return x + 1; }\nint g(int); extern int total;\n" MAIN("f(c) + g(c)"),
             "int g(int), unseen(int); extern int total;\n" KEEP
             "int f(int x) { return x + total + unseen(x); }\n" MAIN("f(c) + g(c)")},
            {"b",
             "int total = 8;\nint unseen(int x) { return x; }\nint g(int x) { return total + x; "
             "}\n",
             NULL}};
        struct edited edited = edited_select(ways[way], files, 2);

        edited_expect_why(&edited, "f", "its code changed");
        assert_int_equal(edited_choice(&edited, 0, "total").kind, CHOICE_HOST);
        assert_int_equal(edited_choice(&edited, 0, "total").at, edited_address(&edited, "total"));
        assert_int_equal(edited_choice(&edited, 0, "unseen").at, edited_address(&edited, "unseen"));
        edited_close(&edited);
    }
}

static void callers_of_a_function_that_is_the_program_s_own_now_are_in_the_patch(void **state)
{
    (void)state;
    for (size_t way = 0; way < WAYS; way++) {
        const struct edited_file files[] = {
            {"a",
             "int getppid(void);\n" KEEP "int f(int x) { return x + getppid(); }\n" MAIN("f(c)"),
             "int getppid(void);\n" KEEP "int f(int x) { return x + getppid(); }\n" MAIN("f(c)")},
            {"b", "int other(int x) { return x; }\n",
             "int other(int x) { return x; }\nint getppid(void) { return 5; }\n"}};
        struct edited edited = edited_select(ways[way], files, 2);

        edited_expect_replaced(&edited, "f");
        edited_expect_placed(&edited, "f getppid");
        assert_int_equal(edited_choice(&edited, 0, "getppid").kind, CHOICE_UNIT);
        edited_close(&edited);
    }
}

static void what_the_binary_does_not_know_is_left_to_the_dynamic_linker(void **state)
{
    (void)state;
    IN_ALL_WAYS("#include <stdlib.h>\n" KEEP "int f(int x) { return abs(x); }\n" MAIN("f(c)"),
                "#include <stdlib.h>\n#include <unistd.h>\n" KEEP
                "int f(int x) { return abs(x) + getppid(); }\n" MAIN("f(c)"),
                {
                    edited_expect_placed(&edited, "f");
                    assert_int_equal(edited_choice(&edited, 0, "getppid").kind, CHOICE_DYNAMIC);
                })
}

static void a_static_of_another_file_is_not_meant_by_an_undefined_name(void **state)
{
    (void)state;
    for (size_t way = 0; way < WAYS; way++) {
        const struct edited_file files[] = {
            {"a", "int g(int);\n" KEEP "int f(int x) { return x + 1; }\n" MAIN("f(c) + g(c)"),
             "int g(int), hidden(int);\n" KEEP
             "int f(int x) { return x + hidden(x); }\n" MAIN("f(c) + g(c)")},
            {"b",
             "static " KEEP "int hidden(int x) { static volatile int n; return x + n; }\n"
             "int g(int x) { return hidden(x); }\n",
             NULL}};
        struct edited edited = edited_select(ways[way], files, 2);

        edited_expect_why(&edited, "f", "");
        assert_int_equal(edited_choice(&edited, 0, "hidden").kind, CHOICE_DYNAMIC);
        edited_close(&edited);
    }
}

static void a_weak_function_that_the_program_lacks_is_looked_for_again(void **state)
{
    struct edited edited =
        edited_one("gcc -g -O2 -no-pie -fno-pie",
                   "__attribute__((weak)) int maybe(int);\n" KEEP
                   "int f(int x) { return maybe ? maybe(x) : 1; }\n" MAIN("f(c)"),
                   "__attribute__((weak)) int maybe(int);\n" KEEP
                   "int f(int x) { return maybe ? maybe(x) : 2; }\n" MAIN("f(c)"));

    (void)state;
    edited_expect_replaced(&edited, "f");
    assert_int_equal(edited_choice(&edited, 0, "maybe").kind, CHOICE_DYNAMIC);
    assert_true(edited_choice(&edited, 0, "maybe").weak);
    edited_close(&edited);
}

/* Another object may stand before the library. */
static void what_a_library_exports_is_found_as_the_library_finds_it(void **state)
{
    const struct edited_file files[] = {
        {"a",
         "int (*stored)(int);\n" KEEP "int g(int x) { return x + 5; }\n" KEEP
         "int f(int x) { stored = g; return x + 1; }\n",
         "int other(int); int (*stored)(int);\n" KEEP "int g(int x) { return x + 5; }\n" KEEP
         "int f(int x) { stored = g; return x + other(x); }\n"},
        {"b", "int other(int x) { return x * 3; }\n", NULL}};
    struct edited edited = edited_select("gcc -g -O2 -fPIC -shared", files, 2);

    (void)state;
    edited_expect_replaced(&edited, "f");
    assert_int_equal(edited_choice(&edited, 0, "g").kind, CHOICE_HOST_GOT);
    assert_int_equal(edited_choice(&edited, 0, "other").kind, CHOICE_DYNAMIC);
    edited_close(&edited);
}

/* ---- sections with a meaning of their own ---- */

static void a_changed_list_of_constructors_is_refused(void **state)
{
    (void)state;
    IN_ALL_WAYS("int n;\n" KEEP "int f(int x) { return x + n; }\n" MAIN("f(c)"),
                "char *getenv(const char *); int n;\n__attribute__((constructor)) static void "
                "start(void) { n = getenv(\"A\") ? 3 : 5; }\n" KEEP
                "int f(int x) { return x + n; }\n" MAIN("f(c)"),
                edited_expect_refused(&edited, HP_SECTION, ".init_array"))
}

static void a_changed_constructor_is_replaced(void **state)
{
    (void)state;
    IN_ALL_WAYS("char *getenv(const char *); int n;\n__attribute__((constructor)) static void "
                "start(void) { n = getenv(\"A\") ? 3 : 5; }\n" MAIN("n"),
                "char *getenv(const char *); int n;\n__attribute__((constructor)) static void "
                "start(void) { n = getenv(\"A\") ? 4 : 5; }\n" MAIN("n"),
                edited_expect_replaced(&edited, "start"))
}

#define ENTRY(value)                                                                \
    "static const int one __attribute__((section(\"table\"), used)) = 1;\n"         \
    "static const int two __attribute__((section(\"table\"), used)) = " value ";\n" \
    "extern const int __start_table[], __stop_table[];\n" KEEP                      \
    "int f(int x) { return x + (int)(__stop_table - __start_table) + two; }\n" MAIN("f(c)")

static void a_changed_section_of_the_source_s_own_is_refused(void **state)
{
    (void)state;
    IN_ALL_WAYS(ENTRY("2"), ENTRY("3"), edited_expect_refused(&edited, HP_SECTION, "table"))
}

static void functions_in_a_section_of_their_own_are_functions(void **state)
{
    (void)state;
    IN_ALL_WAYS(
        "__attribute__((section(\".text.special\"))) " KEEP "int f(int x) { return x + 1; }\n"
        "__attribute__((section(\".text.special\"))) " KEEP
        "int g(int x) { return x + 5; }\n" MAIN("f(c) + g(c)"),
        "__attribute__((section(\".text.special\"))) " KEEP "int f(int x) { return x + 2; }\n"
        "__attribute__((section(\".text.special\"))) " KEEP
        "int g(int x) { return x + 5; }\n" MAIN("f(c) + g(c)"),
        edited_expect_replaced(&edited, "f"))
}

static void the_address_of_an_unchanged_function_beside_is_the_program_s(void **state)
{
#define SPECIAL "__attribute__((section(\".text.special\"))) " KEEP
    (void)state;
    IN_ALL_WAYS("int (*stored)(int);\n" SPECIAL "int g(int x) { return x + 5; }\n" SPECIAL
                "int f(int x) { stored = g; return x + 1; }\n" MAIN("f(c) + stored(c)"),
                "int (*stored)(int);\n" SPECIAL "int g(int x) { return x + 5; }\n" SPECIAL
                "int f(int x) { stored = g; return x + 2; }\n" MAIN("f(c) + stored(c)"),
                {
                    struct symbol_choice g = edited_choice(&edited, 0, "g");

                    edited_expect_replaced(&edited, "f");
                    assert_int_equal(g.kind, CHOICE_OWN);
                    assert_true(g.has_host);
                    assert_int_equal(g.host, edited_address(&edited, "g"));
                })
}

static void a_removed_constructor_is_refused(void **state)
{
    (void)state;
    IN_ALL_WAYS("char *getenv(const char *); int n;\n__attribute__((constructor)) static void "
                "start(void) { n = getenv(\"A\") ? 3 : 5; }\n" KEEP
                "int f(int x) { return x + n; }\n" MAIN("f(c)"),
                "int n;\n" KEEP "int f(int x) { return x - n; }\n" MAIN("f(c)"),
                edited_expect_refused(&edited, HP_SECTION, ".init_array is gone"))
}

#define CATCHER(type)                                                                       \
    "extern \"C\" int g(int x) { if (x > 3) throw x; return x; }\n"                         \
    "extern \"C\" int f(int x) { try { return g(x); } catch (" type " &) { return 7; } }\n" \
    "extern \"C\" int h(int x) { return x + "

static void an_unchanged_function_that_catches_another_type_is_refused(void **state)
{
    struct edited edited =
        edited_one("g++ -g -O2 -fno-inline", CATCHER("int") "1; }\n" MAIN("f(c) + h(c)"),
                   CATCHER("long") "2; }\n" MAIN("f(c) + h(c)"));

    (void)state;
    edited_expect_refused(&edited, HP_SECTION, "exceptions of unchanged code changed");
    edited_close(&edited);
}

/* ---- what is not in the binary ---- */

static void a_function_that_the_linker_left_out_is_placed(void **state)
{
    static const char before[] =
        KEEP "int f(int x) { return x + 1; }\n" KEEP
             "int unused(int x) { static int n; return x + n++; }\n" MAIN("f(c)");
    static const char after[] = KEEP "int unused(int x) { static int n; return x + n++; }\n" KEEP
                                     "int f(int x) { return unused(x) + 1; }\n" MAIN("f(c)");
    struct edited edited = edited_one(
        "gcc -g -O2 -ffunction-sections -fdata-sections -Wl,--gc-sections", before, after);

    (void)state;
    edited_expect_replaced(&edited, "f");
    edited_expect_placed(&edited, "f unused");
    edited_expect_why(&edited, "unused", "the binary does not have it");
    edited_close(&edited);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_function_is_placed_with_its_caller),
        cmocka_unit_test(a_new_function_that_nobody_calls_changes_nothing),
        cmocka_unit_test(callers_of_a_removed_function_are_in_the_patch),
        cmocka_unit_test(a_renamed_function_is_new_and_its_callers_change),
        cmocka_unit_test(a_static_function_that_becomes_global_is_the_same),
        cmocka_unit_test(a_function_s_address_is_the_program_s),
        cmocka_unit_test(an_unchanged_callee_is_the_program_s),
        cmocka_unit_test(an_inlined_function_changes_those_it_is_inlined_into),
        cmocka_unit_test(callers_of_a_changed_clone_are_in_the_patch),
        cmocka_unit_test(an_unchanged_clone_is_the_program_s),
        cmocka_unit_test(a_function_and_its_cold_part_are_one),
        cmocka_unit_test(callers_of_a_static_function_with_a_new_prototype_are_in_the_patch),
        cmocka_unit_test(a_new_prototype_of_a_function_whose_address_is_taken_is_refused),
        cmocka_unit_test(a_new_prototype_of_a_function_that_others_call_is_refused),
        cmocka_unit_test(a_new_prototype_with_all_callers_is_not_redirected),
        cmocka_unit_test(callers_of_a_function_without_room_for_a_jump_are_in_the_patch),
        cmocka_unit_test(the_caller_of_an_ifunc_calls_what_the_program_chose),
        cmocka_unit_test(aliases_are_one_function),
        cmocka_unit_test(names_of_one_entry_are_not_separated),
        cmocka_unit_test(a_weak_function_of_which_another_is_used_is_not_replaced),
        cmocka_unit_test(a_new_function_of_a_new_file_is_visible),
        cmocka_unit_test(a_function_that_moves_to_another_file_is_replaced),
        cmocka_unit_test(a_global_of_another_file_is_found_in_the_binary),
        cmocka_unit_test(callers_of_a_function_that_is_the_program_s_own_now_are_in_the_patch),
        cmocka_unit_test(what_the_binary_does_not_know_is_left_to_the_dynamic_linker),
        cmocka_unit_test(a_static_of_another_file_is_not_meant_by_an_undefined_name),
        cmocka_unit_test(a_weak_function_that_the_program_lacks_is_looked_for_again),
        cmocka_unit_test(what_a_library_exports_is_found_as_the_library_finds_it),
        cmocka_unit_test(the_address_of_an_unchanged_function_beside_is_the_program_s),
        cmocka_unit_test(a_removed_constructor_is_refused),
        cmocka_unit_test(an_unchanged_function_that_catches_another_type_is_refused),
        cmocka_unit_test(a_changed_list_of_constructors_is_refused),
        cmocka_unit_test(a_changed_constructor_is_replaced),
        cmocka_unit_test(a_changed_section_of_the_source_s_own_is_refused),
        cmocka_unit_test(functions_in_a_section_of_their_own_are_functions),
        cmocka_unit_test(a_function_that_the_linker_left_out_is_placed),
    };

    return cmocka_run_group_tests(tests, directory_make, directory_remove);
}
