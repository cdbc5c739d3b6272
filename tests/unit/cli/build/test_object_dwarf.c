/*
 * test_object_dwarf.c - what the debug information of an object file says of its variables and functions: by gcc and clang,
 * in DWARF 4 and 5, with and without optimisation.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/build/object_dwarf.h"
#include "tests/support/compiled.h"

static const char source[] =
    "struct point { int x, y; };\n"
    "struct point origin = {1, 2};\n"
    "static long counters[4];\n"
    "int common;\n"
    "static __thread short local_time;\n"
    "extern int elsewhere;\n"
    "__attribute__((noinline)) static int next(void)\n"
    "{\n"
    "    static int count;\n"
    "    { static char count; count += (char)elsewhere; elsewhere += count; }\n"
    "    return ++count + local_time++;\n"
    "}\n"
    "static inline int seen(int at)\n"
    "{\n"
    "    static unsigned hits;\n"
    "    return (int)(hits += (unsigned)at);\n"
    "}\n"
    "int use(const char *const *names, int (*call)(struct point *), int at)\n"
    "{\n"
    "    counters[at]++;\n"
    "    common++;\n"
    "    return next() + seen(at) + call(&origin) + names[0][0] + (int)counters[1];\n"
    "}\n";

static const struct dwarf_variable *named(const struct compiled *compiled, const char *name,
                                          unsigned line)
{
    size_t count;
    const struct dwarf_variable *list = object_dwarf_variables(compiled->dwarf, &count);

    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i].name, name) == 0 && (!line || list[i].line == line))
            return &list[i];
    fail_msg("no variable %s of line %u", name, line);
    return NULL;
}

static void in_all_ways(void (*check)(const char *way, struct compiled *compiled))
{
    for (size_t i = 0; i < compiled_way_count; i++) {
        struct compiled compiled = compile_object(compiled_ways[i], "variables", source);

        check(compiled_ways[i], &compiled);
        compiled_close(&compiled);
    }
}

static void check_global(const char *way, struct compiled *compiled)
{
    const struct dwarf_variable *variable = named(compiled, "origin", 0);
    struct dwarf_place place = compiled_place(compiled, "origin");

    (void)way;
    assert_int_equal(variable->place.section, place.section);
    assert_int_equal(variable->place.offset, place.offset);
    assert_string_equal(variable->type, "struct point");
    assert_int_equal(variable->size, 8);
    assert_int_equal(variable->line, 2);
    assert_true(variable->external);
    assert_false(variable->tls);
    assert_null(variable->function);
    assert_ptr_equal(object_dwarf_variable_at(compiled->dwarf, place.section, 4), variable);
    assert_null(object_dwarf_variable_at(compiled->dwarf, place.section, 8));
}

static void a_global_has_its_place_type_size_and_line(void **state)
{
    (void)state;
    in_all_ways(check_global);
}

static void check_statics(const char *way, struct compiled *compiled)
{
    const struct dwarf_variable *array = named(compiled, "counters", 0);
    const struct dwarf_variable *outer = named(compiled, "count", 9);
    const struct dwarf_variable *inner = named(compiled, "count", 10);
    const struct dwarf_variable *inlined = named(compiled, "hits", 0);

    (void)way;
    assert_string_equal(array->type, "long[4]");
    assert_int_equal(array->size, 32);
    assert_false(array->external);
    assert_string_equal(outer->function, "next");
    assert_string_equal(inner->function, "next");
    assert_string_equal(inner->type, "char");
    assert_true(outer->place.section != inner->place.section);
    assert_string_equal(inlined->function, "seen");
}

static void statics_of_functions_are_told_apart(void **state)
{
    (void)state;
    in_all_ways(check_statics);
}

static void check_thread_local(const char *way, struct compiled *compiled)
{
    const struct dwarf_variable *variable = named(compiled, "local_time", 0);

    (void)way;
    assert_true(variable->tls);
    assert_int_equal(variable->place.section, compiled_place(compiled, "local_time").section);
    assert_int_equal(variable->size, 2);
}

static void a_thread_local_has_the_place_in_its_section(void **state)
{
    (void)state;
    in_all_ways(check_thread_local);
}

static void a_common_variable_is_placed_at_its_symbol(void **state)
{
    struct compiled compiled = compile_object("gcc -g -O2 -fcommon", "common", source);
    const struct dwarf_variable *variable = named(&compiled, "common", 0);

    (void)state;
    assert_int_equal(variable->place.section,
                     DWARF_SYMBOL | rel_symbol_named(compiled.object, "common"));
    assert_int_equal(variable->place.offset, 0);
    compiled_close(&compiled);
}

static void check_functions(const char *way, struct compiled *compiled)
{
    struct dwarf_place place = compiled_place(compiled, "use");
    const struct dwarf_function *function =
        object_dwarf_function_at(compiled->dwarf, place.section, place.offset);
    unsigned line;

    (void)way;
    assert_non_null(function);
    assert_string_equal(function->name, "use");
    assert_int_equal(function->line, 18);
    assert_true(function->external);
    assert_non_null(strstr(object_dwarf_where(compiled->dwarf, place.section, place.offset, &line),
                           "variables.c"));
    assert_int_equal(line, 18);
    assert_null(object_dwarf_function_at(compiled->dwarf, place.section, place.offset + 1));
    object_dwarf_where(compiled->dwarf, place.section, place.offset + 8, &line);
    assert_in_range(line, 18, 22);
    place = compiled_place(compiled, "next");
    assert_false(object_dwarf_function_at(compiled->dwarf, place.section, place.offset)->external);
}

static void a_function_is_found_at_its_place(void **state)
{
    (void)state;
    in_all_ways(check_functions);
}

static void a_clone_has_the_name_of_its_function(void **state)
{
    static const char clone[] = "struct big { int a, b; char c[100]; };\n"
                                "int g(int);\n"
                                "static __attribute__((noinline)) int part(struct big *b, int k)\n"
                                "{ return g(b->a) + g(b->a + k); }\n"
                                "int f(struct big *b) { return part(b, 3) + part(b, 3); }\n";
    struct compiled compiled = compile_object("gcc -g -O2", "clone", clone);
    size_t count, found = 0;
    const struct dwarf_function *list = object_dwarf_functions(compiled.dwarf, &count);
    uint32_t symbol = rel_symbol_named(compiled.object, "part.constprop.0.isra.0");

    (void)state;
    for (uint32_t i = 1; i < compiled.object->symbol_count && !symbol; i++)
        if (strncmp(compiled.object->symbols[i].name, "part.", 5) == 0)
            symbol = i;
    assert_int_not_equal(symbol, 0);
    for (size_t i = 0; i < count; i++)
        found += list[i].place.section == compiled.object->symbols[symbol].section &&
                 strcmp(list[i].name, "part") == 0;
    assert_int_equal(found, 1);
    compiled_close(&compiled);
}

static void the_cold_part_belongs_to_its_function(void **state)
{
#include <stdio.h>
    static const char cold[] =
        "#include <stdlib.h>\n"
        "extern void shout(int) __attribute__((cold));\n"
        "int f(int a) { if (a > 4) { shout(a); shout(a + 1); abort(); } return a; }\n";
    struct compiled compiled = compile_object("gcc -g -O2", "cold", cold);
    struct dwarf_place place = compiled_place(&compiled, "f.cold");
    const struct dwarf_function *function =
        object_dwarf_function_at(compiled.dwarf, place.section, place.offset);

    (void)state;
    assert_non_null(function);
    assert_string_equal(function->name, "f");
    assert_true(function->part);
    compiled_close(&compiled);
}

static void a_function_that_was_merged_with_another_keeps_its_name(void **state)
{
    static const char merged[] = "static int successor(int n) { return n + 1; }\n"
                                 "int (*pointer)(int) = successor;\n"
                                 "int sum(int a) { return a + 1; }\n";
    struct compiled compiled = compile_object("gcc -g -O2 -fPIE", "merged", merged);
    struct dwarf_place place = compiled_place(&compiled, "sum");
    const struct dwarf_function *function =
        object_dwarf_function_at(compiled.dwarf, place.section, place.offset);

    (void)state;
    assert_non_null(function);
    assert_string_equal(function->name, "sum");
    place = compiled_place(&compiled, "successor");
    function = object_dwarf_function_at(compiled.dwarf, place.section, place.offset);
    assert_non_null(function);
    assert_string_equal(function->name, "successor");
    compiled_close(&compiled);
}

static void a_source_without_a_parameter_or_result_has_types(void **state)
{
    static const char plain[] = "void tick()\n{\n    __asm__ volatile(\"nop\");\n}\n";
    static const char *const levels[][2] = {{"gcc -g -O2", "clang -g -O2"},
                                            {"gcc -g -O0", "clang -g -O0"},
                                            {"gcc -g1 -O2", "clang -g1 -O2"}};

    (void)state;
    for (int i = 0; i < 6; i++) {
        struct compiled compiled = compile_object(levels[i / 2][i % 2], "plain", plain);

        assert_int_equal(object_dwarf_has_types(compiled.dwarf), i < 4);
        compiled_close(&compiled);
    }
}

static void a_source_without_code_has_nothing_that_lacks_types(void **state)
{
    struct compiled empty = compile_object("gcc -g -O2", "empty", "");
    struct compiled comment = compile_object("clang -g -O2", "comment", "/* nothing */\n");

    (void)state;
    assert_true(object_dwarf_has_types(empty.dwarf));
    assert_true(object_dwarf_has_types(comment.dwarf));
    compiled_close(&empty);
    compiled_close(&comment);
}

