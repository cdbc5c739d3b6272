/*
 * test_symbols.c - elf/symbols.c: names, versions, hash tables, and tables that lie.
 */
#include "tests/support/objects.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

static const char source[] = "#include <stdio.h>\n"
                             "int exported(void) { return puts(\"x\"); }\n"
                             "int variable = 3; __thread int per_thread = 4;\n"
                             "static int __attribute__((noinline)) hidden_away(int i) {\n"
                             "    return i + variable + per_thread; }\n"
                             "int user(int i) { return hidden_away(i) + hidden_away(2); }\n";

static const char program[] = "#include <stdio.h>\n#include <stdlib.h>\n"
                              "int main(void) { return puts(\"x\") + rand(); }\n";

static const char versioned[] = "int first(void) { return 1; }\n"
                                "int second(void) { return 2; }\n"
                                "__asm__(\".symver first,name@OLD_1\");\n"
                                "__asm__(\".symver second,name@@NEW_2\");\n";

static struct file versioned_object(void)
{
    char flags[256];
    const char *map = scratch_file("names.map", "OLD_1 { };\nNEW_2 { global: *; } OLD_1;\n");

    snprintf(flags, sizeof flags, SHARED "-Wl,--version-script=%s", map);
    return object(flags, versioned);
}

#define GNU SHARED "-Wl,--hash-style=gnu "
#define SYSV SHARED "-Wl,--hash-style=sysv "

/* ------------------------------------------------------- listing --- */

static void defined_and_undefined_symbols_are_told_apart(void **state)
{
    (void)state;
    struct file file = object(GNU "-s", source);
    struct opened opened = object_open(&file, ET_DYN);
    struct symbols *symbols = symbols_of(opened.image);
    const struct image_symbol *puts_symbol = symbol_named(symbols, "puts");
    const struct image_symbol *exported = symbol_named(symbols, "exported");

    assert_int_equal(symbols->result, 0);
    assert_false(puts_symbol->defined);
    assert_true(exported->defined);
    assert_int_equal(exported->type, STT_FUNC);
    assert_int_equal(exported->binding, STB_GLOBAL);
    assert_int_equal(exported->value, elf_symbol(&file, "exported"));
    assert_true(exported->size > 0);
    assert_int_equal(symbol_named(symbols, "variable")->type, STT_OBJECT);
    assert_int_equal(symbol_named(symbols, "variable")->size, sizeof(int));
    assert_int_equal(symbol_named(symbols, "per_thread")->type, STT_TLS);
    object_close(&opened);
    file_free(&file);
}

static void a_static_function_has_its_file(void **state)
{
    (void)state;
    struct file file = object(GNU, source);
    struct opened opened = object_open(&file, ET_DYN);
    struct symbols *symbols = symbols_of(opened.image);
    const struct image_symbol *hidden = symbol_named(symbols, "hidden_away");

    assert_string_equal(hidden->file, "source.c");
    assert_int_equal(hidden->binding, STB_LOCAL);
    assert_false(hidden->dynamic);
    assert_true(symbol_named(symbols, "exported")->dynamic);
    assert_null(symbol_named(symbols, "exported")->file);
    object_close(&opened);
    file_free(&file);
}

static void a_stripped_object_has_no_static_function(void **state)
{
    (void)state;
    struct file file = object(GNU "-s", source);
    struct opened opened = object_open(&file, ET_DYN);
    struct image_symbol symbol;

    assert_null(symbol_named(symbols_of(opened.image), "hidden_away"));
    assert_false(image_symbol(opened.image, "hidden_away", &symbol));
    object_close(&opened);
    file_free(&file);
}

/* Its DT_GNU_HASH is empty and tells nothing of the undefined symbols. */
static void a_program_that_exports_nothing_has_its_imports(void **state)
{
    (void)state;
    struct file file = object(PROGRAM "-s -Wl,--hash-style=gnu", program);
    struct opened opened = object_open(&file, 0);

    assert_non_null(symbol_named(symbols_of(opened.image), "rand"));
    object_close(&opened);
    elf_header(&file)->e_shoff = 0;
    elf_header(&file)->e_shnum = 0;
    opened = object_open(&file, 0);
    assert_non_null(symbol_named(symbols_of(opened.image), "puts"));
    assert_non_null(symbol_named(symbols_of(opened.image), "rand"));
    object_close(&opened);
    file_free(&file);
}

static int stop_at_second(const struct image_symbol *symbol, void *context)
{
    int *count = context;

    (void)symbol;
    return ++*count == 2 ? 42 : 0;
}

