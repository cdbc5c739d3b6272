/*
 * test_baseline.c - resolve/baseline.c: objects of unedited sources are equal to the program that was linked from them,
 * whatever the flags, compiler and linker; those of other flags or other sources are not; and what is found of each symbol
 * agrees with .symtab.
 *
 *   test_baseline [all [FROM]]    more flags, compilers and linkers, from the one of that name on
 */
#include "resolve/baseline.h"

#include <elf.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "elf/binary_read.h"
#include "elf/rel_object_read.h"
#include "tests/support/directory.h"
#include "tests/support/harness.h"

enum { LINE = 2048 };

struct way {
    const char *name, *compiler, *flags, *link;
};

/* Those up to the empty one are what `make check` runs. */
static const struct way ways[] = {
    {"O2", "gcc", "-O2", "-pie"},
    {"O0", "gcc", "-O0", "-pie"},
    {"nopie", "gcc", "-O3 -fno-pie", "-no-pie"},
    {"noplt", "gcc", "-O2 -fno-plt -fPIC -fcf-protection=full -D_FORTIFY_SOURCE=2", "-Wl,-z,now"},
    {"sections", "gcc", "-Os -fcommon -ffunction-sections -fdata-sections", "-Wl,--gc-sections"},
    {"clang", "clang", "-O2 -fPIC", "-pie -Wl,-z,pack-relative-relocs"},
    {"lld", "clang", "-O2 -fPIC -fno-plt -ffunction-sections", "-fuse-ld=lld -Wl,--icf=all"},
    {"gold", "gcc", "-O2 -fPIC", "-fuse-ld=gold"},
    {NULL, NULL, NULL, NULL},
    {"O1", "gcc", "-O1", "-pie"},
    {"O3", "gcc", "-O3", "-pie"},
    {"Os", "gcc", "-Os", "-pie"},
    {"descriptors", "gcc", "-O2 -fPIC -mtls-dialect=gnu2", "-pie"},
    {"norelax", "gcc", "-O2 -fPIC -fno-plt", "-Wl,--no-relax"},
    {"entries", "gcc", "-O2 -fpatchable-function-entry=16,4", "-pie"},
    {"profile", "gcc", "-O2 -pg -mfentry", "-pg"},
    {"align", "gcc", "-O2 -falign-functions=64 -falign-loops=32", "-pie"},
    {"vectors", "gcc", "-O3 -march=haswell -ffast-math", "-pie"},
    {"vectors512", "gcc", "-O3 -march=skylake-avx512", "-pie"},
    {"semantic", "gcc", "-O2 -fno-semantic-interposition", "-pie"},
    {"goldicf", "gcc", "-O2 -ffunction-sections", "-fuse-ld=gold -Wl,--icf=all -Wl,--gc-sections"},
    {"goldnopie", "gcc", "-O2 -fno-pie", "-no-pie -fuse-ld=gold"},
    {"goldnoplt", "gcc", "-O2 -fno-plt -fPIC", "-fuse-ld=gold"},
    {"lldnopie", "gcc", "-O2 -fno-pie", "-no-pie -fuse-ld=lld"},
    {"lldnoplt", "gcc", "-O2 -fno-plt -fPIC", "-fuse-ld=lld"},
    {"llddescriptors", "gcc", "-O2 -fPIC -mtls-dialect=gnu2", "-fuse-ld=lld"},
    {"lldgc", "clang", "-O2 -ffunction-sections -fdata-sections", "-fuse-ld=lld -Wl,--gc-sections"},
    {"clangO0", "clang", "-O0", "-pie"},
    {"clangO3", "clang", "-O3 -march=haswell", "-pie"},
    {"clangOs", "clang", "-Os -fcf-protection", "-pie"},
    {"clangOz", "clang", "-Oz", "-pie"},
    {"clangnopie", "clang", "-O2 -fno-pie", "-no-pie"},
    {"clanggold", "clang", "-O3 -fPIC", "-fuse-ld=gold"},
};

/* ------------------------------------------------------- building --- */