static void an_object_without_debug_information_has_no_types(void **state)
{
    struct compiled none = compile_object("gcc -g0 -O2", "none", source);
    struct compiled lines = compile_object("gcc -g1 -O2", "lines", source);
    struct compiled clang_lines = compile_object("clang -g1 -O2", "lines", source);
    struct compiled full = compile_object("gcc -g -O2", "full", source);
    size_t count;

    (void)state;
    assert_false(object_dwarf_has_types(none.dwarf));
    assert_false(object_dwarf_has_types(lines.dwarf));
    assert_false(object_dwarf_has_types(clang_lines.dwarf));
    assert_true(object_dwarf_has_types(full.dwarf));
    object_dwarf_variables(none.dwarf, &count);
    assert_int_equal(count, 0);
    compiled_close(&none);
    compiled_close(&lines);
    compiled_close(&clang_lines);
    compiled_close(&full);
}

static void must_refuse(const char *command, const char *words)
{
    struct compiled compiled = compile_plain(command, "form", source);
    struct refusal why = {0};

    assert_int_equal(object_dwarf_open(&compiled.dwarf, "form.o", compiled.object, &why), -1);
    assert_null(compiled.dwarf);
    assert_int_equal(why.items[0].code, HP_LATER);
    assert_non_null(strstr(refusal_text(&why, 0), words));
    refusal_clear(&why);
    compiled_close(&compiled);
}