static void the_callback_can_stop_the_walk(void **state)
{
    (void)state;
    struct file file = object(GNU, source);
    struct opened opened = object_open(&file, ET_DYN);
    int count = 0;

    assert_int_equal(image_symbols(opened.image, stop_at_second, &count, &opened.fault), 42);
    assert_int_equal(count, 2);
    object_close(&opened);
    file_free(&file);
}

/* ------------------------------------------------------- versions --- */

static void needed_versions_are_told(void **state)
{
    (void)state;
    struct file file = object(GNU, source);
    struct opened opened = object_open(&file, ET_DYN);
    struct symbols *symbols = symbols_of(opened.image);

    assert_string_equal(symbol_named(symbols, "puts")->version, "GLIBC_2.2.5");
    assert_null(symbol_named(symbols, "exported")->version);
    assert_false(symbol_named(symbols, "puts")->version_hidden);
    object_close(&opened);
    file_free(&file);
}

static void the_default_version_is_preferred(void **state)
{
    (void)state;
    struct file file = versioned_object();
    struct opened opened = object_open(&file, ET_DYN);
    struct symbols *symbols = symbols_of(opened.image);
    struct image_symbol found;
    unsigned hidden = 0, dynamic = 0;

    for (size_t i = 0; i < symbols->count; i++) {
        if (strcmp(symbols->items[i].name, "name") == 0 && symbols->items[i].dynamic) {
            dynamic++;
            hidden += symbols->items[i].version_hidden;
        }
    }
    assert_int_equal(dynamic, 2);
    assert_int_equal(hidden, 1);
    assert_true(image_symbol(opened.image, "name", &found));
    assert_string_equal(found.version, "NEW_2");
    assert_false(found.version_hidden);
    object_close(&opened);
    file_free(&file);
}

static void a_version_without_name_is_damage(void **state)
{
    (void)state;
    struct file file = versioned_object();
    Elf64_Verdef *definition = elf_at(&file, elf_dynamic(&file, DT_VERDEF)->d_un.d_ptr);
    Elf64_Verdef *next = (void *)((unsigned char *)definition + definition->vd_next);
    Elf64_Verdaux *name = (void *)((unsigned char *)next + next->vd_aux);

    name->vda_name = 1 << 20;
    struct opened opened = object_open(&file, ET_DYN);
    assert_int_equal(symbols_of(opened.image)->result, -1);
    assert_int_equal(symbols_of(opened.image)->fault.code, ELF_DAMAGED);
    object_close(&opened);
    file_free(&file);
}

static void versions_that_cycle_come_to_an_end(void **state)
{
    (void)state;
    struct file file = versioned_object();
    Elf64_Verdef *definition = elf_at(&file, elf_dynamic(&file, DT_VERDEF)->d_un.d_ptr);

    elf_dynamic(&file, DT_VERDEFNUM)->d_un.d_val = UINT64_MAX;
    /* unsigned 32 bits cannot go back, so many overlapping entries it is */
    definition->vd_next = 1;
    struct opened opened = object_open(&file, ET_DYN);
    symbols_of(opened.image);
    object_close(&opened);
    file_free(&file);
}

/* ------------------------------------------------------- by name --- */

static void assert_finds_each_listed(const struct image *image)
{
    const struct symbols *symbols = symbols_of(image);
    struct image_symbol found;

    for (size_t i = 0; i < symbols->count; i++) {
        const struct image_symbol *symbol = &symbols->items[i];
        if (!symbol->dynamic || !symbol->defined || symbol->version_hidden)
            continue;
        assert_true(image_symbol(image, symbol->name, &found));
        assert_string_equal(found.name, symbol->name);
        assert_int_equal(found.value, symbol->value);
    }
}

static void find_all_with(const char *flags)
{
    struct file file = object(flags, source);
    struct opened opened = object_open(&file, ET_DYN);
    struct image_symbol found;

    assert_finds_each_listed(opened.image);
    assert_false(image_symbol(opened.image, "no_such_name", &found));
    assert_false(image_symbol(opened.image, "", &found));
    object_close(&opened);
    file_free(&file);
}

static void each_export_is_found_by_gnu_hash(void **state)
{
    (void)state;
    find_all_with(GNU "-s");
}

static void each_export_is_found_by_sysv_hash(void **state)
{
    (void)state;
    find_all_with(SYSV "-s");
}

