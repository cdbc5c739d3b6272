/*
 * test_resolver.c - what a target means: the order of declared slots, functions and imports, and which functions of
 * an object a target names.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "elf/functions.h"
#include "elf/functions_read.h"
#include "resolve/resolver.h"
#include "tests/support/objects.h"

/* ---- the choice ---- */

/* What there is under the name, and what was searched for. */
struct world {
    size_t declared, place, functions, by_definer, by_importer;
    bool has_place, unpatchable;
    char searched[64]; /* one letter for each step */
};

static void note(struct world *world, char letter)
{
    size_t length = strlen(world->searched);

    world->searched[length] = letter;
    world->searched[length + 1] = '\0';
}

static size_t count_declared(const struct symbol_spec *spec, void *context)
{
    struct world *world = context;

    (void)spec;
    note(world, 'd');
    return world->declared;
}

static bool find_place(const struct symbol_spec *spec, size_t *count, void *context)
{
    struct world *world = context;

    (void)spec;
    note(world, 'p');
    *count = world->place;
    return world->has_place;
}

static size_t count_functions(const struct symbol_spec *spec, void *context)
{
    struct world *world = context;

    (void)spec;
    note(world, 'f');
    return world->functions;
}

static bool is_patchable(void *context)
{
    return !((struct world *)context)->unpatchable;
}

static size_t count_imports(const struct symbol_spec *spec, enum resolver_side side, void *context)
{
    struct world *world = context;

    (void)spec;
    note(world, side == RESOLVER_DEFINER ? 'i' : 'I');
    return side == RESOLVER_DEFINER ? world->by_definer : world->by_importer;
}

static const struct resolver_source source = {count_declared, find_place, count_functions,
                                              is_patchable, count_imports};

static void assert_choice(const char *text, struct world world, enum resolver_kind kind,
                          size_t count, const char *searched)
{
    struct resolver_choice choice;
    struct symbol_spec spec;

    assert_int_equal(symbol_spec_parse(text, &spec), 0);
    choice = resolver_choose(&spec, &source, &world);
    assert_int_equal(choice.kind, kind);
    assert_int_equal(choice.count, count);
    assert_string_equal(world.searched, searched);
}

static void a_declared_slot_comes_before_functions_and_imports(void **state)
{
    (void)state;
    assert_choice("f", (struct world){.declared = 1, .functions = 1, .by_definer = 1},
                  RESOLVER_DECLARED, 1, "d");
    assert_choice("f", (struct world){.declared = 2}, RESOLVER_DECLARED, 2, "d");
}

static void a_function_comes_before_imports(void **state)
{
    (void)state;
    assert_choice("f", (struct world){.functions = 1, .by_definer = 1}, RESOLVER_FUNCTION, 1,
                  "dpf");
}

static void several_functions_are_ambiguous_whatever_is_imported(void **state)
{
    (void)state;
    assert_choice("f", (struct world){.functions = 3, .by_definer = 1}, RESOLVER_FUNCTION, 3,
                  "dpf");
}

static void a_function_that_cannot_be_patched_leaves_its_imports(void **state)
{
    (void)state;
    assert_choice("f", (struct world){.functions = 1, .unpatchable = true, .by_definer = 1},
                  RESOLVER_IMPORT, 1, "dpfi");
    assert_choice("f", (struct world){.functions = 1, .unpatchable = true}, RESOLVER_NOTHING, 0,
                  "dpfi");
}

static void a_place_takes_the_function_by_name_out(void **state)
{
    (void)state;
    assert_choice("f", (struct world){.has_place = true, .place = 1, .functions = 2},
                  RESOLVER_FUNCTION, 1, "dp");
    assert_choice("f", (struct world){.has_place = true, .functions = 1, .by_definer = 1},
                  RESOLVER_NOTHING, 0, "dp");
    assert_choice(
        "f", (struct world){.has_place = true, .place = 1, .unpatchable = true, .by_definer = 1},
        RESOLVER_NOTHING, 0, "dp");
}

