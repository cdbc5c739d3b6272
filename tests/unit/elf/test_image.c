/*
 * test_image.c - elf/image.c and elf/dynamic.c: what is opened, what is refused, what is read.
 */
#include "elf/image_bytes.h"
#include "elf/relocations.h"
#include "tests/support/objects.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char source[] = "#include <stdio.h>\n"
                             "int value = 7; const char *text = \"a text\"; static int zero[100];\n"
                             "int sum(int i) { zero[i]++; return puts(text) + value + zero[1]; }\n"
                             "int main(void) { return sum(1); }\n";

#define LIBRARY SHARED "-Wl,-soname,libsum.so.1 "

/* ------------------------------------------------------- what is told --- */

static void a_library_tells_its_soname_and_what_it_needs(void **state)
{
    (void)state;
    struct file file = object(LIBRARY, source);
    struct opened opened = object_open(&file, ET_DYN);

    assert_string_equal(opened.fault.text, "");
    assert_string_equal(image_soname(opened.image), "libsum.so.1");
    assert_string_equal(image_needed(opened.image, 0), "libc.so.6");
    assert_null(image_needed(opened.image, 1));
    assert_null(image_interpreter(opened.image));
    assert_false(image_is_static(opened.image));
    assert_false(image_has_textrel(opened.image));
    object_close(&opened);
    file_free(&file);
}

static void a_program_tells_its_interpreter(void **state)
{
    (void)state;
    struct file file = object(PROGRAM, source);
    struct opened opened = object_open(&file, 0);

    assert_string_equal(image_interpreter(opened.image), "/lib64/ld-linux-x86-64.so.2");
    assert_null(image_soname(opened.image));
    assert_false(image_is_static(opened.image));
    object_close(&opened);
    file_free(&file);
}

static void a_program_at_a_fixed_address_is_not_static(void **state)
{
    (void)state;
    struct file file = object(FIXED_PROGRAM, source);
    struct opened opened = object_open(&file, 0);

    assert_non_null(image_interpreter(opened.image));
    assert_false(image_is_static(opened.image));
    object_close(&opened);
    file_free(&file);
}

static void a_static_program_is_static(void **state)
{
    (void)state;
    struct file file = object(STATIC_PROGRAM, source);
    struct opened opened = object_open(&file, 0);

    assert_true(image_is_static(opened.image));
    object_close(&opened);
    file_free(&file);
}

static void the_build_id_is_told_in_hex(void **state)
{
    (void)state;
    struct file file = object(SHARED "-Wl,--build-id=0x00ff1a2B", source);
    struct opened opened = object_open(&file, ET_DYN);

    assert_string_equal(image_build_id(opened.image), "00ff1a2b");
    object_close(&opened);
    file_free(&file);
}

static void no_build_id_is_an_empty_text(void **state)
{
    (void)state;
    struct file file = object(SHARED "-Wl,--build-id=none", source);
    struct opened opened = object_open(&file, ET_DYN);

    assert_string_equal(image_build_id(opened.image), "");
    object_close(&opened);
    file_free(&file);
}

static void strip_section_headers(struct file *file)
{
    elf_header(file)->e_shoff = 0;
    elf_header(file)->e_shnum = 0;
    elf_header(file)->e_shstrndx = 0;
}

static void section_headers_are_not_needed(void **state)
{
    (void)state;
    struct file file = object(LIBRARY, source);
    struct image_symbol symbol;

    strip_section_headers(&file);
    struct opened opened = object_open(&file, ET_DYN);
    assert_string_equal(image_soname(opened.image), "libsum.so.1");
    assert_true(image_symbol(opened.image, "sum", &symbol));
    assert_non_null(symbol_named(symbols_of(opened.image), "puts"));
    object_close(&opened);
    file_free(&file);
}

static void bytes_end_inside_the_file(void **state)
{
    (void)state;
    struct file file = object(LIBRARY, source);
    struct opened opened = object_open(&file, ET_DYN);
    struct image_symbol text;
    uint64_t address;

    assert_true(image_symbol(opened.image, "text", &text));
    assert_true(image_word_at(opened.image, text.value, &address));
    assert_string_equal(image_bytes_at(opened.image, address, sizeof("a text")), "a text");
    assert_non_null(image_bytes_at(opened.image, text.value, 8));
    assert_null(image_bytes_at(opened.image, text.value, 1 << 20));
    assert_null(image_bytes_at(opened.image, UINT64_C(1) << 44, 1));
    assert_null(image_bytes_at(opened.image, UINT64_MAX, 2));
    assert_null(image_bytes_at(opened.image, 0, SIZE_MAX));
    object_close(&opened);
    file_free(&file);
}

