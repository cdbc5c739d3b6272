/*
 * test_rel_object.c - elf/rel_object.c: what is read of an object file, and that no damaged one is read outside of its bytes.
 * The bytes of each object end at a page that cannot be read.
 */
#include "elf/rel_object_read.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/support/objects.h"

#define OBJECT "-c -fPIC -ffunction-sections -fdata-sections "

static const char source[] =
    "extern int elsewhere(int);\n"
    "extern __thread int far_tls;\n"
    "int common __attribute__((common));\n"
    "static int counter;\n"
    "static const char *const names[] = {\"a\", \"b\"};\n"
    "__attribute__((weak)) int weak(void) { return 3; }\n"
    "static __attribute__((noinline)) int local(int i) { counter += i; return elsewhere(i); }\n"
    "int first(int i) { return local(i) + names[i & 1][0] + common; }\n"
    "int second(int i) { return far_tls + first(i) + weak(); }\n"
    "int alias(int) __attribute__((alias(\"second\")));\n"
    "__asm__(\".globl number\\n.set number, 42\\n\");\n"
    "__asm__(\".pushsection .text.grouped,\\\"axG\\\",@progbits,grouped,comdat\\n\"\n"
    "        \".weak grouped\\n.type grouped,@function\\ngrouped: ret\\n.size grouped,1\\n\"\n"
    "        \".popsection\");\n";

/* ------------------------------------------------------- helpers --- */

struct guarded {
    void *map;
    size_t map_size;
    const uint8_t *bytes;
};

static struct guarded guard_bytes(const void *bytes, size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), pages = (size + page - 1) / page * page;
    struct guarded out = {.map_size = pages + page};

    out.map = mmap(NULL, out.map_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(out.map != MAP_FAILED);
    uint8_t *at = (uint8_t *)out.map + pages - size;
    memcpy(at, bytes, size);
    assert_int_equal(mprotect(out.map, pages, PROT_READ), 0);
    assert_int_equal(mprotect((uint8_t *)out.map + pages, page, PROT_NONE), 0);
    out.bytes = at;
    return out;
}

static void read_all(const struct rel_object *object)
{
    for (uint32_t i = 0; i < object->section_count; i++) {
        const struct rel_section *section = &object->sections[i];
        size_t count;
        bool comdat;
        if (section->bytes && section->size)
            assert_true(section->bytes[section->size - 1] == section->bytes[section->size - 1]);
        rel_relocations_in(section, 0, section->size, &count);
        assert_true(count == section->relocation_count);
        rel_section_symbols(object, i);
        rel_symbol_around(object, i, section->size / 2);
        rel_group_signature(object, section->group, &comdat);
        assert_true(strlen(section->name) < object->size);
    }
    for (uint32_t i = 0; i < object->symbol_count; i++)
        rel_symbol_named(object, object->symbols[i].name);
}

/* Open a copy of the file; true: it can be read, and was. */
static bool opens(const struct file *file, struct elf_error *fault)
{
    struct guarded guarded = guard_bytes(file->bytes, file->size);
    struct rel_object *read = NULL;
    int result = rel_object_open(&read, guarded.bytes, file->size, fault);

    if (result == 0)
        read_all(read);
    else
        assert_true(fault->code != ELF_OK && fault->text[0]);
    rel_object_close(read);
    munmap(guarded.map, guarded.map_size);
    return result == 0;
}

struct open_object {
    struct file file;
    struct rel_object *object;
};

static struct open_object open_source(void)
{
    struct open_object out = {.file = object(OBJECT, source)};
    struct elf_error fault = {ELF_OK, ""};

    if (rel_object_open(&out.object, out.file.bytes, out.file.size, &fault))
        fail_msg("%s", fault.text);
    return out;
}

static void close_source(struct open_object *open)
{
    rel_object_close(open->object);
    file_free(&open->file);
}

static const struct rel_symbol *the(const struct open_object *open, const char *name)
{
    uint32_t index = rel_symbol_named(open->object, name);

    if (!index)
        fail_msg("there is no %s", name);
    return &open->object->symbols[index];
}

static const struct rel_section *section_of(const struct open_object *open, const char *symbol)
{
    return &open->object->sections[the(open, symbol)->section];
}

/* ------------------------------------------------------- what is read --- */