/* Run a command in the scratch directory. */
static bool run(const char *format, ...) __attribute__((format(printf, 1, 2)));
static bool run(const char *format, ...)
{
    char command[LINE], line[2 * LINE];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(command, sizeof command, format, arguments);
    va_end(arguments);
    snprintf(line, sizeof line, "cd '%s' && { %s; } >out.txt 2>&1", directory, command);
    if (system(line) == 0)
        return true;
    snprintf(line, sizeof line, "cat '%s'/out.txt >&2", directory);
    return system(line) != 0 && false;
}

static void copy_sources(void)
{
    static const char *const names[] = {"compared", "compared_ext", "compared_twin",
                                        "compared_library"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char name[64];
        snprintf(name, sizeof name, "tests/hosts/parts/%s.c", names[i]);
        assert_true(run("cp '%s' .", source_file(name)));
    }
}

/* Compile SOURCE.c as it is built (NAME.o), and as it is compared (NAME.compared.o). */
static bool compile_both(const struct way *way, const char *source, const char *more,
                         const char *name)
{
    return run("%s -w %s %s -c %s.c -o %s.o && "
               "%s -w %s %s -g -ffunction-sections -fdata-sections -c %s.c -o %s.compared.o",
               way->compiler, way->flags, more, source, name, way->compiler, way->flags, more,
               source, name);
}

static bool build_program(const struct way *way)
{
    return compile_both(way, "compared", "", "compared") &&
           compile_both(way, "compared_ext", "", "compared_ext") &&
           compile_both(way, "compared_twin", "-DNAME=twin_one", "twin_one") &&
           compile_both(way, "compared_twin", "-DNAME=twin_two", "twin_two") &&
           run("%s -w %s compared.o twin_one.o twin_two.o compared_ext.o -o program %s "
               "-Wl,--build-id",
               way->compiler, way->flags, way->link);
}

/* ------------------------------------------------------- comparing --- */

struct comparison {
    struct binary *binary;
    struct file file;
    struct rel_object *object;
    struct baseline *baseline;
};

static int open_file(const char *name)
{
    int descriptor = open(path_of(directory, name), O_RDONLY | O_CLOEXEC);

    if (descriptor < 0)
        fail_msg("%s cannot be opened", name);
    return descriptor;
}

static struct binary *open_binary(const char *name, const char *debug)
{
    struct elf_error fault = {ELF_OK, ""};
    struct binary *binary;
    int file = open_file(name), symbols = debug ? open_file(debug) : -1;

    if (binary_open(&binary, file, symbols, &fault))
        fail_msg("%s: %s", name, fault.text);
    close(file);
    if (debug)
        close(symbols);
    return binary;
}

static struct rel_object *open_object(const char *name, struct file *file)
{
    struct elf_error fault = {ELF_OK, ""};
    struct rel_object *object;

    *file = file_read(path_of(directory, name));
    if (rel_object_open(&object, file->bytes, file->size, &fault))
        fail_msg("%s: %s", name, fault.text);
    return object;
}

static struct comparison compare(const char *binary, const char *debug, const char *object)
{
    struct comparison out = {.binary = open_binary(binary, debug)};
    struct refusal why = {0};

    out.object = open_object(object, &out.file);
    if (baseline_compare(&out.baseline, out.binary, out.object, NULL, &why))
        fail_msg("%s: %s", object, refusal_text(&why, 0));
    return out;
}

static void comparison_end(struct comparison *comparison)
{
    baseline_free(comparison->baseline);
    rel_object_close(comparison->object);
    file_free(&comparison->file);
    binary_close(comparison->binary);
}

static uint32_t symbol_of(const struct comparison *comparison, const char *name)
{
    uint32_t index = rel_symbol_named(comparison->object, name);

    if (!index)
        fail_msg("the object has no '%s'", name);
    return index;
}

static enum baseline_verdict verdict_of(const struct comparison *comparison, const char *name)
{
    const struct baseline_function *function =
        baseline_function(comparison->baseline, symbol_of(comparison, name));

    if (!function)
        fail_msg("'%s' is no function", name);
    return function->verdict;
}