static void forms_that_cannot_be_read_are_refused_with_the_flag(void **state)
{
    (void)state;
    must_refuse("gcc -g -gsplit-dwarf", "-gno-split-dwarf");
    must_refuse("gcc -gdwarf-4 -gsplit-dwarf", "-gno-split-dwarf");
    must_refuse("clang -gdwarf-4 -gsplit-dwarf", "-gno-split-dwarf");
    must_refuse("clang -gdwarf-5 -gsplit-dwarf", "-gno-split-dwarf");
    must_refuse("gcc -gdwarf-4 -fdebug-types-section", "-fno-debug-types-section");
    must_refuse("gcc -gdwarf-5 -fdebug-types-section", "-fno-debug-types-section");
}

/* What `build` appends to every command. */
static void the_flags_that_undo_these_forms_work(void **state)
{
    static const char *const commands[] = {
        "gcc -gsplit-dwarf -gz -fdebug-types-section -g1",
        "clang -gsplit-dwarf -gz -fdebug-types-section -g1",
        "gcc -ggdb1",
        "gcc -g3 -gdwarf-4 -fdebug-types-section",
        "clang -gline-tables-only",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
        char command[256];
        struct compiled compiled;

        snprintf(command, sizeof(command),
                 "%s -g -gno-split-dwarf -gz=none -fno-debug-types-section", commands[i]);
        compiled = compile_object(command, "undone", source);
        if (!object_dwarf_has_types(compiled.dwarf))
            fail_msg("no types: %s", command);
        compiled_close(&compiled);
    }
}