static void symbols_have_their_places(void **state)
{
    (void)state;
    struct open_object open = open_source();

    assert_string_equal(open.object->file, "source.c");
    assert_int_equal(the(&open, "first")->type, STT_FUNC);
    assert_int_equal(the(&open, "local")->binding, STB_LOCAL);
    assert_int_equal(the(&open, "weak")->binding, STB_WEAK);
    assert_int_equal(the(&open, "elsewhere")->section, REL_UNDEFINED);
    assert_int_equal(the(&open, "common")->section, REL_COMMON);
    assert_int_equal(the(&open, "number")->section, REL_ABSOLUTE);
    assert_int_equal(the(&open, "number")->value, 42);
    assert_false(rel_symbol_placed(the(&open, "elsewhere")));
    assert_true(rel_symbol_placed(the(&open, "first")));
    assert_string_equal(section_of(&open, "first")->name, ".text.first");
    assert_int_equal(rel_symbol_named(open.object, "no_such"), 0);
    close_source(&open);
}

static void section_symbols_have_the_name_of_their_section(void **state)
{
    (void)state;
    struct open_object open = open_source();
    size_t seen = 0;

    for (uint32_t i = 1; i < open.object->symbol_count; i++) {
        const struct rel_symbol *symbol = &open.object->symbols[i];
        if (symbol->type != STT_SECTION)
            continue;
        assert_string_equal(symbol->name, open.object->sections[symbol->section].name);
        seen++;
    }
    assert_true(seen > 0);
    close_source(&open);
}

static void relocations_of_a_range_are_found(void **state)
{
    (void)state;
    struct open_object open = open_source();
    const struct rel_section *section = section_of(&open, "names");
    size_t count;
    const struct rel_relocation *relocations;

    assert_int_equal(section->relocation_count, 2);
    relocations = rel_relocations_in(section, 0, 8, &count);
    assert_int_equal(count, 1);
    assert_int_equal(relocations[0].offset, 0);
    relocations = rel_relocations_in(section, 1, 8, &count);
    assert_int_equal(count, 1);
    assert_int_equal(relocations[0].offset, 8);
    rel_relocations_in(section, 9, 7, &count);
    assert_int_equal(count, 0);
    close_source(&open);
}

static void the_symbol_around_a_place_is_found(void **state)
{
    (void)state;
    struct open_object open = open_source();
    uint32_t section = the(&open, "names")->section;

    assert_int_equal(rel_symbol_around(open.object, section, 15),
                     rel_symbol_named(open.object, "names"));
    assert_int_equal(rel_symbol_around(open.object, section, 16), 0);
    assert_int_equal(rel_section_symbols(open.object, the(&open, "second")->section).count, 2);
    close_source(&open);
}

static void sections_know_their_group(void **state)
{
    (void)state;
    struct open_object open = open_source();
    bool comdat = false;
    uint32_t group = section_of(&open, "grouped")->group;

    assert_true(group > 0);
    assert_string_equal(rel_group_signature(open.object, group, &comdat), "grouped");
    assert_true(comdat);
    assert_int_equal(section_of(&open, "first")->group, 0);
    assert_null(rel_group_signature(open.object, 0, &comdat));
    close_source(&open);
}

/* Return the section header of the relocations of the section that holds a symbol. */
static Elf64_Shdr *relocations_header(struct file *file, const char *symbol)
{
    Elf64_Shdr *headers = (Elf64_Shdr *)(void *)(file->bytes + elf_header(file)->e_shoff);
    struct elf_error fault = {ELF_OK, ""};
    struct rel_object *read;

    assert_int_equal(rel_object_open(&read, file->bytes, file->size, &fault), 0);
    uint32_t section = read->symbols[rel_symbol_named(read, symbol)].section;
    rel_object_close(read);
    for (size_t i = 0; i < elf_header(file)->e_shnum; i++) {
        if (headers[i].sh_type == SHT_RELA && headers[i].sh_info == section)
            return &headers[i];
    }
    fail_msg("%s has no relocations", symbol);
    return NULL;
}

