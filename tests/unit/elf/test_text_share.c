/*
 * test_text_share.c - elf/text_share.c: how many bytes of the code are in functions that are known, by each of
 * what tells of functions and by what is left when that is missing. What doctor prints of it: test_doctor.c.
 */
#include "elf/text_share.h"

#include "elf/functions_read.h"
#include "tests/support/objects.h"

/* 100 bytes of .text: 20 with an FDE and a symbol, which ends before it; 30 with an FDE alone; 25 with an exported
 * symbol alone; 15 with a local one; 10 where nothing says how long `endless` is. */
static const char source[] =
    "__asm__(\".text\\n.globl framed\\n.type framed,@function\\nframed: .cfi_startproc\\n"
    ".skip 20,0x90\\n.cfi_endproc\\n.size framed,5\\n"
    ".cfi_startproc\\n.skip 30,0x90\\n.cfi_endproc\\n"
    ".globl exported\\n.type exported,@function\\nexported: .skip 25,0x90\\n.size exported,25\\n"
    ".globl alias\\n.type alias,@function\\n.set alias,exported\\n.size alias,20\\n"
    ".type local,@function\\nlocal: .skip 15,0x90\\n.size local,15\\n"
    ".globl endless\\n.type endless,@function\\nendless: .skip 10,0x90\\n\");\n";

/* The same with 40 bytes in a section of its own, 16 of them in a function. */
static const char hot[] =
    "__asm__(\".text\\n.globl cold\\n.type cold,@function\\ncold: .skip 10,0x90\\n.size cold,10\\n"
    ".section .text.hot,\\\"ax\\\",@progbits\\n"
    ".globl warm\\n.type warm,@function\\nwarm: .skip 16,0x90\\n.size warm,16\\n.skip "
    "24,0x90\\n\");\n";

#define ALONE SHARED "-nostdlib "
#define NO_FRAMES "-Wl,--no-eh-frame-hdr -fno-asynchronous-unwind-tables "

static struct text_share share_in(const struct file *file)
{
    struct functions *functions = object_functions(file);
    struct text_share share;

    assert_int_equal(functions_text_share(functions, &share), 0);
    functions_close(functions);
    return share;
}

static void drop_frames(struct file *file)
{
    elf_segment(file, PT_GNU_EH_FRAME)->p_type = PT_NULL;
    elf_section(file, ".eh_frame")->sh_type = SHT_NOBITS;
}

static struct text_share share_of(const char *flags, const char *text)
{
    struct file file = object(flags, text);
    struct text_share share = share_in(&file);

    file_free(&file);
    return share;
}

static void each_byte_of_a_function_counts_once(void **state)
{
    struct text_share share = share_of(ALONE, source);

    (void)state;
    assert_true(share.of_sections);
    assert_int_equal(share.bytes, 100);
    assert_int_equal(share.covered, 20 + 30 + 25 + 15);
    assert_int_equal(text_share_percent(&share), 90);
}

static void a_stripped_program_has_what_its_frames_and_exports_cover(void **state)
{
    (void)state;
    assert_int_equal(share_of(ALONE "-s ", source).covered, 20 + 30 + 25);
}

static void without_frames_what_symbols_say_counts(void **state)
{
    struct file file = object(ALONE, source);

    (void)state;
    drop_frames(&file);
    assert_int_equal(share_in(&file).covered, 5 + 25 + 15);
    file_free(&file);
}

static void without_frames_and_symtab_the_exports_are_all_there_is(void **state)
{
    struct file file = object(ALONE "-s ", source);

    (void)state;
    drop_frames(&file);
    assert_int_equal(share_in(&file).covered, 5 + 25);
    assert_int_equal(share_in(&file).bytes, 100);
    file_free(&file);
}

static void without_section_headers_it_is_the_share_of_the_executable_segments(void **state)
{
    struct file file = object(ALONE "-s ", source);
    struct text_share share;
    uint64_t executable = 0;

    (void)state;
    for (size_t i = 0; i < elf_header(&file)->e_phnum; i++) {
        const Elf64_Phdr *segment =
            (const void *)(file.bytes + elf_header(&file)->e_phoff + i * sizeof *segment);
        if (segment->p_type == PT_LOAD && segment->p_flags & PF_X)
            executable += segment->p_memsz;
    }
    elf_header(&file)->e_shoff = 0;
    elf_header(&file)->e_shnum = elf_header(&file)->e_shstrndx = 0;
    share = share_in(&file);
    assert_false(share.of_sections);
    assert_int_equal(share.bytes, executable);
    assert_int_equal(share.covered, 20 + 30 + 25);
    file_free(&file);
}

static void every_section_of_text_counts(void **state)
{
    struct file file = object(ALONE NO_FRAMES "-Wl,-z,keep-text-section-prefix ", hot);
    struct text_share share = share_in(&file);

    (void)state;
    assert_true(share.of_sections);
    assert_int_equal(share.covered, 10 + 16);
    assert_in_range(share.bytes, 10 + 40, 10 + 40 + 16); /* the linker aligns them */
    file_free(&file);
}

static void a_section_that_lies_outside_the_code_does_not_count(void **state)
{
    static const uint64_t sizes[] = {0, UINT64_MAX, UINT64_MAX - 4096, (uint64_t)1 << 40};

    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct file file = object(ALONE, source);
        struct text_share share;

        elf_section(&file, ".text")->sh_size = sizes[i];
        share = share_in(&file);
        assert_false(share.of_sections);
        assert_true(share.covered <= share.bytes);
        file_free(&file);
    }
}

static void nothing_is_known_of_an_object_without_functions(void **state)
{
    struct text_share share =
        share_of(ALONE NO_FRAMES "-s ", "static int nothing; int *p = &nothing;\n");

    (void)state;
    assert_int_equal(share.covered, 0);
    assert_int_equal(text_share_percent(&share), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_byte_of_a_function_counts_once),
        cmocka_unit_test(a_stripped_program_has_what_its_frames_and_exports_cover),
        cmocka_unit_test(without_frames_what_symbols_say_counts),
        cmocka_unit_test(without_frames_and_symtab_the_exports_are_all_there_is),
        cmocka_unit_test(without_section_headers_it_is_the_share_of_the_executable_segments),
        cmocka_unit_test(every_section_of_text_counts),
        cmocka_unit_test(a_section_that_lies_outside_the_code_does_not_count),
        cmocka_unit_test(nothing_is_known_of_an_object_without_functions),
    };

    return cmocka_run_group_tests(tests, objects_setup, objects_teardown);
}