static void importers_count_where_object_does_not_define_the_name(void **state)
{
    (void)state;
    assert_choice("libc.so.6:f", (struct world){.by_definer = 1, .by_importer = 2}, RESOLVER_IMPORT,
                  1, "dpfi");
    assert_choice("libc.so.6:f", (struct world){.by_importer = 2}, RESOLVER_IMPORT, 2, "dpfiI");
    assert_choice("f", (struct world){.by_importer = 2}, RESOLVER_NOTHING, 0, "dpfi");
}

static void a_source_file_means_no_declared_slot_and_no_import(void **state)
{
    (void)state;
    assert_choice("f@reader.c", (struct world){.declared = 1, .by_definer = 1}, RESOLVER_NOTHING, 0,
                  "pf");
}

static void a_version_means_no_declared_slot(void **state)
{
    (void)state;
    assert_choice("f@V_1", (struct world){.declared = 1, .by_definer = 1}, RESOLVER_IMPORT, 1,
                  "pfi");
}

static void an_offset_means_a_function(void **state)
{
    (void)state;
    assert_choice("exe+0x10", (struct world){.declared = 1, .by_definer = 1}, RESOLVER_NOTHING, 0,
                  "pf");
    assert_choice("exe+0x10", (struct world){.functions = 1}, RESOLVER_FUNCTION, 1, "pf");
}

static bool has_functions(const char *text, bool is_program)
{
    struct symbol_spec spec;

    assert_int_equal(symbol_spec_parse(text, &spec), 0);
    return resolver_has_functions(&spec, is_program, "/usr/lib/libx-2.so", "libx.so.1", NULL);
}

static void without_object_the_program_has_the_functions(void **state)
{
    (void)state;
    assert_true(has_functions("f", true));
    assert_false(has_functions("f", false));
    assert_true(has_functions("libx.so.1:f", false));
    assert_true(has_functions("libx-2.so:f", false));
    assert_false(has_functions("libx.so:f", false));
    assert_false(has_functions("exe:f", false));
    assert_true(has_functions("exe:f", true));
}

/* ---- functions of one object ---- */

/* Two statics of one name, an alias, a clone, an indirect function as clang names it. */
static const char code[] = "__attribute__((used)) static int twice(int n) { return 2 * n; }\n"
                           "int plain(int n) { return twice(n) + 1; }\n"
                           "int alias(int n) __attribute__((alias(\"plain\")));\n"
                           "__attribute__((used)) static int part(int n) { return n - 7; }\n"
                           "__asm__(\".set plain.part.0, part\");\n"
                           "static int (*choose(void))(int) { return twice; }\n"
                           "int chosen(int) __attribute__((ifunc(\"choose\")));\n"
                           "__asm__(\".globl picked.ifunc\\n.set picked.ifunc, plain\");\n";

struct found {
    uint64_t address;
    size_t count;
    bool ifunc;
};

static void take(const struct function *function, void *context)
{
    struct found *found = context;

    found->address = function->address;
    found->ifunc = function->ifunc;
    found->count++;
}

static struct functions *functions_open(const char *flags, const char *text)
{
    struct elf_error error = {ELF_OK, ""};
    struct functions *functions;
    int descriptor = open(object_path(flags, text), O_RDONLY | O_CLOEXEC);

    assert_true(descriptor >= 0);
    assert_int_equal(functions_of_file(&functions, descriptor, &error), 0);
    close(descriptor);
    return functions;
}

static struct found functions_meant(const char *flags, const char *source_text, const char *text)
{
    struct functions *functions = functions_open(flags, source_text);
    struct found found = {0};
    struct symbol_spec spec;
    size_t count;

    assert_int_equal(symbol_spec_parse(text, &spec), 0);
    count = resolver_functions(functions, 0, &spec, take, &found);
    assert_int_equal(count, found.count);
    functions_close(functions);
    return found;
}

static void an_alias_is_the_same_function(void **state)
{
    (void)state;
    assert_int_equal(functions_meant(SHARED, code, "plain").count, 1);
    assert_int_equal(functions_meant(SHARED, code, "alias").address,
                     functions_meant(SHARED, code, "plain").address);
}

static void a_clone_is_found_by_its_own_name_alone(void **state)
{
    (void)state;
    assert_int_equal(functions_meant(SHARED, code, "plain.part.0").count, 1);
    assert_int_not_equal(functions_meant(SHARED, code, "plain.part.0").address,
                         functions_meant(SHARED, code, "plain").address);
}

