/*
 * test_selection.c - what is selected of an edit of functions and variables: which functions, bound to what, or why not.
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

/* Run a check with both compilers, optimising and not. */
static const char *const ways[] = {"gcc -g -O2", "gcc -g -O0", "clang -g -O2", "clang -g -O0",
                                   "gcc -g -O2 -no-pie -fno-pie"};
enum { WAYS = sizeof(ways) / sizeof(*ways) };

#define IN_ALL_WAYS(before, after, checks)                           \
    for (size_t way = 0; way < WAYS; way++) {                        \
        struct edited edited = edited_one(ways[way], before, after); \
        checks;                                                      \
        edited_close(&edited);                                       \
    }

static void a_changed_constant_replaces_one_function(void **state)
{
    (void)state;
    IN_ALL_WAYS(KEEP "int f(int x) { return x + 1; }\n" KEEP "int g(int x) { return x * 3; }\n"
                     "int main(int c, char **v) { (void)v; return f(c) + g(c); }\n",
                KEEP "int f(int x) { return x + 2; }\n" KEEP "int g(int x) { return x * 3; }\n"
                     "int main(int c, char **v) { (void)v; return f(c) + g(c); }\n",
                {
                    edited_expect_replaced(&edited, "f");
                    edited_expect_placed(&edited, "f");
                    edited_expect_why(&edited, "f", "its code changed");
                })
}

static void an_edit_of_comments_changes_nothing(void **state)
{
    (void)state;
    IN_ALL_WAYS(
        "int f(int x) { return x + 1; }\nint main(int c, char **v) { (void)v; return f(c); }\n",
        "int f(int y) { return y + 1; } /* same */\n"
        "int main(int c, char **v) { (void)v; return f(c); }\n",
        edited_expect_refused(&edited, HP_UNCHANGED, "no machine code"))
}

static void a_changed_string_replaces_its_functions(void **state)
{
    (void)state;
    IN_ALL_WAYS("#include <stdio.h>\n" KEEP "void f(void) { puts(\"one\"); }\n" KEEP
                "void g(void) { puts(\"two\"); }\nint main(void) { f(); g(); }\n",
                "#include <stdio.h>\n" KEEP "void f(void) { puts(\"uno\"); }\n" KEEP
                "void g(void) { puts(\"two\"); }\nint main(void) { f(); g(); }\n",
                {
                    edited_expect_replaced(&edited, "f");
                    edited_expect_why(&edited, "f", "that it uses changed");
                    assert_int_not_equal(edited_choice(&edited, 0, "puts").kind, CHOICE_DISCARDED);
                })
}

static void a_new_string_does_not_change_functions_of_others(void **state)
{
    (void)state;
    IN_ALL_WAYS("#include <stdio.h>\n" KEEP "void f(void) { puts(\"one\"); }\n" KEEP
                "void g(void) { puts(\"two\"); }\nint main(void) { f(); g(); }\n",
                "#include <stdio.h>\n" KEEP "void f(void) { puts(\"zero\"); puts(\"one\"); }\n" KEEP
                "void g(void) { puts(\"two\"); }\nint main(void) { f(); g(); }\n",
                edited_expect_replaced(&edited, "f"))
}

#define SWITCH(third)                                                                             \
    "int t;\n" KEEP "int f(int x) { switch (x) { case 0: t = 4; return 9; case 1: t++; return 2;" \
    " case 2: t--; return " third "; case 3: t *= 2; return 1; case 4: t /= 3; return 0;"         \
    " case 5: return t; } return 7; }\n" KEEP                                                     \
    "int g(int x) { switch (x) { case 0: return 9; case 1: return 2; case 2: return 33;"          \
    " case 3: return 1; case 4: return 0; } return 7; }\n"                                        \
    "int main(int c, char **v) { (void)v; return f(c) + g(c); }\n"

static void switch_tables_are_compared_by_content(void **state)
{
    (void)state;
    IN_ALL_WAYS(SWITCH("5"), SWITCH("6"), edited_expect_replaced(&edited, "f"))
    IN_ALL_WAYS(SWITCH("5"), SWITCH("5") "int unused_new;\n",
                edited_expect_refused(&edited, HP_UNCHANGED, ""))
}

