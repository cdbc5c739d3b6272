/*
 * test_types.c - which edits of types fit a living process: a table of edits, each compiled by gcc and clang, in DWARF 4 and 5,
 * with and without optimisation.
 *
 * The code of a row is the same before and after, but for the constant EDIT, which changes every function that has it. As in a
 * build, a function whose code differs is in the patch; variables of the same name are bound; and a static function whose
 * prototype, or a type that it reaches, changed is called by new code alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/build/types.h"
#include "tests/support/compiled.h"
#include "types_rows.h"

enum { ROOM = 64 };

/* Every value of each of compiler, version and optimisation. */
static const char *const ways[] = {"gcc -gdwarf-5 -O2", "gcc -gdwarf-4 -O0", "clang -gdwarf-5 -O0",
                                   "clang -gdwarf-4 -O2"};
static const char *const cxx_ways[] = {"g++ -gdwarf-5 -O2 -femit-class-debug-always",
                                       "clang++ -gdwarf-4 -O0 -fstandalone-debug"};

struct edited {
    struct compiled old, new;
    struct types_unit unit;
    struct types_function functions[ROOM];
    struct types_variable variables[ROOM];
    struct types_question question;
    struct types_notes notes;
    struct refusal why;
    int result;
};

/* ------------------------------------------------ what a build would ask --- */

static bool relocations_differ(const struct compiled *old, const struct rel_section *a,
                               const struct compiled *new, const struct rel_section *b)
{
    if (a->relocation_count != b->relocation_count)
        return true;
    for (size_t i = 0; i < a->relocation_count; i++) {
        const struct rel_relocation *x = &a->relocations[i], *y = &b->relocations[i];

        if (x->offset != y->offset || x->type != y->type || x->addend != y->addend ||
            strcmp(old->object->symbols[x->symbol].name, new->object->symbols[y->symbol].name) != 0)
            return true;
    }
    return false;
}

static bool code_differs(const struct edited *edited, uint32_t old_symbol, uint32_t new_symbol)
{
    const struct rel_section *a =
        &edited->old.object->sections[edited->old.object->symbols[old_symbol].section];
    const struct rel_section *b =
        &edited->new.object->sections[edited->new.object->symbols[new_symbol].section];

    return a->size != b->size || memcmp(a->bytes, b->bytes, a->size) != 0 ||
           relocations_differ(&edited->old, a, &edited->new, b);
}

static void ask_function(struct edited *edited, uint32_t index)
{
    const struct rel_symbol *new = &edited->new.object->symbols[index];
    uint32_t old_index = rel_symbol_named(edited->old.object, new->name);
    const struct rel_symbol *old = &edited->old.object->symbols[old_index];
    struct types_function *function = &edited->functions[edited->question.function_count];

    if (old_index && rel_symbol_placed(old) && !code_differs(edited, old_index, index))
        return;
    assert_true(edited->question.function_count < ROOM);
    *function = (struct types_function){
        .name = new->name,
        .has_old = old_index != 0,
        .has_new = true,
        .old_place = {old->section, old->value},
        .new_place = {new->section, new->value},
        .why_not_kept = new->binding == STB_LOCAL ? NULL : "other files may call it",
    };
    function->replaces =
        old_index && (new->binding != STB_LOCAL ||
                      types_prototype(edited->old.dwarf, function->old_place, edited->new.dwarf,
                                      function->new_place, NULL, NULL) == PROTOTYPE_SAME);
    edited->question.function_count++;
}

static void ask_variables(struct edited *edited)
{
    size_t old_count, new_count;
    const struct dwarf_variable *old = object_dwarf_variables(edited->old.dwarf, &old_count);
    const struct dwarf_variable *new = object_dwarf_variables(edited->new.dwarf, &new_count);

    for (size_t i = 0; i < new_count; i++)
        for (size_t k = 0; k < old_count; k++)
            if (strcmp(old[k].name, new[i].name) == 0) {
                assert_true(edited->question.variable_count < ROOM);
                edited->variables[edited->question.variable_count++] =
                    (struct types_variable){0, old[k].place, new[i].place};
            }
}

static void ask(struct edited *edited, bool force)
{
    edited->unit = (struct types_unit){"row.c", edited->old.dwarf, edited->new.dwarf,
                                       edited->old.object, edited->new.object};
    edited->question = (struct types_question){.units = &edited->unit,
                                               .unit_count = 1,
                                               .functions = edited->functions,
                                               .variables = edited->variables,
                                               .force = force};
    for (uint32_t i = 1; i < edited->new.object->symbol_count; i++)
        if (edited->new.object->symbols[i].type == STT_FUNC &&
            rel_symbol_placed(&edited->new.object->symbols[i]) &&
            !strchr(edited->new.object->symbols[i].name, '.'))
            ask_function(edited, i);
    ask_variables(edited);
    edited->result = types_check(&edited->question, &edited->notes, &edited->why);
}

static struct edited *edit(const char *way, const struct types_row *row, bool force)
{
    struct edited *edited = calloc(1, sizeof(*edited));
    char command[128], *old, *new;

    assert_non_null(edited);
    assert_true(asprintf(&old, "%s\n#line 1000\n%s", row->before, row->code) > 0);
    assert_true(asprintf(&new, "%s\n#line 1000\n%s", row->after, row->code) > 0);
    snprintf(command, sizeof(command), "%s -DEDIT=0", way);
    edited->old = compile_object(command, "row", old);
    snprintf(command, sizeof(command), "%s -DEDIT=7", way);
    edited->new = compile_object(command, "row", new);
    ask(edited, force);
    free(old);
    free(new);
    return edited;
}