static void an_undefined_symbol_is_not_found(void **state)
{
    (void)state;
    struct file gnu = object(GNU, source), sysv = object(SYSV, source);
    struct opened one = object_open(&gnu, ET_DYN), other = object_open(&sysv, ET_DYN);
    struct image_symbol found;

    assert_false(image_symbol(one.image, "puts", &found));
    assert_false(image_symbol(other.image, "puts", &found));
    object_close(&one);
    object_close(&other);
    file_free(&gnu);
    file_free(&sysv);
}

static void an_object_without_hash_table_is_searched(void **state)
{
    (void)state;
    struct file file = object(GNU, source);
    struct image_symbol found;

    elf_dynamic(&file, DT_GNU_HASH)->d_tag = DT_DEBUG;
    struct opened opened = object_open(&file, ET_DYN);
    assert_true(image_symbol(opened.image, "exported", &found));
    assert_true(found.dynamic);
    object_close(&opened);
    file_free(&file);
}

static void a_static_function_is_found_in_symtab(void **state)
{
    (void)state;
    struct file file = object(GNU, source);
    struct opened opened = object_open(&file, ET_DYN);
    struct image_symbol found;

    assert_true(image_symbol(opened.image, "hidden_away", &found));
    assert_false(found.dynamic);
    object_close(&opened);
    file_free(&file);
}

static void a_global_goes_before_a_local_of_its_name(void **state)
{
    (void)state;
    static const char one[] = "static int __attribute__((noinline)) f(void) { return 1; }\n"
                              "int g(void) { return f(); }\n";
    const char *other = scratch_file("global.c", "int f(void) { return 2; }\n"
                                                 "int main(void) { return f(); }\n");
    char flags[256];

    snprintf(flags, sizeof flags, PROGRAM "-O0 %s", other);
    struct file file = object(flags, one);
    struct opened opened = object_open(&file, 0);
    struct image_symbol found;
    assert_true(image_symbol(opened.image, "f", &found));
    assert_int_equal(found.binding, STB_GLOBAL);
    object_close(&opened);
    file_free(&file);
}

struct versions {
    char text[64];
};

static int add_version(const struct image_symbol *symbol, void *context)
{
    struct versions *versions = context;

    assert_string_equal(symbol->name, "name");
    assert_true(symbol->dynamic && symbol->defined);
    strcat(strcat(versions->text, symbol->version), " ");
    return 0;
}

static void every_version_of_a_name_is_given(void **state)
{
    (void)state;
    struct file file = versioned_object();
    struct versions versions = {""};

    for (int hashed = 1; hashed >= 0; hashed--) {
        if (!hashed)
            elf_dynamic(&file, DT_GNU_HASH)->d_tag = DT_DEBUG;
        struct opened opened = object_open(&file, ET_DYN);
        assert_int_equal(
            image_symbols_named(opened.image, "name", add_version, &versions, &opened.fault), 0);
        assert_int_equal(
            image_symbols_named(opened.image, "other", add_version, &versions, &opened.fault), 0);
        object_close(&opened);
        assert_non_null(strstr(versions.text, "OLD_1 "));
        assert_non_null(strstr(versions.text, "NEW_2 "));
        assert_int_equal(strlen(versions.text), strlen("OLD_1 NEW_2 "));
        versions.text[0] = '\0';
    }
    file_free(&file);
}

/* ------------------------------------------------------- damage --- */

static struct opened open_damaged(struct file *file)
{
    struct opened opened = object_open(file, ET_DYN);

    assert_non_null(opened.image);
    assert_int_equal(symbols_of(opened.image)->result, -1);
    assert_int_equal(symbols_of(opened.image)->fault.code, ELF_DAMAGED);
    return opened;
}

static uint32_t *gnu_hash_of(struct file *file)
{
    return elf_at(file, elf_dynamic(file, DT_GNU_HASH)->d_un.d_ptr);
}

static uint32_t *gnu_buckets(uint32_t *table)
{
    return table + 4 + 2 * (size_t)table[2];
}

static uint32_t *sysv_hash_of(struct file *file)
{
    return elf_at(file, elf_dynamic(file, DT_HASH)->d_un.d_ptr);
}

/* All chains go on into the last one's end, which is no end any more. */
static void leave_out_ends(uint32_t *table)
{
    uint32_t *chain = gnu_buckets(table) + table[0];

    for (int i = 0; i < 5; i++)
        chain[i] &= ~1U;
}

static void lead_out(uint32_t *table)
{
    for (uint32_t i = 0; i < table[0]; i++)
        gnu_buckets(table)[i] = 0x7fffffff;
}

/* Every bucket leads to the first symbol: chains are walked once for each. */
static void share_a_chain(uint32_t *table)
{
    for (uint32_t i = 0; i < table[0]; i++)
        gnu_buckets(table)[i] = table[1];
}