static void a_text_without_nul_is_no_string(void **state)
{
    (void)state;
    struct file file = object(LIBRARY, source);
    Elf64_Phdr *load = elf_segment(&file, PT_LOAD);

    /* the first PT_LOAD shall end in the middle of .dynstr */
    uint64_t strings = elf_dynamic(&file, DT_STRTAB)->d_un.d_ptr;
    memset(elf_at(&file, strings), 'x', 4);
    load->p_filesz = strings + 4 - load->p_vaddr;
    elf_dynamic(&file, DT_STRSZ)->d_un.d_val = 4;
    assert_refused(&file, ELF_DAMAGED);
    file_free(&file);
}

/* ------------------------------------------------------- what is refused --- */

static void a_text_file_is_no_elf_file(void **state)
{
    (void)state;
    struct file empty = {(unsigned char *)"", 0},
                text = {(unsigned char *)"#!/bin/sh\nexit 0\n", 17};

    assert_refused(&empty, ELF_NOT);
    assert_refused(&text, ELF_NOT);
}

static void an_object_file_is_refused_by_type(void **state)
{
    (void)state;
    struct file file = object("-c -fPIC", source);

    assert_refused(&file, ELF_TYPE_WRONG);
    struct opened opened = object_open(&file, 0);
    assert_int_equal(opened.fault.code, ELF_TYPE_WRONG);
    assert_non_null(strstr(opened.fault.text, "ET_REL"));
    object_close(&opened);
    file_free(&file);
}

static void a_program_is_no_shared_object(void **state)
{
    (void)state;
    struct file file = object(PROGRAM, source), fixed = object(FIXED_PROGRAM, source);

    assert_refused(&file, ELF_TYPE_WRONG);
    assert_refused(&fixed, ELF_TYPE_WRONG);
    file_free(&file);
    file_free(&fixed);
}

#define DAMAGED(name, code, statement)              \
    static void name##_is_refused(void **state)     \
    {                                               \
        (void)state;                                \
        struct file file = object(LIBRARY, source); \
        statement;                                  \
        assert_refused(&file, code);                \
        file_free(&file);                           \
    }

#define HEADER elf_header(&file)
#define LOAD elf_segment(&file, PT_LOAD)
#define VALUE(tag) elf_dynamic(&file, tag)->d_un.d_val
#define OUTSIDE (UINT64_C(1) << 40)

DAMAGED(a_32_bit_file, ELF_CLASS_WRONG, HEADER->e_ident[EI_CLASS] = ELFCLASS32)
DAMAGED(a_big_endian_file, ELF_CLASS_WRONG, HEADER->e_ident[EI_DATA] = ELFDATA2MSB)
DAMAGED(another_machine, ELF_MACHINE_WRONG, HEADER->e_machine = EM_AARCH64)
DAMAGED(another_elf_version, ELF_DAMAGED, HEADER->e_version = 2)
DAMAGED(another_ident_version, ELF_DAMAGED, HEADER->e_ident[EI_VERSION] = 0)
DAMAGED(a_core_dump, ELF_TYPE_WRONG, HEADER->e_type = ET_CORE)
DAMAGED(a_file_without_program_headers, ELF_DAMAGED, HEADER->e_phnum = 0)
DAMAGED(a_huge_program_header_count, ELF_DAMAGED, HEADER->e_phnum = 0xfffe)
DAMAGED(an_extended_program_header_count, ELF_DAMAGED, HEADER->e_phnum = PN_XNUM)
DAMAGED(a_wrong_program_header_size, ELF_DAMAGED, HEADER->e_phentsize = 32)
DAMAGED(program_headers_out_of_the_file, ELF_DAMAGED, HEADER->e_phoff = UINT64_MAX - 8)
DAMAGED(section_headers_out_of_the_file, ELF_DAMAGED, HEADER->e_shoff = file.size - 8)
DAMAGED(a_wrong_section_header_size, ELF_DAMAGED, HEADER->e_shentsize = 1)
DAMAGED(a_file_without_loads, ELF_DAMAGED,
        for (unsigned i = 0; i < HEADER->e_phnum; i++) LOAD[i].p_type = PT_NULL)