static void a_table_of_results_is_new_with_its_function(void **state)
{
    static const char before[] =
        KEEP "int g(int x) { switch (x) { case 0: return 9; case 1: return 2; case 2: return 33;"
             " case 3: return 1; case 4: return 0; } return 7; }\n"
             "int main(int c, char **v) { (void)v; return g(c); }\n";
    static const char after[] =
        KEEP "int g(int x) { switch (x) { case 0: return 9; case 1: return 2; case 2: return 34;"
             " case 3: return 1; case 4: return 0; } return 7; }\n"
             "int main(int c, char **v) { (void)v; return g(c); }\n";

    (void)state;
    IN_ALL_WAYS(before, after, edited_expect_replaced(&edited, "g"))
}

/* ---- variables ---- */

static void variables_are_bound_to_the_program_s_own(void **state)
{
    static const char before[] =
        "static int hidden = 3; int seen = 4; static __thread int own; int zero[8];\n" KEEP
        "int f(int x) { static int inner = 5; return x + hidden++ + seen++ + own++ + inner++ +"
        " zero[x]++; }\nint main(int c, char **v) { (void)v; return f(c); }\n";
    static const char after[] =
        "static int hidden = 3; int seen = 4; static __thread int own; int zero[8];\n" KEEP
        "int f(int x) { static int inner = 5; return x - hidden++ + seen++ + own++ + inner++ +"
        " zero[x]++; }\nint main(int c, char **v) { (void)v; return f(c); }\n";

    (void)state;
    IN_ALL_WAYS(before, after, {
        edited_expect_replaced(&edited, "f");
        assert_int_equal(edited_choice(&edited, 0, "hidden").kind, CHOICE_HOST);
        assert_int_equal(edited_choice(&edited, 0, "hidden").at, edited_address(&edited, "hidden"));
        assert_int_equal(edited_choice(&edited, 0, "seen").at, edited_address(&edited, "seen"));
        assert_int_equal(edited_choice(&edited, 0, "zero").at, edited_address(&edited, "zero"));
        assert_int_equal(edited_choice(&edited, 0, "own").kind, CHOICE_TLS);
        assert_int_equal(edited_choice(&edited, 0, "own").at, 0);
    })
}

#define TWO_COUNTS(extra, add)                                                               \
    KEEP "int f(int x) { " extra "static int count = 1; return x + count++" add "; }\n" KEEP \
         "int g(int x) { static int count = 2; return x * count++; }\n"                      \
         "int main(int c, char **v) { (void)v; return f(c) + g(c); }\n"

static void statics_of_one_name_are_told_apart_by_their_functions(void **state)
{
    (void)state;
    /* The numbers of the names shift: h's is the first. */
    for (size_t way = 0; way < WAYS; way++) {
        struct edited edited = edited_one(
            ways[way], TWO_COUNTS("", "+ 1"),
            KEEP "int h(int x) { static int count = 7; return x - count++; }\n" TWO_COUNTS(
                "", "+ h(x)"));
        bool clang = strncmp(ways[way], "clang", 5) == 0;
        const char *old_f = clang ? "f.count" : NULL;

        edited_expect_replaced(&edited, "f");
        edited_expect_placed(&edited, "f h");
        if (old_f)
            assert_int_equal(edited_choice(&edited, 0, old_f).at, edited_address(&edited, old_f));
        edited_close(&edited);
    }
}

static void a_static_of_each_block_is_bound_to_its_own(void **state)
{
    static const char before[] =
        KEEP "int f(int x) { if (x > 3) { static int n = 1; return n++; } else { static int n = 2;"
             " return n--; } }\nint main(int c, char **v) { (void)v; return f(c); }\n";
    static const char after[] =
        KEEP "int f(int x) { if (x > 4) { static int n = 1; return n++; } else { static int n = 2;"
             " return n--; } }\nint main(int c, char **v) { (void)v; return f(c); }\n";
    static const char ambiguous[] =
        KEEP "int f(int x) { if (x > 4) { static int n = 1; return n++; } else if (x > 2) {"
             " static int n = 2; return n--; } else { static int n = 3; return n *= 2; } }\n"
             "int main(int c, char **v) { (void)v; return f(c); }\n";

    (void)state;
    IN_ALL_WAYS(before, after, edited_expect_replaced(&edited, "f"))
    IN_ALL_WAYS(before, ambiguous,
                edited_expect_refused(&edited, HP_STATE, "n in f(): 2 variables of that name"))
}