static void relocations_out_of_order_are_sorted(void **state)
{
    (void)state;
    struct file file = object(OBJECT, source);
    Elf64_Shdr *header = relocations_header(&file, "names");
    Elf64_Rela swapped[2];

    memcpy(swapped, file.bytes + header->sh_offset, sizeof swapped);
    assert_true(swapped[0].r_offset < swapped[1].r_offset);
    memcpy(file.bytes + header->sh_offset, &swapped[1], sizeof swapped[0]);
    memcpy(file.bytes + header->sh_offset + sizeof swapped[0], &swapped[0], sizeof swapped[0]);

    struct elf_error fault = {ELF_OK, ""};
    struct rel_object *read;
    assert_int_equal(rel_object_open(&read, file.bytes, file.size, &fault), 0);
    const struct rel_section *section =
        &read->sections[read->symbols[rel_symbol_named(read, "names")].section];
    assert_int_equal(section->relocations[0].offset, 0);
    assert_int_equal(section->relocations[1].offset, 8);
    rel_object_close(read);
    file_free(&file);
}

/* ------------------------------------------------------- what is refused --- */

static void refused_with(struct file *file, enum elf_error_code code)
{
    struct elf_error fault = {ELF_OK, ""};

    assert_false(opens(file, &fault));
    assert_int_equal(fault.code, code);
    file_free(file);
}

static void other_files_are_refused(void **state)
{
    (void)state;
    struct file file = object(SHARED, source);
    refused_with(&file, ELF_TYPE_WRONG);
    file = object(OBJECT, source);
    file.bytes[0] = 'x';
    refused_with(&file, ELF_NOT);
    file = object(OBJECT, source);
    file.bytes[EI_CLASS] = ELFCLASS32;
    refused_with(&file, ELF_CLASS_WRONG);
    file = object(OBJECT, source);
    elf_header(&file)->e_machine = EM_AARCH64;
    refused_with(&file, ELF_MACHINE_WRONG);
}

static struct file fresh(void)
{
    return object(OBJECT, source);
}

static void damaged_headers_are_refused(void **state)
{
    (void)state;
    struct file file = fresh();
    elf_header(&file)->e_shoff = file.size - 8;
    refused_with(&file, ELF_DAMAGED);
    file = fresh();
    elf_header(&file)->e_shoff = UINT64_MAX - 8;
    refused_with(&file, ELF_DAMAGED);
    file = fresh();
    elf_header(&file)->e_shstrndx = 60000;
    refused_with(&file, ELF_DAMAGED);
    file = fresh();
    elf_header(&file)->e_shentsize = 8;
    refused_with(&file, ELF_DAMAGED);
    file = fresh();
    elf_section(&file, ".text.first")->sh_offset = file.size;
    refused_with(&file, ELF_DAMAGED);
    file = fresh();
    elf_section(&file, ".text.first")->sh_size = UINT64_MAX;
    refused_with(&file, ELF_DAMAGED);
    file = fresh();
    elf_section(&file, ".text.first")->sh_addralign = 3;
    refused_with(&file, ELF_DAMAGED);
    file = fresh();
    elf_section(&file, ".text.first")->sh_name = UINT32_MAX;
    refused_with(&file, ELF_DAMAGED);
}

static Elf64_Sym *entry(struct file *file, size_t i)
{
    return (Elf64_Sym *)(void *)(file->bytes + elf_section(file, ".symtab")->sh_offset) + i;
}

static size_t entry_named(struct file *file, const char *name)
{
    const char *strings = (const char *)file->bytes + elf_section(file, ".strtab")->sh_offset;

    for (size_t i = 1; i < elf_section(file, ".symtab")->sh_size / sizeof(Elf64_Sym); i++) {
        if (strcmp(strings + entry(file, i)->st_name, name) == 0)
            return i;
    }
    fail_msg("there is no %s", name);
    return 0;
}

static void damaged_symbols_are_refused(void **state)
{
    (void)state;
    struct file file = fresh();
    entry(&file, 1)->st_name = UINT32_MAX;
    refused_with(&file, ELF_DAMAGED);
    file = fresh();
    entry(&file, entry_named(&file, "first"))->st_value = 1 << 20;
    refused_with(&file, ELF_DAMAGED);
    file = fresh();
    entry(&file, entry_named(&file, "first"))->st_size = UINT64_MAX;
    refused_with(&file, ELF_DAMAGED);
    file = fresh();
    entry(&file, entry_named(&file, "first"))->st_shndx = 0xfe00;
    refused_with(&file, ELF_DAMAGED);
    file = fresh();
    entry(&file, entry_named(&file, "first"))->st_shndx = SHN_XINDEX;
    refused_with(&file, ELF_DAMAGED);
    file = fresh();
    elf_section(&file, ".symtab")->sh_link = 0;
    refused_with(&file, ELF_DAMAGED);
    file = fresh();
    elf_section(&file, ".symtab")->sh_entsize = 16;
    refused_with(&file, ELF_DAMAGED);
}