DAMAGED(a_load_out_of_the_file, ELF_DAMAGED, LOAD[1].p_offset += 1 << 20)
DAMAGED(a_load_whose_end_wraps, ELF_DAMAGED, LOAD[1].p_offset = UINT64_MAX - 4095)
DAMAGED(a_load_larger_than_the_file, ELF_DAMAGED, LOAD->p_filesz = LOAD->p_memsz = file.size + 1)
DAMAGED(a_load_with_more_bytes_than_memory, ELF_DAMAGED, LOAD->p_memsz = LOAD->p_filesz - 1)
DAMAGED(a_load_that_wraps, ELF_DAMAGED, LOAD[3].p_memsz = UINT64_MAX - 16)
DAMAGED(a_load_over_another, ELF_DAMAGED, LOAD[1].p_vaddr = LOAD->p_vaddr)
DAMAGED(loads_out_of_order, ELF_DAMAGED, Elf64_Phdr first = LOAD[0]; LOAD[0] = LOAD[1];
        LOAD[1] = first)
DAMAGED(a_misaligned_load, ELF_DAMAGED, LOAD[1].p_offset -= 8)
DAMAGED(a_patch_without_dynamic, ELF_DAMAGED, elf_segment(&file, PT_DYNAMIC)->p_type = PT_NULL)
DAMAGED(a_dynamic_outside, ELF_DAMAGED, elf_segment(&file, PT_DYNAMIC)->p_vaddr = OUTSIDE)
DAMAGED(a_dynamic_too_large, ELF_DAMAGED, elf_segment(&file, PT_DYNAMIC)->p_filesz = 1 << 20)
DAMAGED(a_dynamic_without_end, ELF_DAMAGED, elf_segment(&file, PT_DYNAMIC)->p_filesz = 64)
DAMAGED(a_relro_outside, ELF_DAMAGED, elf_segment(&file, PT_GNU_RELRO)->p_vaddr = OUTSIDE)
DAMAGED(a_note_outside, ELF_DAMAGED, elf_segment(&file, PT_NOTE)->p_offset = OUTSIDE)
DAMAGED(strings_outside, ELF_DAMAGED, VALUE(DT_STRTAB) = OUTSIDE)
DAMAGED(strings_too_large, ELF_DAMAGED, VALUE(DT_STRSZ) = UINT64_MAX)
DAMAGED(strings_without_nul, ELF_DAMAGED, VALUE(DT_STRSZ) -= 1)
DAMAGED(missing_strings, ELF_DAMAGED, elf_dynamic(&file, DT_STRTAB)->d_tag = DT_DEBUG)
DAMAGED(symbols_outside, ELF_DAMAGED, VALUE(DT_SYMTAB) = OUTSIDE)
DAMAGED(missing_symbols, ELF_DAMAGED, elf_dynamic(&file, DT_SYMTAB)->d_tag = DT_DEBUG)
DAMAGED(a_wrong_symbol_size, ELF_DAMAGED, VALUE(DT_SYMENT) = 16)
DAMAGED(a_hash_table_outside, ELF_DAMAGED, VALUE(DT_GNU_HASH) = OUTSIDE)
DAMAGED(a_bloom_filter_of_three_words, ELF_DAMAGED,
        ((uint32_t *)elf_at(&file, VALUE(DT_GNU_HASH)))[2] = 3)
DAMAGED(a_hash_table_too_large, ELF_DAMAGED,
        ((uint32_t *)elf_at(&file, VALUE(DT_GNU_HASH)))[0] = UINT32_MAX)
DAMAGED(relocations_outside, ELF_DAMAGED, VALUE(DT_RELA) = OUTSIDE)
DAMAGED(relocations_too_large, ELF_DAMAGED, VALUE(DT_RELASZ) = UINT64_MAX - 7)
DAMAGED(a_torn_relocation, ELF_DAMAGED, VALUE(DT_RELASZ) += 8)
DAMAGED(a_relocation_size_on_which_ld_so_aborts, ELF_DAMAGED, VALUE(DT_RELAENT) = 16)
DAMAGED(plt_relocations_outside, ELF_DAMAGED, VALUE(DT_JMPREL) = OUTSIDE)
DAMAGED(a_plt_relocation_kind_on_which_ld_so_aborts, ELF_DAMAGED, VALUE(DT_PLTREL) = DT_REL)
DAMAGED(versions_outside, ELF_DAMAGED, VALUE(DT_VERSYM) = OUTSIDE)
DAMAGED(a_soname_outside, ELF_DAMAGED, VALUE(DT_SONAME) = 1 << 20)
DAMAGED(a_needed_outside, ELF_DAMAGED, VALUE(DT_NEEDED) = UINT64_MAX)