static const struct baseline_symbol *found(const struct comparison *comparison, const char *name)
{
    return &comparison->baseline->symbols[symbol_of(comparison, name)];
}

/* ------------------------------------------------------- agreement with .symtab --- */

static int same_name(const struct binary_symbol *symbol, void *context)
{
    return strcmp(symbol->name, context) == 0;
}

static bool names_place(const struct comparison *comparison, const char *name, uint64_t address)
{
    uint64_t word;

    return address == 0 ||
           binary_at(comparison->binary, address, same_name, (void *)(uintptr_t)name) ||
           binary_is_stub(comparison->binary, address, &word);
}

static bool names_tls(const struct comparison *comparison, const char *name, int64_t offset)
{
    for (size_t i = 0; i < binary_symbol_count(comparison->binary); i++) {
        const struct binary_symbol *symbol = binary_symbol(comparison->binary, i);
        if (symbol->type == STT_TLS && (int64_t)symbol->address == offset &&
            strcmp(symbol->name, name) == 0)
            return true;
    }
    return strcmp(name, "_TLS_MODULE_BASE_") == 0;
}

/* Fail where evidence of a symbol with a name is not what .symtab says of that name. */
static void agrees_with_symtab(const struct comparison *comparison, const char *file)
{
    for (uint32_t i = 1; i < comparison->baseline->symbol_count; i++) {
        const struct rel_symbol *symbol = &comparison->object->symbols[i];
        const struct baseline_symbol *known = &comparison->baseline->symbols[i];
        if (symbol->type == STT_SECTION || symbol->name[0] == '.' || !symbol->name[0])
            continue;
        if (known->conflict)
            fail_msg("%s: two places of '%s'", file, symbol->name);
        if (known->has_address && !names_place(comparison, symbol->name, known->address))
            fail_msg("%s: '%s' is not at 0x%llx", file, symbol->name,
                     (unsigned long long)known->address);
        if (known->has_call && !names_place(comparison, symbol->name, known->call))
            fail_msg("%s: '%s' is not called at 0x%llx", file, symbol->name,
                     (unsigned long long)known->call);
        if (known->has_tls && !names_tls(comparison, symbol->name, known->tls))
            fail_msg("%s: '%s' is no thread-local at %lld", file, symbol->name,
                     (long long)known->tls);
    }
}

/* Fail where a function is not equal; those that the linker left out count as equal where that is allowed. */
static void all_equal(const struct way *way, const char *binary, const char *object, bool absent)
{
    struct comparison comparison = compare(binary, NULL, object);
    const struct baseline *baseline = comparison.baseline;

    for (size_t i = 0; i < baseline->function_count; i++) {
        const struct baseline_function *function = &baseline->functions[i];
        const char *name = comparison.object->symbols[function->symbol].name;
        bool weak = strcmp(name, "weak_elsewhere") == 0;
        if (function->verdict != BASELINE_EQUAL && function->verdict != BASELINE_SHARED &&
            !(function->verdict == BASELINE_ABSENT && (absent || weak)))
            fail_msg("%s: %s: %s: verdict %d %s", way->name, object, name, (int)function->verdict,
                     function->reason ? function->reason : "");
    }
    agrees_with_symtab(&comparison, object);
    comparison_end(&comparison);
}

static const struct way *way_named(const char *name)
{
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        if (ways[i].name && strcmp(ways[i].name, name) == 0)
            return &ways[i];
    }
    fail_msg("no way is called %s", name);
    return NULL;
}

static const struct way *built_way;

/* Build the program so, unless it was the last one built. */
static void need_way(const char *name)
{
    const struct way *way = way_named(name);

    if (built_way == way)
        return;
    copy_sources();
    built_way = NULL;
    if (!build_program(way))
        fail_msg("%s cannot be built", way->name);
    built_way = way;
}

/* ------------------------------------------------------- equal --- */

static bool leaves_out(const struct way *way)
{
    return strstr(way->link, "gc-sections") || strstr(way->link, "icf");
}