static void an_indirect_function_is_found_by_its_source_name(void **state)
{
    (void)state;
    assert_true(functions_meant(SHARED, code, "chosen").ifunc);
    assert_int_equal(functions_meant(SHARED, code, "picked").address,
                     functions_meant(SHARED, code, "plain").address);
}

static void a_static_function_is_of_its_file(void **state)
{
    (void)state;
    assert_int_equal(functions_meant(SHARED, code, "twice").count, 1);
    assert_int_equal(functions_meant(SHARED, code, "twice@other.c").count, 0);
    assert_int_equal(functions_meant(SHARED, code, "plain@other.c").count, 0);
}

static const char versions[] = "int first(void) { return 1; }\n"
                               "int other(void) { return 2; }\n"
                               "__asm__(\".symver first,f@OLD_1\");\n"
                               "__asm__(\".symver other,f@@NEW_2\");\n";

static const char *versioned(void)
{
    static char flags[512];

    snprintf(
        flags, sizeof(flags), SHARED "-Wl,--version-script=%s",
        scratch_file("versions.map", "OLD_1 { };\nNEW_2 { global: *; local: none; } OLD_1;\n"));
    return flags;
}

static void of_several_versions_the_default_one_is_meant(void **state)
{
    struct found by_name, old, now;

    (void)state;
    by_name = functions_meant(versioned(), versions, "f");
    old = functions_meant(versioned(), versions, "f@OLD_1");
    now = functions_meant(versioned(), versions, "f@NEW_2");
    assert_int_equal(by_name.count, 1);
    assert_int_equal(old.count, 1);
    assert_int_equal(by_name.address, now.address);
    assert_int_not_equal(old.address, now.address);
    assert_int_equal(functions_meant(versioned(), versions, "f@NEW_3").count, 0);
}

static void an_offset_names_what_begins_there(void **state)
{
    struct functions *functions = functions_open(SHARED, code);
    struct found plain = functions_meant(SHARED, code, "plain");
    struct function function;

    (void)state;
    assert_true(resolver_function_at(functions, 0, plain.address, false, &function));
    assert_false(resolver_function_at(functions, 0, plain.address + 1, false, &function));
    assert_true(resolver_function_at(functions, 0, plain.address + 1, true, &function));
    assert_int_equal(function.address, plain.address + 1);
    assert_null(function.name);
    functions_close(functions);
}

static void an_offset_may_count_from_where_a_program_is_loaded(void **state)
{
    struct functions *functions = functions_open(SHARED, code);
    struct found plain = functions_meant(SHARED, code, "plain");
    struct function function;

    (void)state;
    assert_true(resolver_function_at(functions, plain.address, 0, false, &function));
    assert_int_equal(function.address, plain.address);
    functions_close(functions);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_declared_slot_comes_before_functions_and_imports),
        cmocka_unit_test(a_function_comes_before_imports),
        cmocka_unit_test(several_functions_are_ambiguous_whatever_is_imported),
        cmocka_unit_test(a_function_that_cannot_be_patched_leaves_its_imports),
        cmocka_unit_test(a_place_takes_the_function_by_name_out),
        cmocka_unit_test(importers_count_where_object_does_not_define_the_name),
        cmocka_unit_test(a_source_file_means_no_declared_slot_and_no_import),
        cmocka_unit_test(a_version_means_no_declared_slot),
        cmocka_unit_test(an_offset_means_a_function),
        cmocka_unit_test(without_object_the_program_has_the_functions),
        cmocka_unit_test(an_alias_is_the_same_function),
        cmocka_unit_test(a_clone_is_found_by_its_own_name_alone),
        cmocka_unit_test(an_indirect_function_is_found_by_its_source_name),
        cmocka_unit_test(a_static_function_is_of_its_file),
        cmocka_unit_test(of_several_versions_the_default_one_is_meant),
        cmocka_unit_test(an_offset_names_what_begins_there),
        cmocka_unit_test(an_offset_may_count_from_where_a_program_is_loaded),
    };

    return cmocka_run_group_tests(tests, objects_setup, objects_teardown);
}