/* The build-id's note, in a PT_NOTE of whichever number. */
static Elf64_Nhdr *build_id_note(struct file *file)
{
    return elf_at(file, elf_section(file, ".note.gnu.build-id")->sh_addr);
}

DAMAGED(a_note_beyond_its_segment, ELF_DAMAGED, build_id_note(&file)->n_descsz = 1 << 20)
DAMAGED(a_note_whose_size_wraps, ELF_DAMAGED, build_id_note(&file)->n_namesz = UINT32_MAX)

static void a_build_id_of_100_bytes_is_refused(void **state)
{
    (void)state;
    char flags[300] = SHARED "-Wl,--build-id=0x";

    for (int i = 0; i < 100; i++)
        strcat(flags, "ab");
    struct file file = object(flags, source);
    assert_refused(&file, ELF_DAMAGED);
    file_free(&file);
}

static void an_interpreter_without_nul_is_refused(void **state)
{
    (void)state;
    struct file file = object(PROGRAM, source);

    elf_segment(&file, PT_INTERP)->p_filesz = 4;
    struct opened opened = object_open(&file, 0);
    assert_null(opened.image);
    assert_int_equal(opened.fault.code, ELF_DAMAGED);
    object_close(&opened);
    file_free(&file);
}

/* ------------------------------------------------------- truncation --- */

/* Opens the first `size` bytes: refused, or every answer the same as of the whole file. */
static void try_prefix(const struct file *whole, size_t size, bool may_open)
{
    struct file file = {whole->bytes, size};
    struct opened opened = object_open(&file, ET_DYN);

    if (opened.image) {
        assert_true(may_open);
        assert_string_equal(image_soname(opened.image), "libsum.so.1");
        assert_non_null(symbol_named(symbols_of(opened.image), "puts"));
        assert_int_equal(relocations_of(opened.image)->result, 0);
    } else {
        assert_true(opened.fault.code == ELF_NOT || opened.fault.code == ELF_DAMAGED);
    }
    object_close(&opened);
}

static void a_file_cut_anywhere_is_refused(void **state)
{
    (void)state;
    struct file file = object(LIBRARY "-s", source);

    for (size_t size = 0; size < 1024; size++)
        try_prefix(&file, size, false);
    for (size_t size = 1024; size < file.size; size += 37)
        try_prefix(&file, size, false);
    for (size_t i = 0; i < elf_header(&file)->e_shnum; i++)
        try_prefix(&file, elf_header(&file)->e_shoff + i * sizeof(Elf64_Shdr), false);
    try_prefix(&file, file.size - 1, false);
    file_free(&file);
}

static void cut_around(const struct file *file, size_t size)
{
    for (size_t cut = size ? size - 1 : 0; cut <= size + 1 && cut <= file->size; cut++)
        try_prefix(file, cut, true);
}

static void cut_at_each_boundary(struct file *file)
{
    const Elf64_Phdr *segments = (const void *)(file->bytes + elf_header(file)->e_phoff);

    for (unsigned i = 0; i < elf_header(file)->e_phnum; i++) {
        cut_around(file, segments[i].p_offset);
        cut_around(file, segments[i].p_offset + segments[i].p_filesz);
    }
}

static void a_file_without_sections_cut_at_a_segment_is_refused_or_read(void **state)
{
    (void)state;
    struct file file = object(LIBRARY "-s", source);

    strip_section_headers(&file);
    cut_at_each_boundary(&file);
    for (size_t size = 0; size < file.size; size += 41)
        try_prefix(&file, size, true);
    file_free(&file);
}

/* ------------------------------------------------------- mapped objects --- */

struct walk_result {
    unsigned objects, vdso;
};

static int open_mapped(struct dl_phdr_info *info, size_t size, void *context)
{
    struct walk_result *result = context;
    struct image *image;
    struct elf_error fault = {ELF_OK, ""};

    (void)size;
    if (image_open_mapped(&image, info, &fault))
        fail_msg("%s: %s", info->dlpi_name, fault.text);
    assert_int_equal(symbols_of(image)->result, 0);
    assert_int_equal(relocations_of(image)->result, 0);
    result->objects++;
    result->vdso += strstr(info->dlpi_name, "vdso") != NULL;
    image_close(image);
    return 0;
}