static void way_is_equal(const struct way *way)
{
    static const char *const objects[] = {"compared.compared.o", "compared_ext.compared.o",
                                          "twin_one.compared.o", "twin_two.compared.o"};

    need_way(way->name);
    for (size_t i = 0; i < sizeof objects / sizeof objects[0]; i++)
        all_equal(way, "program", objects[i], leaves_out(way));
}

static void library_is_equal(const struct way *way)
{
    char flags[128];
    struct way library = *way;

    snprintf(flags, sizeof flags, "%s -fPIC", way->flags);
    library.flags = flags;
    copy_sources();
    if (!compile_both(&library, "compared_library", "", "library") ||
        !run("%s -shared %s library.o -o library.so %s", way->compiler, flags,
             strstr(way->link, "pie") ? "" : way->link))
        fail_msg("the library cannot be built: %s", way->name);
    all_equal(way, "library.so", "library.compared.o", leaves_out(way));
}

static void unedited_sources_are_equal_however_they_are_built(void **state)
{
    (void)state;
    for (const struct way *way = ways; way->name; way++)
        way_is_equal(way);
}

static void unedited_libraries_are_equal(void **state)
{
    static const char *const some[] = {"O2", "noplt", "lld", "descriptors"};

    (void)state;
    for (size_t i = 0; i < sizeof some / sizeof some[0]; i++)
        library_is_equal(way_named(some[i]));
}

/* ------------------------------------------------------- where symbols lie --- */

static void evidence_says_how_symbols_are_reached(void **state)
{
    (void)state;
    need_way("noplt");
    struct comparison comparison = compare("program", NULL, "compared.compared.o");
    uint64_t address;

    assert_true(found(&comparison, "puts")->has_got);
    assert_true(binary_unique(comparison.binary, "common_int", &address));
    assert_int_equal(found(&comparison, "common_int")->address, address);
    assert_true(found(&comparison, "own_tls")->has_tls);
    assert_true(found(&comparison, "static_tls")->has_tls);
    assert_true(found(&comparison, "__errno_location")->has_got);
    assert_true(found(&comparison, "global_ifunc")->has_got);
    assert_true(found(&comparison, "main")->by_name);
    comparison_end(&comparison);

    need_way("O2");
    comparison = compare("program", NULL, "compared.compared.o");
    uint64_t word;
    assert_true(binary_is_stub(comparison.binary, found(&comparison, "puts")->call, &word));
    assert_false(found(&comparison, "puts")->has_address);
    assert_true(found(&comparison, "local_array")->has_address);
    assert_false(found(&comparison, "local_array")->by_name);
    comparison_end(&comparison);
}

static void thread_locals_of_a_library_are_found_by_their_words(void **state)
{
    (void)state;
    library_is_equal(way_named("O2"));
    struct comparison comparison = compare("library.so", NULL, "library.compared.o");

    assert_true(found(&comparison, "library_tls")->has_tls_pair);
    assert_true(comparison.baseline->has_tls_module);
    assert_true(found(&comparison, "static_tls")->has_tls);
    comparison_end(&comparison);
}

static void two_files_of_one_name_are_told_apart_by_what_leads_to_their_statics(void **state)
{
    (void)state;
    need_way("O2");
    struct comparison one = compare("program", NULL, "twin_one.compared.o");
    struct comparison two = compare("program", NULL, "twin_two.compared.o");

    assert_int_equal(verdict_of(&one, "bump"), BASELINE_EQUAL);
    assert_int_equal(verdict_of(&two, "bump"), BASELINE_EQUAL);
    assert_true(found(&one, "bump")->call != found(&two, "bump")->call);
    assert_true(found(&one, "count")->has_address && found(&two, "count")->has_address);
    assert_true(found(&one, "count")->address != found(&two, "count")->address);
    comparison_end(&one);
    comparison_end(&two);
}

static void a_weak_function_of_another_file_is_absent(void **state)
{
    (void)state;
    need_way("O2");
    struct comparison comparison = compare("program", NULL, "compared.compared.o");

    assert_int_equal(verdict_of(&comparison, "weak_elsewhere"), BASELINE_ABSENT);
    assert_int_equal(verdict_of(&comparison, "weak_here"), BASELINE_EQUAL);
    comparison_end(&comparison);
}