static void a_new_static_is_placed_with_a_key(void **state)
{
    static const char before[] = KEEP "int f(int x) { return x + 1; }\n"
                                      "int main(int c, char **v) { (void)v; return f(c); }\n";
    static const char after[] =
        KEEP "int f(int x) { static long calls; return x + (int)calls++; }\n"
             "int main(int c, char **v) { (void)v; return f(c); }\n";

    (void)state;
    for (size_t way = 0; way < WAYS; way++) {
        struct edited edited = edited_one(ways[way], before, after);
        bool found = false;

        edited_expect_replaced(&edited, "f");
        for (size_t i = 0; i < edited.after[0].object->symbol_count; i++) {
            const struct symbol_choice *choice = &edited.selection->units[0].symbols[i];

            if (!choice->keep)
                continue;
            assert_memory_equal(choice->keep, "a f calls 0 long", 16);
            assert_int_equal(choice->kind, CHOICE_OWN);
            found = true;
        }
        assert_true(found);
        edited_close(&edited);
    }
}

static void a_resized_variable_is_refused(void **state)
{
    static const char before[] = "static int a[4];\n" KEEP "int f(int x) { return a[x & 3]++; }\n"
                                 "int main(int c, char **v) { (void)v; return f(c); }\n";
    static const char after[] = "static int a[8];\n" KEEP "int f(int x) { return a[x & 7]++; }\n"
                                "int main(int c, char **v) { (void)v; return f(c); }\n";

    (void)state;
    IN_ALL_WAYS(before, after, edited_expect_refused(&edited, HP_STATE, "a has 16 bytes"))
}

static void a_new_thread_local_is_refused(void **state)
{
    static const char before[] = KEEP "int f(int x) { return x; }\n"
                                      "int main(int c, char **v) { (void)v; return f(c); }\n";
    static const char after[] =
        "static __thread int own;\n" KEEP "int f(int x) { return x + own++; }\n"
        "int main(int c, char **v) { (void)v; return f(c); }\n";

    (void)state;
    IN_ALL_WAYS(before, after, edited_expect_refused(&edited, HP_THREAD_LOCAL, "own"))
}

static void a_changed_initial_value_is_a_note(void **state)
{
    static const char before[] =
        "static int limit = 3;\n" KEEP "int f(int x) { return x + limit++; }\n"
        "int main(int c, char **v) { (void)v; return f(c); }\n";
    static const char both[] =
        "static int limit = 4;\n" KEEP "int f(int x) { return x - limit++; }\n"
        "int main(int c, char **v) { (void)v; return f(c); }\n";
    static const char data[] =
        "static int limit = 4;\n" KEEP "int f(int x) { return x + limit++; }\n"
        "int main(int c, char **v) { (void)v; return f(c); }\n";

    (void)state;
    IN_ALL_WAYS(before, both, edited_expect_note(&edited, "the initial value of limit changed"))
    IN_ALL_WAYS(before, data,
                edited_expect_refused(&edited, HP_UNCHANGED, "the initial value of limit changed"))
}

static void a_renamed_variable_is_known_by_its_use(void **state)
{
    static const char before[] =
        "static int old_name;\n" KEEP "int f(int x) { return x + old_name++; }\n" KEEP
        "int g(int x) { return x * old_name++; }\n"
        "int main(int c, char **v) { (void)v; return f(c) + g(c); }\n";
    static const char after[] =
        "static int new_name;\n" KEEP "int f(int x) { return x + new_name++; }\n" KEEP
        "int g(int x) { return x * new_name++ + 1; }\n"
        "int main(int c, char **v) { (void)v; return f(c) + g(c); }\n";

    (void)state;
    IN_ALL_WAYS(before, after, {
        edited_expect_replaced(&edited, "g");
        edited_expect_note(&edited, "new_name is taken for the program's old_name");
        assert_int_equal(edited_choice(&edited, 0, "new_name").at,
                         edited_address(&edited, "old_name"));
    })
}