/* Overwrite the last byte of the section, and open the debug information. */
static void must_refuse_damage(const char *command, const char *section_name)
{
    struct compiled compiled = compile_plain(command, "damaged", source);
    struct object_dwarf *dwarf = NULL;
    struct refusal why = {0};
    bool found = false;

    for (size_t i = 1; i < compiled.object->section_count; i++) {
        const struct rel_section *section = &compiled.object->sections[i];

        if (strcmp(section->name, section_name) != 0)
            continue;
        compiled.file.bytes[section->bytes - compiled.object->bytes + section->size - 1] = 'x';
        found = true;
    }
    assert_true(found);
    assert_int_not_equal(object_dwarf_open(&dwarf, "damaged.o", compiled.object, &why), 0);
    assert_int_equal(why.items[0].code, HP_ELF_CORRUPT);
    assert_non_null(strstr(refusal_text(&why, 0), "its DWARF is damaged"));
    refusal_clear(&why);
    compiled_close(&compiled);
}

static void names_without_an_end_are_refused(void **state)
{
    (void)state;
    must_refuse_damage("gcc -gdwarf-4", ".debug_str");
    must_refuse_damage("gcc -gdwarf-5", ".debug_line_str");
    must_refuse_damage("clang -gdwarf-5", ".debug_str");
}

static void flags_that_depend_on_the_whole_program_are_found(void **state)
{
    struct compiled plain = compile_object("gcc -g -O2", "plain", source);
    struct compiled lto = compile_object("gcc -g -O2 -flto -ffat-lto-objects", "lto", source);
    struct compiled whole =
        compile_object("gcc -g -O2 -fwhole-program", "whole", "int main(void) { return 0; }");

    (void)state;
    assert_null(object_dwarf_whole_program(plain.dwarf));
    assert_string_equal(object_dwarf_whole_program(lto.dwarf), "-flto");
    assert_string_equal(object_dwarf_whole_program(whole.dwarf), "-fwhole-program");
    assert_non_null(strstr(object_dwarf_producer(plain.dwarf), "GNU C"));
    assert_false(object_dwarf_is_cxx(plain.dwarf));
    compiled_close(&plain);
    compiled_close(&lto);
    compiled_close(&whole);
}

static void a_cxx_unit_is_known_and_its_variables_have_linkage_names(void **state)
{
    static const char *const commands[] = {"g++ -g -O2", "clang++ -g -O2"};
    static const char cxx[] =
        "namespace space { struct thing { static int shared; int a; }; int thing::shared = 4;\n"
        "static int own; int f(thing &t) { static int calls; return ++calls + own++ + t.a + "
        "thing::shared; } }\n";

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct compiled compiled = compile_object(commands[i], "cxx", cxx);

        assert_true(object_dwarf_is_cxx(compiled.dwarf));
        assert_string_equal(named(&compiled, "shared", 0)->linkage, "_ZN5space5thing6sharedE");
        assert_string_equal(named(&compiled, "calls", 0)->function, "f");
        assert_string_equal(named(&compiled, "own", 0)->type, "int");
        compiled_close(&compiled);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_global_has_its_place_type_size_and_line),
        cmocka_unit_test(statics_of_functions_are_told_apart),
        cmocka_unit_test(a_thread_local_has_the_place_in_its_section),
        cmocka_unit_test(a_common_variable_is_placed_at_its_symbol),
        cmocka_unit_test(a_function_is_found_at_its_place),
        cmocka_unit_test(a_clone_has_the_name_of_its_function),
        cmocka_unit_test(the_cold_part_belongs_to_its_function),
        cmocka_unit_test(a_function_that_was_merged_with_another_keeps_its_name),
        cmocka_unit_test(a_source_without_a_parameter_or_result_has_types),
        cmocka_unit_test(a_source_without_code_has_nothing_that_lacks_types),
        cmocka_unit_test(an_object_without_debug_information_has_no_types),
        cmocka_unit_test(forms_that_cannot_be_read_are_refused_with_the_flag),
        cmocka_unit_test(the_flags_that_undo_these_forms_work),
        cmocka_unit_test(names_without_an_end_are_refused),
        cmocka_unit_test(flags_that_depend_on_the_whole_program_are_found),
        cmocka_unit_test(a_cxx_unit_is_known_and_its_variables_have_linkage_names),
    };

    return cmocka_run_group_tests(tests, directory_make, directory_remove);
}