static void a_function_that_the_linker_dropped_is_absent(void **state)
{
    (void)state;
    need_way("sections");
    struct comparison comparison = compare("program", NULL, "compared.compared.o");

    assert_int_equal(verdict_of(&comparison, "never_called"), BASELINE_ABSENT);
    assert_int_equal(verdict_of(&comparison, "main"), BASELINE_EQUAL);
    comparison_end(&comparison);
}

static void a_function_that_the_linker_folded_with_another_is_told(void **state)
{
    (void)state;
    assert_true(run("printf 'int one(int a) { return a * 7 + 3; }\\n"
                    "int main(int c, char **v) { (void)v; return one(c) * 5; }\\n' >folded.c && "
                    "printf 'int two(int a) { return a * 7 + 3; }\\n"
                    "int (*pointer)(int) = two;\\n' >other.c && "
                    "gcc -O1 -ffunction-sections -c folded.c other.c && "
                    "gcc folded.o other.o -o folded -fuse-ld=lld -Wl,--icf=all"));
    struct comparison comparison = compare("folded", NULL, "folded.o");

    assert_int_equal(verdict_of(&comparison, "one"), BASELINE_SHARED);
    assert_int_equal(verdict_of(&comparison, "main"), BASELINE_EQUAL);
    comparison_end(&comparison);
}

/* ------------------------------------------------------- different --- */

struct edit {
    const char *from, *to, *function;
    enum baseline_verdict verdict;
};

static const struct edit edits[] = {
    {"\"first case\"", "\"first cast\"", "jump_table", BASELINE_CONTENT},
    {"return global_array[2];\n    case 3", "return global_array[3];\n    case 3", "jump_table",
     BASELINE_DIFFERS},
    {"return local_array[3];", "return local_array[4];", "jump_table", BASELINE_DIFFERS},
    {"case 7:\n        return 77;\n    case 9:\n        return -5;",
     "case 9:\n        return 77;\n    case 7:\n        return -5;", "jump_table",
     BASELINE_DIFFERS},
    {"\"gamma\"", "\"gamme\"", "table_of_names", BASELINE_CONTENT},
    {"return 12345;", "return 12346;", "table_of_values", BASELINE_CONTENT},
    {"{&&a, &&b, &&c, &&d}", "{&&a, &&c, &&b, &&d}", "labels", BASELINE_DIFFERS},
    {"\"hello world\"", "\"hallo world\"", "tails", BASELINE_CONTENT},
    {"x * 3.25", "x * 3.5", "numbers_of_eight", BASELINE_CONTENT},
    {"{5, 6, 7, 8}", "{5, 6, 7, 9}", "numbers_of_sixteen", BASELINE_CONTENT},
    {"hidden_function, numbers + 1}", "one_more, numbers + 1}", "main", BASELINE_CONTENT},
    {"global_ifunc, numbers + 2}", "global_ifunc, numbers + 1}", "main", BASELINE_CONTENT},
    {"2.5, 3.5, 4.5}", "2.5, 3.75, 4.5}", "main", BASELINE_CONTENT},
    {"return a - hidden_data", "return a - common_int", "protected_function", BASELINE_DIFFERS},
    {"sum(p, 5)", "sum(p, 6)", "with_parts", BASELINE_DIFFERS},
    {"extern_tls += i;\n    own_tls++;", "own_tls += i;\n    extern_tls++;", "thread_locals",
     BASELINE_DIFFERS},
    {"static_tls[1];", "static_tls[2];", "thread_locals", BASELINE_DIFFERS},
    {"local_array[i - 4]", "local_array[i - 5]", "before_the_array", BASELINE_DIFFERS},
    {"\"negative %d", "\"negative %u", "sum", BASELINE_CONTENT},
    {"twin_one(count) + twin_two(count)", "twin_two(count) + twin_one(count)", "main",
     BASELINE_DIFFERS},
    {"return x ^ 5;", "return x ^ 6;", "aliased", BASELINE_DIFFERS},
    {"cold_function(\"big\")", "cold_function(\"bag\")", "hot_function.cold", BASELINE_CONTENT},
};