static void common_symbols_are_bound_to_the_program_s(void **state)
{
    struct edited edited = edited_one("gcc -g -O2 -fcommon",
                                      "int shared;\n" KEEP "int f(int x) { return x + shared++; }\n"
                                      "int main(int c, char **v) { (void)v; return f(c); }\n",
                                      "int shared; int fresh;\n" KEEP
                                      "int f(int x) { return x - shared++ - fresh++; }\n"
                                      "int main(int c, char **v) { (void)v; return f(c); }\n");

    (void)state;
    edited_expect_replaced(&edited, "f");
    assert_int_equal(edited_choice(&edited, 0, "shared").at, edited_address(&edited, "shared"));
    assert_int_equal(edited_choice(&edited, 0, "fresh").kind, CHOICE_OWN);
    assert_non_null(edited_choice(&edited, 0, "fresh").keep);
    edited_close(&edited);
}

static void a_resized_variable_that_the_patch_does_not_use_is_refused(void **state)
{
    (void)state;
    IN_ALL_WAYS("int a[4];\n" KEEP "int f(int x) { return x + 1; }\n"
                "int main(int c, char **v) { (void)v; return f(c); }\n",
                "int a[8];\n" KEEP "int f(int x) { return x + 2; }\n"
                "int main(int c, char **v) { (void)v; return f(c); }\n",
                edited_expect_refused(&edited, HP_STATE, "a has another size"))
}

static void a_global_that_the_linker_left_out_is_refused(void **state)
{
    struct edited edited =
        edited_one("gcc -g -O2 -ffunction-sections -fdata-sections -Wl,--gc-sections",
                   "int unused = 3;\n" KEEP "int f(int x) { return x + 1; }\n"
                   "int main(int c, char **v) { (void)v; return f(c); }\n",
                   "int unused = 3;\n" KEEP "int f(int x) { return x + unused++; }\n"
                   "int main(int c, char **v) { (void)v; return f(c); }\n");

    (void)state;
    edited_expect_refused(&edited, HP_STATE, "unused: it was not found in the program");
    edited_close(&edited);
}

static void a_new_global_of_a_name_that_another_file_has_is_refused(void **state)
{
    (void)state;
    for (size_t way = 0; way < WAYS; way++) {
        const struct edited_file files[] = {
            {"a",
             "int g(int);\n" KEEP "int f(int x) { return x + 1; }\n"
             "int main(int c, char **v) { (void)v; return f(c) + g(c); }\n",
             "int g(int); int total = 7;\n" KEEP "int f(int x) { return x + total++; }\n"
             "int main(int c, char **v) { (void)v; return f(c) + g(c); }\n"},
            {"b", "int total = 8;\nint g(int x) { return total += x; }\n", NULL}};
        struct edited edited = edited_select(ways[way], files, 2);

        edited_expect_refused(&edited, HP_STATE, "another file of the program has a variable");
        edited_close(&edited);
    }
}

#define LISTED(code)                                                                          \
    "static int limit = 10;\nstatic int list[4] = {1, 2, 3, 4};\n" KEEP                       \
    "void change(int n) { " code " }\n" KEEP "int f(int x) { return list[x & 3] + limit; }\n" \
    "int main(int c, char **v) { (void)v; change(c); return f(c); }\n"

/* Compilers that optimise take the initial value of a static that nothing stores into. */
static void a_static_that_nothing_stores_into_any_more_is_refused(void **state)
{
    static const char *const optimising[] = {"gcc -g -O2", "clang -g -O2"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct edited edited =
            edited_one(optimising[i], LISTED("limit += n; list[1] += n;"), LISTED("list[1] += n;"));

        edited_expect_refused(&edited, HP_STATE, "limit: nothing stores into it");
        edited_close(&edited);
    }
}