static void damaged_relocations_are_refused(void **state)
{
    (void)state;
    struct file file = fresh();
    Elf64_Shdr *header = elf_section(&file, ".rela.text.first");
    Elf64_Rela *rela = (Elf64_Rela *)(void *)(file.bytes + header->sh_offset);
    rela->r_offset = UINT64_MAX;
    refused_with(&file, ELF_DAMAGED);
    file = fresh();
    header = elf_section(&file, ".rela.text.first");
    rela = (Elf64_Rela *)(void *)(file.bytes + header->sh_offset);
    rela->r_offset = elf_section(&file, ".text.first")->sh_size - 1; /* the field reaches out */
    refused_with(&file, ELF_DAMAGED);
    file = fresh();
    header = elf_section(&file, ".rela.text.first");
    rela = (Elf64_Rela *)(void *)(file.bytes + header->sh_offset);
    rela->r_info = ELF64_R_INFO(100000, ELF64_R_TYPE(rela->r_info));
    refused_with(&file, ELF_DAMAGED);
    file = fresh();
    elf_section(&file, ".rela.text.first")->sh_info = 60000;
    refused_with(&file, ELF_DAMAGED);
    file = fresh();
    elf_section(&file, ".rela.text.first")->sh_info =
        elf_section(&file, ".rela.text.second")->sh_info; /* two tables of one section */
    refused_with(&file, ELF_DAMAGED);
}

static void damaged_groups_are_refused(void **state)
{
    (void)state;
    struct file file = fresh();
    Elf64_Shdr *header = elf_section(&file, ".group");
    uint32_t member = 60000;
    memcpy(file.bytes + header->sh_offset + 4, &member, sizeof member);
    refused_with(&file, ELF_DAMAGED);
    file = fresh();
    elf_section(&file, ".group")->sh_info = 60000;
    refused_with(&file, ELF_DAMAGED);
    file = fresh();
    elf_section(&file, ".group")->sh_size = 3;
    refused_with(&file, ELF_DAMAGED);
}

static void a_file_cut_at_any_byte_is_read_within_its_bytes(void **state)
{
    (void)state;
    struct file file = fresh();
    struct file cut = file;

    for (cut.size = 0; cut.size < file.size; cut.size += cut.size < 256 ? 1 : 97) {
        struct elf_error fault = {ELF_OK, ""};
        opens(&cut, &fault);
    }
    file_free(&file);
}

static void any_changed_byte_is_read_within_the_file(void **state)
{
    (void)state;
    struct file file = fresh();
    uint64_t random = 88172645463325252;

    for (unsigned i = 0; i < 3000; i++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        /* Headers, and the tables behind: the last third of the file has most of them. */
        size_t at = i % 3 == 0 ? random % 64 : random % file.size;
        unsigned char before = file.bytes[at];
        struct elf_error fault = {ELF_OK, ""};
        file.bytes[at] = (unsigned char)(random >> 40);
        opens(&file, &fault);
        file.bytes[at] = before;
    }
    file_free(&file);
}

#define T(name) cmocka_unit_test(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(symbols_have_their_places),
        T(section_symbols_have_the_name_of_their_section),
        T(relocations_of_a_range_are_found),
        T(the_symbol_around_a_place_is_found),
        T(sections_know_their_group),
        T(relocations_out_of_order_are_sorted),
        T(other_files_are_refused),
        T(damaged_headers_are_refused),
        T(damaged_symbols_are_refused),
        T(damaged_relocations_are_refused),
        T(damaged_groups_are_refused),
        T(a_file_cut_at_any_byte_is_read_within_its_bytes),
        T(any_changed_byte_is_read_within_the_file),
    };

    return cmocka_run_group_tests_name("relocatable objects", tests, objects_setup,
                                       objects_teardown);
}