static void lead_before_the_first(uint32_t *table)
{
    for (uint32_t i = 0; i < table[0]; i++)
        gnu_buckets(table)[i] = table[1] - 1;
}

static void lead_round(uint32_t *table)
{
    for (uint32_t i = 0; i < table[0] + table[1]; i++)
        table[2 + i] = 1;
}

static void lead_out_of_the_chain(uint32_t *table)
{
    for (uint32_t i = 0; i < table[0]; i++)
        table[2 + i] = table[1];
}

/* ld.so would never come back from it, or read what is not there: in the host. */
#define DAMAGED_HASH(name, flags, table_of, damage) \
    static void name(void **state)                  \
    {                                               \
        (void)state;                                \
        struct file file = object(flags, source);   \
        damage(table_of(&file));                    \
        assert_refused(&file, ELF_DAMAGED);         \
        file_free(&file);                           \
    }

DAMAGED_HASH(a_gnu_hash_bucket_out_of_the_symbols_is_refused, GNU "-s -Wl,-z,noseparate-code",
             gnu_hash_of, lead_out)
DAMAGED_HASH(a_gnu_hash_bucket_before_its_first_symbol_is_refused, GNU "-s", gnu_hash_of,
             lead_before_the_first)
DAMAGED_HASH(a_sysv_hash_chain_that_cycles_is_refused, SYSV "-s", sysv_hash_of, lead_round)
DAMAGED_HASH(a_sysv_hash_bucket_out_of_the_chain_is_refused, SYSV "-s", sysv_hash_of,
             lead_out_of_the_chain)

static void a_gnu_hash_without_buckets_is_searched(void **state)
{
    (void)state;
    struct file file = object(GNU "-s", source);
    struct image_symbol found;

    gnu_hash_of(&file)[0] = 0;
    struct opened opened = object_open(&file, ET_DYN);
    assert_true(image_symbol(opened.image, "exported", &found));
    assert_true(found.dynamic);
    object_close(&opened);
    file_free(&file);
}

/* Nothing that ld.so would have to look up in it. */
static const char alone[] = "int exported(void) { return 1; } int other(void) { return 2; }\n"
                            "int third(void) { return 3; } int fourth(void) { return 4; }\n"
                            "int fifth(void) { return 5; }\n";

static struct opened open_mapped_damaged(const char *flags, int64_t tag, void (*damage)(uint32_t *),
                                         void **handle)
{
    struct file file = object(flags, alone);
    const char *path;

    damage(elf_at(&file, elf_dynamic(&file, tag)->d_un.d_ptr));
    path = scratch_file("damaged.so", "");
    file_write(path, file.bytes, file.size, 0755);
    file_free(&file);
    *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    assert_non_null(*handle);
    return object_open_mapped(path);
}

#define MAPPED_HASH(name, flags, tag, damage)                                    \
    static void name(void **state)                                               \
    {                                                                            \
        (void)state;                                                             \
        void *handle;                                                            \
        struct image_symbol found;                                               \
        struct opened opened = open_mapped_damaged(flags, tag, damage, &handle); \
        assert_true(image_symbol(opened.image, "exported", &found));             \
        assert_true(image_symbol(opened.image, "fifth", &found));                \
        assert_false(image_symbol(opened.image, "no_such_name", &found));        \
        object_close(&opened);                                                   \
        dlclose(handle);                                                         \
    }

#define ALONE "-nostdlib -s "
MAPPED_HASH(a_mapped_object_with_shared_gnu_chains_is_searched, GNU ALONE, DT_GNU_HASH,
            share_a_chain)
MAPPED_HASH(a_mapped_object_with_endless_gnu_chains_is_searched, GNU ALONE, DT_GNU_HASH,
            leave_out_ends)
MAPPED_HASH(a_mapped_object_with_a_cycle_in_its_sysv_hash_is_searched, SYSV ALONE, DT_HASH,
            lead_round)
MAPPED_HASH(a_mapped_object_with_a_wild_sysv_bucket_is_searched, SYSV ALONE, DT_HASH,
            lead_out_of_the_chain)

static void a_sysv_hash_of_too_many_symbols_is_refused(void **state)
{
    (void)state;
    struct file file = object(SYSV, source);
    uint32_t *table = elf_at(&file, elf_dynamic(&file, DT_HASH)->d_un.d_ptr);

    table[1] = UINT32_MAX;
    assert_refused(&file, ELF_DAMAGED);
    file_free(&file);
}