static void every_object_of_this_process_opens_and_the_vdso_too(void **state)
{
    (void)state;
    struct walk_result result = {0, 0};

    dl_iterate_phdr(open_mapped, &result);
    assert_true(result.objects >= 4);
    assert_int_equal(result.vdso, 1);
}

static void a_mapped_object_tells_what_its_file_tells(void **state)
{
    (void)state;
    const char *path = object_path(LIBRARY, source);
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    struct file file = object(LIBRARY, source);
    struct opened on_disk = object_open(&file, ET_DYN), mapped = object_open_mapped(path);
    struct image_symbol one, other;

    assert_string_equal(image_soname(mapped.image), "libsum.so.1");
    assert_string_equal(image_build_id(mapped.image), image_build_id(on_disk.image));
    assert_string_equal(image_needed(mapped.image, 0), "libc.so.6");
    assert_true(image_symbol(on_disk.image, "sum", &one));
    assert_true(image_symbol(mapped.image, "sum", &other));
    assert_int_equal(one.value, other.value);
    assert_int_equal(relocations_of(on_disk.image)->count, relocations_of(mapped.image)->count);
    object_close(&on_disk);
    object_close(&mapped);
    file_free(&file);
    dlclose(handle);
}

static void an_object_without_headers_is_refused(void **state)
{
    (void)state;
    struct dl_phdr_info info = {0};
    struct image *image;
    struct elf_error fault;

    assert_int_equal(image_open_mapped(&image, &info, &fault), -1);
    assert_int_equal(fault.code, ELF_DAMAGED);
    image_close(NULL);
}

#define T(name) cmocka_unit_test(name)
#define R(name) cmocka_unit_test(name##_is_refused)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_library_tells_its_soname_and_what_it_needs),
        T(a_program_tells_its_interpreter),
        T(a_program_at_a_fixed_address_is_not_static),
        T(a_static_program_is_static),
        T(the_build_id_is_told_in_hex),
        T(no_build_id_is_an_empty_text),
        T(section_headers_are_not_needed),
        T(bytes_end_inside_the_file),
        T(a_text_without_nul_is_no_string),
        T(a_text_file_is_no_elf_file),
        T(an_object_file_is_refused_by_type),
        T(a_program_is_no_shared_object),
        R(a_32_bit_file),
        R(a_big_endian_file),
        R(another_machine),
        R(another_elf_version),
        R(another_ident_version),
        R(a_core_dump),
        R(a_file_without_program_headers),
        R(a_huge_program_header_count),
        R(an_extended_program_header_count),
        R(a_wrong_program_header_size),
        R(program_headers_out_of_the_file),
        R(section_headers_out_of_the_file),
        R(a_wrong_section_header_size),
        R(a_file_without_loads),
        R(a_load_out_of_the_file),
        R(a_load_whose_end_wraps),
        R(a_load_larger_than_the_file),
        R(a_load_with_more_bytes_than_memory),
        R(a_load_that_wraps),
        R(a_load_over_another),
        R(loads_out_of_order),
        R(a_misaligned_load),
        R(a_patch_without_dynamic),
        R(a_dynamic_outside),
        R(a_dynamic_too_large),
        R(a_dynamic_without_end),
        R(a_relro_outside),
        R(a_note_outside),
        R(strings_outside),
        R(strings_too_large),
        R(strings_without_nul),
        R(missing_strings),
        R(symbols_outside),
        R(missing_symbols),
        R(a_wrong_symbol_size),
        R(a_hash_table_outside),
        R(a_bloom_filter_of_three_words),
        R(a_hash_table_too_large),
        R(relocations_outside),
        R(relocations_too_large),
        R(a_torn_relocation),
        R(a_relocation_size_on_which_ld_so_aborts),
        R(plt_relocations_outside),
        R(a_plt_relocation_kind_on_which_ld_so_aborts),
        R(versions_outside),
        R(a_soname_outside),
        R(a_needed_outside),
        R(a_note_beyond_its_segment),
        R(a_note_whose_size_wraps),
        T(a_build_id_of_100_bytes_is_refused),
        T(an_interpreter_without_nul_is_refused),
        T(a_file_cut_anywhere_is_refused),
        T(a_file_without_sections_cut_at_a_segment_is_refused_or_read),
        T(every_object_of_this_process_opens_and_the_vdso_too),
        T(a_mapped_object_tells_what_its_file_tells),
        T(an_object_without_headers_is_refused),
    };

    return cmocka_run_group_tests_name("image", tests, objects_setup, objects_teardown);
}