static void write_edited(const struct edit *edit)
{
    char *text = file_text(source_file("tests/hosts/parts/compared.c"));
    const char *at = strstr(text, edit->from);
    FILE *out = fopen(path_of(directory, "compared.c"), "we");

    if (!at)
        fail_msg("compared.c has no '%s'", edit->from);
    assert_non_null(out);
    fprintf(out, "%.*s%s%s", (int)(at - text), text, edit->to, at + strlen(edit->from));
    fclose(out);
    free(text);
}

static void an_edited_source_differs_in_the_function_of_the_edit(void **state)
{
    (void)state;
    need_way("O2");
    for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
        write_edited(&edits[i]);
        if (!run("gcc -w -O2 -ffunction-sections -fdata-sections -c compared.c -o edited.o"))
            fail_msg("'%s' does not compile", edits[i].to);
        struct comparison comparison = compare("program", NULL, "edited.o");
        enum baseline_verdict verdict = verdict_of(&comparison, edits[i].function);
        if (verdict != edits[i].verdict)
            fail_msg("'%s': verdict %d of %s", edits[i].to, (int)verdict, edits[i].function);
        comparison_end(&comparison);
    }
    copy_sources();
}

static void other_flags_are_refused_with_function_and_instruction(void **state)
{
    static const char *const others[] = {
        "-O3", "-O1", "-Os", "-O2 -fno-pie", "-O2 -fcf-protection", "-O2 -fstack-protector-all"};

    (void)state;
    need_way("O2");
    struct binary *binary = open_binary("program", NULL);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct refusal why = {0};
        struct baseline *baseline;
        struct file file;

        assert_true(run("gcc -w %s -ffunction-sections -fdata-sections -c compared.c -o other.o",
                        others[i]));
        struct rel_object *object = open_object("other.o", &file);
        assert_int_equal(baseline_make(&baseline, binary, object, NULL, &why), -1);
        assert_int_equal(why.items[0].code, HP_BASELINE);
        assert_non_null(strstr(refusal_text(&why, 0), "compared.c: "));
        assert_non_null(strstr(refusal_text(&why, 0), " at +0x"));
        refusal_clear(&why);
        rel_object_close(object);
        file_free(&file);
    }
    binary_close(binary);
}

static void a_file_that_is_not_in_the_binary_is_refused(void **state)
{
    (void)state;
    need_way("O2");
    struct binary *binary = open_binary("program", NULL);
    struct refusal why = {0};
    struct baseline *baseline;
    struct file file;

    assert_true(run("echo 'int no_such(int a) { return a; }' >new.c && gcc -O2 -c new.c"));
    struct rel_object *object = open_object("new.o", &file);
    assert_int_equal(baseline_make(&baseline, binary, object, NULL, &why), -1);
    assert_int_equal(why.items[0].code, HP_BASELINE);
    refusal_clear(&why);
    rel_object_close(object);
    file_free(&file);
    binary_close(binary);
}

/* ------------------------------------------------------- stripped binaries --- */

static void a_debug_file_gives_the_symbols_of_a_stripped_binary(void **state)
{
    (void)state;
    need_way("O2");
    assert_true(run("objcopy --only-keep-debug program program.debug && "
                    "strip -o stripped program && strip -g -o nofiles program && "
                    "strip -o again stripped"));
    struct comparison comparison = compare("stripped", "program.debug", "compared.compared.o");
    assert_int_equal(comparison.baseline->differs, 0);
    assert_int_equal(verdict_of(&comparison, "main"), BASELINE_EQUAL);
    assert_false(binary_is_twin(comparison.binary));
    comparison_end(&comparison);
}