/* clang lets the linker merge an array of that size with constants; gcc puts its elements into code. */
static void nor_is_an_array_accepted(void **state)
{
    static const char *const optimising[] = {"gcc -g -O2", "clang -g -O2"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct edited edited =
            edited_one(optimising[i], LISTED("limit += n; list[1] += n;"), LISTED("limit += n;"));

        edited_expect_refused(&edited, HP_STATE, "list: nothing stores into it");
        edited_close(&edited);
    }
}

#define MINE "__attribute__((section(\".data.mine\"))) "

static void variables_of_one_section_lie_as_the_program_has_them(void **state)
{
    static const char before[] =
        "static int one " MINE "= 1;\nstatic int middle " MINE "= 2;\nstatic int last " MINE
        "= 3;\n" KEEP "int f(int x) { return x + one++ + middle++ + last++; }\n"
        "int main(int c, char **v) { (void)v; return f(c); }\n";
    static const char changed[] =
        "static int one " MINE "= 1;\nstatic int middle " MINE "= 2;\nstatic int last " MINE
        "= 3;\n" KEEP "int f(int x) { return x - one++ + middle++ + last++; }\n"
        "int main(int c, char **v) { (void)v; return f(c); }\n";
    static const char removed[] = "static int one " MINE "= 1;\nstatic int last " MINE "= 3;\n" KEEP
                                  "int f(int x) { return x - one++ + last++; }\n"
                                  "int main(int c, char **v) { (void)v; return f(c); }\n";
    static const char added[] =
        "static int one " MINE "= 1;\nstatic int middle " MINE "= 2;\nstatic int last " MINE
        "= 3;\nstatic int new " MINE "= 4;\n" KEEP
        "int f(int x) { return x - one++ + middle++ + last++ + new++; }\n"
        "int main(int c, char **v) { (void)v; return f(c); }\n";

    (void)state;
    IN_ALL_WAYS(before, changed, {
        edited_expect_replaced(&edited, "f");
        assert_int_equal(edited_choice(&edited, 0, "last").kind, CHOICE_HOST);
    })
    IN_ALL_WAYS(before, removed, edited_expect_refused(&edited, HP_SECTION, "do not lie as"))
    IN_ALL_WAYS(before, added, edited_expect_refused(&edited, HP_SECTION, "has a new variable"))
}

/* ---- constants ---- */

#define TABLE(static, last)                                                                  \
    static "const int table[] = {1, 2, 3, " last ", 7, 8, 9, 10, 11};\n" KEEP                \
           "int f(int x) { return table[x & 3]; }\n" KEEP                                    \
           "int g(int x) { return 2 * table[x & 3]; }\n" KEEP "int h(int x) { return x; }\n" \
           "int main(int c, char **v) { (void)v; return f(c) + g(c) + h(c); }\n"

static void readers_of_a_changed_constant_are_in_the_patch(void **state)
{
    (void)state;
    IN_ALL_WAYS(TABLE("static ", "4"), TABLE("static ", "5"), {
        edited_expect_replaced(&edited, "f g");
        edited_expect_why(&edited, "f", "table, whose content changed");
        assert_int_equal(edited_choice(&edited, 0, "table").kind, CHOICE_OWN);
    })
}

static void a_changed_constant_that_others_may_read_is_refused(void **state)
{
    (void)state;
    IN_ALL_WAYS(TABLE("", "4"), TABLE("", "5"),
                edited_expect_refused(&edited, HP_DATA, "table changed"))
}

static void a_constant_that_others_may_read_stays_one_that_they_can(void **state)
{
    (void)state;
    IN_ALL_WAYS(TABLE("", "4"), TABLE("static ", "5"),
                edited_expect_refused(&edited, HP_DATA, "table changed"))
    IN_ALL_WAYS("const int table[] = {1, 2, 3, 4};\n" KEEP "int f(int x) { return table[x & 3]; }\n"
                "int main(int c, char **v) { (void)v; return f(c); }\n",
                "int table[] = {1, 2, 3, 4};\n" KEEP "int f(int x) { return table[x & 3]++; }\n"
                "int main(int c, char **v) { (void)v; return f(c); }\n",
                edited_expect_refused(&edited, HP_DATA, "table was constant"))
}