static void a_name_out_of_the_string_table_is_damage(void **state)
{
    (void)state;
    struct file file = object(GNU, source);
    Elf64_Sym *symbols = elf_at(&file, elf_dynamic(&file, DT_SYMTAB)->d_un.d_ptr);

    symbols[1].st_name = UINT32_MAX;
    struct opened opened = open_damaged(&file);
    object_close(&opened);
    file_free(&file);
}

#define DAMAGED_SYMTAB(name, statement)                                  \
    static void name(void **state)                                       \
    {                                                                    \
        (void)state;                                                     \
        struct file file = object(GNU, source);                          \
        Elf64_Shdr *symtab = elf_section(&file, ".symtab");              \
        Elf64_Shdr *strtab = elf_section(&file, ".strtab");              \
        (void)symtab, (void)strtab;                                      \
        statement;                                                       \
        struct opened opened = open_damaged(&file);                      \
        struct image_symbol found;                                       \
        assert_true(image_symbol(opened.image, "exported", &found));     \
        assert_false(image_symbol(opened.image, "hidden_away", &found)); \
        object_close(&opened);                                           \
        file_free(&file);                                                \
    }

DAMAGED_SYMTAB(a_symtab_out_of_the_file_is_damage, symtab->sh_offset = UINT64_MAX - 64)
DAMAGED_SYMTAB(a_symtab_too_large_is_damage, symtab->sh_size = UINT64_MAX - 7)
DAMAGED_SYMTAB(a_symtab_of_other_entries_is_damage, symtab->sh_entsize = 1)
DAMAGED_SYMTAB(a_symtab_without_strings_is_damage, symtab->sh_link = 0xffff)
DAMAGED_SYMTAB(symtab_strings_out_of_the_file_are_damage, strtab->sh_offset = file.size)
DAMAGED_SYMTAB(symtab_strings_without_nul_are_damage, strtab->sh_size -= 1)

/* Sections may lie: what ld.so uses counts. */
static void a_dynsym_section_that_lies_is_not_believed(void **state)
{
    (void)state;
    struct file file = object(SYSV, source);
    Elf64_Shdr *dynsym = elf_section(&file, ".dynsym");

    dynsym->sh_size = sizeof(Elf64_Sym);
    dynsym->sh_offset = 0;
    struct opened opened = object_open(&file, ET_DYN);
    assert_non_null(symbol_named(symbols_of(opened.image), "puts"));
    assert_finds_each_listed(opened.image);
    object_close(&opened);
    file_free(&file);
}

#define T(name) cmocka_unit_test(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(defined_and_undefined_symbols_are_told_apart),
        T(a_static_function_has_its_file),
        T(a_stripped_object_has_no_static_function),
        T(a_program_that_exports_nothing_has_its_imports),
        T(the_callback_can_stop_the_walk),
        T(needed_versions_are_told),
        T(the_default_version_is_preferred),
        T(a_version_without_name_is_damage),
        T(versions_that_cycle_come_to_an_end),
        T(each_export_is_found_by_gnu_hash),
        T(each_export_is_found_by_sysv_hash),
        T(an_undefined_symbol_is_not_found),
        T(an_object_without_hash_table_is_searched),
        T(a_static_function_is_found_in_symtab),
        T(a_global_goes_before_a_local_of_its_name),
        T(every_version_of_a_name_is_given),
        T(a_gnu_hash_bucket_out_of_the_symbols_is_refused),
        T(a_gnu_hash_bucket_before_its_first_symbol_is_refused),
        T(a_sysv_hash_chain_that_cycles_is_refused),
        T(a_sysv_hash_bucket_out_of_the_chain_is_refused),
        T(a_gnu_hash_without_buckets_is_searched),
        T(a_mapped_object_with_shared_gnu_chains_is_searched),
        T(a_mapped_object_with_endless_gnu_chains_is_searched),
        T(a_mapped_object_with_a_cycle_in_its_sysv_hash_is_searched),
        T(a_mapped_object_with_a_wild_sysv_bucket_is_searched),
        T(a_sysv_hash_of_too_many_symbols_is_refused),
        T(a_name_out_of_the_string_table_is_damage),
        T(a_symtab_out_of_the_file_is_damage),
        T(a_symtab_too_large_is_damage),
        T(a_symtab_of_other_entries_is_damage),
        T(a_symtab_without_strings_is_damage),
        T(symtab_strings_out_of_the_file_are_damage),
        T(symtab_strings_without_nul_are_damage),
        T(a_dynsym_section_that_lies_is_not_believed),
    };

    return cmocka_run_group_tests_name("symbols", tests, objects_setup, objects_teardown);
}