static void edited_free(struct edited *edited)
{
    compiled_close(&edited->old);
    compiled_close(&edited->new);
    types_notes_free(&edited->notes);
    refusal_clear(&edited->why);
    free(edited);
}

/* ------------------------------------------------------------------ rows --- */

static bool says(const struct edited *edited, const char *words)
{
    for (size_t i = 0; i < edited->why.count; i++)
        if (strstr(refusal_text(&edited->why, i), words))
            return true;
    for (size_t i = 0; i < edited->notes.count; i++)
        if (strstr(edited->notes.list[i], words))
            return true;
    return false;
}

static const char *verdict_of(const struct edited *edited)
{
    if (edited->result != 0)
        return "refused";
    return edited->notes.count ? "note" : "same";
}

/* Return whether the row has the verdict that it must have. */
static bool row_holds(const char *way, const struct types_row *row)
{
    struct edited *edited = edit(way, row, false);
    const char *verdict = verdict_of(edited);
    bool holds = strcmp(verdict, row->verdict) == 0 && (!row->words || says(edited, row->words));

    if (!holds) {
        print_error("%s, %s: %s, not %s with \"%s\"\n", row->name, way, verdict, row->verdict,
                    row->words ? row->words : "");
        for (size_t i = 0; i < edited->why.count; i++)
            print_error("    refused: %s\n", refusal_text(&edited->why, i));
        for (size_t i = 0; i < edited->notes.count; i++)
            print_error("    note: %s\n", edited->notes.list[i]);
    } else if (getenv("TEST_SHOW")) {
        for (size_t i = 0; i < edited->why.count; i++)
            print_message("%s: %s\n", row->name, refusal_text(&edited->why, i));
        for (size_t i = 0; i < edited->notes.count; i++)
            print_message("%s: note: %s\n", row->name, edited->notes.list[i]);
    }
    edited_free(edited);
    return holds;
}

/* DWARF 4 has no word for _Atomic: `build` asks for DWARF 5. */
static void all_hold(const struct types_row *rows, size_t count, const char *const *list,
                     size_t list_count)
{
    size_t wrong = 0;

    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < list_count; k++)
            if (!strstr(rows[i].name, "_Atomic") || strstr(list[k], "dwarf-5"))
                wrong += !row_holds(list[k], &rows[i]);
    assert_int_equal(wrong, 0);
}

static void every_edit_has_its_verdict(void **state)
{
    (void)state;
    assert_true(types_row_count >= 60);
    all_hold(types_rows, types_row_count, ways, sizeof(ways) / sizeof(*ways));
}

static void every_edit_of_cxx_has_its_verdict(void **state)
{
    (void)state;
    all_hold(types_cxx_rows, types_cxx_row_count, cxx_ways, sizeof(cxx_ways) / sizeof(*cxx_ways));
}

/* --force-types */
static void what_is_refused_is_a_note_if_it_is_forced(void **state)
{
    size_t refused = 0;

    (void)state;
    for (size_t i = 0; i < types_row_count; i++) {
        struct edited *edited;

        if (strcmp(types_rows[i].verdict, "refused") != 0 || strstr(types_rows[i].name, "_Atomic"))
            continue;
        edited = edit("gcc -gdwarf-5 -O0", &types_rows[i], true);
        if (strcmp(verdict_of(edited), "note") != 0 ||
            (types_rows[i].words && !says(edited, types_rows[i].words)))
            fail_msg("%s: %s", types_rows[i].name, verdict_of(edited));
        edited_free(edited);
        refused++;
    }
    assert_true(refused > 10);
}

/* Where gcc merges functions of equal code, they lie at one place, and each has a prototype of its own. */
static enum types_prototype merged_prototype(const char *first, const char *second, char **old_text)
{
    static const char form[] = "struct a { int x; }; struct b { int x; }; int take(void *);\n" //
        NOINLINE "static int f(%s) { return take(p) + 1; }\n"                                  //
        NOINLINE "static int g(%s) { return take(p) + 1; }\n"
                               "int call(void *p) { return f(p) + g(p); }\n";
    char before[512], after[512], *new_text;
    struct compiled old, new;
    struct dwarf_place place, new_place;
    enum types_prototype result;

    snprintf(before, sizeof(before), form, "struct a *p", "struct b *p");
    snprintf(after, sizeof(after), form, first, second);
    old = compile_object("gcc -g -O2", "before", before);
    new = compile_object("gcc -g -O2", "after", after);
    place = compiled_place(&old, "f");
    assert_int_equal(place.section, compiled_place(&old, "g").section);
    new_place = compiled_place(&new, "f");
    result = types_prototype(old.dwarf, place, new.dwarf, new_place, old_text, &new_text);
    free(new_text);
    compiled_close(&old);
    compiled_close(&new);
    return result;
}

static void each_of_merged_functions_has_its_prototype(void **state)
{
    char *text;

    (void)state;
    assert_int_equal(merged_prototype("struct a *p", "struct b *p", &text), PROTOTYPE_SAME);
    free(text);
    assert_int_equal(merged_prototype("struct b *p", "struct b *p", &text), PROTOTYPE_CHANGED);
    assert_non_null(strstr(text, "f(struct a *"));
    free(text);
    assert_int_equal(merged_prototype("struct a *p", "struct a *p", &text), PROTOTYPE_CHANGED);
    assert_non_null(strstr(text, "g(struct b *"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_edit_has_its_verdict),
        cmocka_unit_test(every_edit_of_cxx_has_its_verdict),
        cmocka_unit_test(what_is_refused_is_a_note_if_it_is_forced),
        cmocka_unit_test(each_of_merged_functions_has_its_prototype),
    };

    return cmocka_run_group_tests(tests, directory_make, directory_remove);
}