static void a_changed_constant_behind_a_variable_is_refused(void **state)
{
    static const char before[] =
        "static const int table[] = {1, 2, 3, 4};\nconst int *current = table;\n" KEEP
        "int f(int x) { return current[x & 3]; }\n" KEEP "int g(int x) { return table[x & 3]; }\n"
        "int main(int c, char **v) { (void)v; return f(c) + g(c); }\n";
    static const char after[] =
        "static const int table[] = {1, 2, 3, 5};\nconst int *current = table;\n" KEEP
        "int f(int x) { return current[x & 3]; }\n" KEEP "int g(int x) { return table[x & 3]; }\n"
        "int main(int c, char **v) { (void)v; return f(c) + g(c); }\n";

    (void)state;
    IN_ALL_WAYS(before, after,
                edited_expect_refused(&edited, HP_DATA, "through the variable current"))
}

static void an_equal_constant_is_the_program_s(void **state)
{
    static const char before[] = "static const char *const names[] = {\"a\", \"b\", \"c\"};\n" KEEP
                                 "const char *f(int x) { return names[x % 3]; }\n"
                                 "int main(int c, char **v) { (void)v; return *f(c); }\n";
    static const char after[] = "static const char *const names[] = {\"a\", \"b\", \"c\"};\n" KEEP
                                "const char *f(int x) { return names[(x + 1) % 3]; }\n"
                                "int main(int c, char **v) { (void)v; return *f(c); }\n";

    (void)state;
    IN_ALL_WAYS(before, after, {
        edited_expect_replaced(&edited, "f");
        /* clang makes a table of offsets of it, with another name. */
        if (strcmp(ways[way], "clang -g -O2") == 0) {
            edited_close(&edited);
            continue;
        }
        assert_int_equal(edited_choice(&edited, 0, "names").kind, CHOICE_HOST);
        assert_int_equal(edited_choice(&edited, 0, "names").at, edited_address(&edited, "names"));
    })
}

static void a_table_of_strings_changes_with_a_string(void **state)
{
    static const char before[] = "static const char *const names[] = {\"a\", \"b\", \"c\"};\n" KEEP
                                 "const char *f(int x) { return names[x % 3]; }\n"
                                 "int main(int c, char **v) { (void)v; return *f(c); }\n";
    static const char after[] = "static const char *const names[] = {\"a\", \"B\", \"c\"};\n" KEEP
                                "const char *f(int x) { return names[x % 3]; }\n"
                                "int main(int c, char **v) { (void)v; return *f(c); }\n";

    (void)state;
    IN_ALL_WAYS(before, after, edited_expect_replaced(&edited, "f"))
}

#define AUTOMATIC(last, add)                                                                \
    "void use(void *list) { __asm__ volatile(\"\" : : \"r\"(list) : \"memory\"); }\n" KEEP  \
    "int f(int x) { const char *list[] = {\"a\", \"b\", \"c\", \"d\", \"e\", \"f\", \"g\"," \
    " \"h\", \"i\", \"j\", \"k\", \"l\", \"m\", \"n\", \"o\", \"p\", \"q\", \"r\", \"s\","  \
    " \"" last "\"}; use(list); return list[x % 20][0]" add "; }\n" KEEP                    \
    "int g(int x) { const char *list[] = {\"a\", \"b\", \"c\", \"d\", \"e\", \"f\", \"g\"," \
    " \"h\", \"i\", \"j\", \"k\", \"l\", \"m\", \"n\", \"o\", \"p\", \"q\", \"r\", \"s\","  \
    " \"end\"}; use(list); return list[x % 20][1]; }\n"                                     \
    "int main(int c, char **v) { (void)v; return f(c) + g(c); }\n"

static void initial_values_of_automatic_variables_are_compared_by_content(void **state)
{
    (void)state;
    IN_ALL_WAYS(AUTOMATIC("t", ""), AUTOMATIC("u", ""), edited_expect_replaced(&edited, "f"))
    IN_ALL_WAYS(AUTOMATIC("t", ""), AUTOMATIC("t", " + 1"), edited_expect_replaced(&edited, "f"))
    IN_ALL_WAYS(AUTOMATIC("t", ""), AUTOMATIC("t", "") "int last;\n",
                edited_expect_refused(&edited, HP_UNCHANGED, ""))
}