static void a_twin_gives_the_symbols_of_a_stripped_binary(void **state)
{
    (void)state;
    need_way("O2");
    assert_true(run("strip -o stripped program && "
                    "gcc -w -O2 compared.o twin_one.o twin_two.o compared_ext.o -o twin -pie "
                    "-Wl,--build-id=0x00112233445566778899aabbccddeeff00112233"));
    struct comparison comparison = compare("stripped", "twin", "compared.compared.o");
    assert_int_equal(comparison.baseline->differs, 0);
    assert_true(binary_is_twin(comparison.binary));
    comparison_end(&comparison);
}

static void a_debug_file_of_another_binary_is_refused(void **state)
{
    struct elf_error fault = {ELF_OK, ""};
    struct binary *binary;

    (void)state;
    need_way("O2");
    assert_true(run("strip -o stripped program && "
                    "gcc -shared -x c /dev/null -o other -Wl,--build-id"));
    int file = open_file("stripped"), debug = open_file("other");
    assert_int_equal(binary_open(&binary, file, debug, &fault), -1);
    assert_int_equal(fault.code, ELF_OTHER_BINARY);
    close(file);
    close(debug);
}

static void a_binary_without_names_is_refused(void **state)
{
    (void)state;
    need_way("O2");
    assert_true(run("strip -o stripped program"));
    struct binary *binary = open_binary("stripped", NULL);
    struct refusal why = {0};
    struct baseline *baseline;
    struct file file;
    struct rel_object *object = open_object("compared.compared.o", &file);

    assert_int_equal(baseline_compare(&baseline, binary, object, NULL, &why), -1);
    assert_int_equal(why.items[0].code, HP_NO_SYMBOLS);
    refusal_clear(&why);
    rel_object_close(object);
    file_free(&file);
    binary_close(binary);
}

static void a_binary_without_the_names_of_statics_is_refused(void **state)
{
    (void)state;
    need_way("O2");
    assert_true(run("strip -x -o locals program"));
    struct binary *binary = open_binary("locals", NULL);
    struct refusal why = {0};
    struct baseline *baseline;
    struct file file;
    struct rel_object *object = open_object("compared.compared.o", &file);

    assert_int_equal(baseline_make(&baseline, binary, object, NULL, &why), -1);
    assert_int_equal(why.items[0].code, HP_NO_SYMBOLS);
    refusal_clear(&why);
    rel_object_close(object);
    file_free(&file);
    binary_close(binary);
}

/* ------------------------------------------------------- main --- */

static const char *first_way = "O2";

static void all_ways_are_equal(void **state)
{
    (void)state;
    for (const struct way *way = way_named(first_way); way < ways + sizeof ways / sizeof ways[0];
         way++) {
        if (!way->name)
            continue;
        printf("%s\n", way->name);
        way_is_equal(way);
        library_is_equal(way);
    }
}

#define T(name) cmocka_unit_test(name)

int main(int count, char **arguments)
{
    const struct CMUnitTest all[] = {T(all_ways_are_equal)};
    const struct CMUnitTest tests[] = {
        T(unedited_sources_are_equal_however_they_are_built),
        T(unedited_libraries_are_equal),
        T(evidence_says_how_symbols_are_reached),
        T(thread_locals_of_a_library_are_found_by_their_words),
        T(two_files_of_one_name_are_told_apart_by_what_leads_to_their_statics),
        T(a_weak_function_of_another_file_is_absent),
        T(a_function_that_the_linker_dropped_is_absent),
        T(a_function_that_the_linker_folded_with_another_is_told),
        T(an_edited_source_differs_in_the_function_of_the_edit),
        T(other_flags_are_refused_with_function_and_instruction),
        T(a_file_that_is_not_in_the_binary_is_refused),
        T(a_debug_file_gives_the_symbols_of_a_stripped_binary),
        T(a_twin_gives_the_symbols_of_a_stripped_binary),
        T(a_debug_file_of_another_binary_is_refused),
        T(a_binary_without_names_is_refused),
        T(a_binary_without_the_names_of_statics_is_refused),
    };

    if (count > 2)
        first_way = arguments[2];
    if (count > 1 && strcmp(arguments[1], "all") == 0)
        return cmocka_run_group_tests_name("all", all, directory_make, directory_remove);
    return cmocka_run_group_tests_name("baseline", tests, directory_make, directory_remove);
}