static void labels_in_a_writable_table_are_refused(void **state)
{
    static const char before[] =
        "static void *labels[2];\n" KEEP "int f(int x) { static void *where[] = {&&one, &&two}; "
        "labels[0] = &where; goto *where[x & 1];"
        " one: return x + 5; two: return x * 7; }\n"
        "int main(int c, char **v) { (void)v; return f(c) + (labels[0] != 0); }\n";
    static const char after[] =
        "static void *labels[2];\n" KEEP "int f(int x) { static void *where[] = {&&one, &&two}; "
        "labels[0] = &where; goto *where[x & 1];"
        " one: return x + 6; two: return x * 7; }\n"
        "int main(int c, char **v) { (void)v; return f(c) + (labels[0] != 0); }\n";

    (void)state;
    IN_ALL_WAYS(before, after,
                edited_expect_refused(&edited, HP_STATE, "holds addresses within a function"))
}

static void labels_in_a_constant_table_are_placed_with_their_function(void **state)
{
    static const char before[] =
        KEEP "int f(int x) { static const void *const where[] = {&&one, &&two}; goto *where[x & 1];"
             " one: return x + 5; two: return x * 7; }\n"
             "int main(int c, char **v) { (void)v; return f(c); }\n";
    static const char after[] =
        KEEP "int f(int x) { static const void *const where[] = {&&one, &&two}; goto *where[x & 1];"
             " one: return x + 6; two: return x * 7; }\n"
             "int main(int c, char **v) { (void)v; return f(c); }\n";

    (void)state;
    IN_ALL_WAYS(before, after, edited_expect_replaced(&edited, "f"))
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_changed_constant_replaces_one_function),
        cmocka_unit_test(an_edit_of_comments_changes_nothing),
        cmocka_unit_test(a_changed_string_replaces_its_functions),
        cmocka_unit_test(a_new_string_does_not_change_functions_of_others),
        cmocka_unit_test(switch_tables_are_compared_by_content),
        cmocka_unit_test(a_table_of_results_is_new_with_its_function),
        cmocka_unit_test(variables_are_bound_to_the_program_s_own),
        cmocka_unit_test(statics_of_one_name_are_told_apart_by_their_functions),
        cmocka_unit_test(a_static_of_each_block_is_bound_to_its_own),
        cmocka_unit_test(a_new_static_is_placed_with_a_key),
        cmocka_unit_test(a_resized_variable_is_refused),
        cmocka_unit_test(a_new_thread_local_is_refused),
        cmocka_unit_test(a_changed_initial_value_is_a_note),
        cmocka_unit_test(a_renamed_variable_is_known_by_its_use),
        cmocka_unit_test(common_symbols_are_bound_to_the_program_s),
        cmocka_unit_test(a_resized_variable_that_the_patch_does_not_use_is_refused),
        cmocka_unit_test(a_global_that_the_linker_left_out_is_refused),
        cmocka_unit_test(a_new_global_of_a_name_that_another_file_has_is_refused),
        cmocka_unit_test(a_static_that_nothing_stores_into_any_more_is_refused),
        cmocka_unit_test(nor_is_an_array_accepted),
        cmocka_unit_test(variables_of_one_section_lie_as_the_program_has_them),
        cmocka_unit_test(readers_of_a_changed_constant_are_in_the_patch),
        cmocka_unit_test(a_changed_constant_that_others_may_read_is_refused),
        cmocka_unit_test(a_constant_that_others_may_read_stays_one_that_they_can),
        cmocka_unit_test(a_changed_constant_behind_a_variable_is_refused),
        cmocka_unit_test(an_equal_constant_is_the_program_s),
        cmocka_unit_test(a_table_of_strings_changes_with_a_string),
        cmocka_unit_test(initial_values_of_automatic_variables_are_compared_by_content),
        cmocka_unit_test(labels_in_a_writable_table_are_refused),
        cmocka_unit_test(labels_in_a_constant_table_are_placed_with_their_function),
    };

    return cmocka_run_group_tests(tests, directory_make, directory_remove);
}
