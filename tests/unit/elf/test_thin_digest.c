/*
 * test_thin_digest.c - elf/thin_digest.c: a thin object has the digest of its bytes, and a file of which any byte is another has
 * not.
 */
#include "elf/thin_digest.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sha256.h"
#include "elf/rel_object.h"
#include "elf/rel_object_read.h"
#include "elf/thin_file.h"
#include "tests/support/harness.h"

/* A file with some code, the section hotpatch_thin, and bytes behind it. */
enum { CODE = 1, LINES, STRTAB, SECTIONS };

struct built {
    Elf64_Ehdr header;
    Elf64_Shdr sections[SECTIONS];
    char names[64];
    char code[16];
    char lines[256];
    char tail[32];
};

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"
#define FIRST THIN_FIRST_LINE "\n"
#define REST "name\tfix\nversion\t2\ntarget\tapp\t0aff\t/opt/app\n"

static const char names[] = "\0.text.f\0" THIN_SECTION "\0.strtab";

static Elf64_Shdr section(const char *name, uint32_t type, uint64_t flags, size_t at, size_t size)
{
    uint32_t begin = 1;

    while (begin < sizeof(names) && strcmp(names + begin, name) != 0)
        begin += (uint32_t)strlen(names + begin) + 1;
    return (Elf64_Shdr){.sh_name = begin,
                        .sh_type = type,
                        .sh_flags = flags,
                        .sh_offset = at,
                        .sh_size = size,
                        .sh_addralign = 1};
}

static struct built made;

static void build(const char *lines)
{
    made = (struct built){
        .header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                   .e_type = ET_REL,
                   .e_machine = EM_X86_64,
                   .e_version = EV_CURRENT,
                   .e_shoff = offsetof(struct built, sections),
                   .e_ehsize = sizeof(Elf64_Ehdr),
                   .e_shentsize = sizeof(Elf64_Shdr),
                   .e_shnum = SECTIONS,
                   .e_shstrndx = STRTAB},
        .code = "some code",
        .tail = "what lies behind the lines",
    };
    memcpy(made.names, names, sizeof(names));
    snprintf(made.lines, sizeof(made.lines), "%s", lines);
    made.sections[CODE] = section(".text.f", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR,
                                  offsetof(struct built, code), sizeof(made.code));
    made.sections[LINES] =
        section(THIN_SECTION, SHT_PROGBITS, 0, offsetof(struct built, lines), strlen(lines));
    made.sections[STRTAB] =
        section(".strtab", SHT_STRTAB, 0, offsetof(struct built, names), sizeof(made.names));
}

static void set(void)
{
    thin_digest_set(&made, sizeof(made), offsetof(struct built, lines),
                    made.sections[LINES].sh_size);
}

static struct elf_error error;

static struct rel_object *open_built(void)
{
    struct rel_object *object;

    if (rel_object_open(&object, &made, sizeof(made), &error) != 0)
        fail_msg("%s", error.text);
    return object;
}

/* Check the file as it is; -1 must come with its words. */
static int check(const char *words)
{
    struct rel_object *object = open_built();
    int result;

    error = (struct elf_error){0};
    result = thin_digest_check(object, &error);
    rel_object_close(object);
    if (result != 0) {
        assert_int_equal(error.code, ELF_THIN_DAMAGED);
        assert_string_equal(error.text, words);
    }
    return result;
}

#define OTHER "its bytes are not those that were written: the digest is another"
#define NONE "it has no digest of its bytes"

static const size_t digits = offsetof(struct built, lines) + sizeof(FIRST THIN_DIGEST "\t") - 1;

static void a_file_has_the_digest_of_all_its_bytes(void **state)
{
    char both[2 * 64 + 1], hex[65];

    (void)state;
    build(FIRST THIN_DIGEST "\t" ZEROS "\n" REST);
    assert_int_equal(check(OTHER), -1);
    set();
    sha256_hex(&made, digits, both);
    sha256_hex((const char *)&made + digits + 64, sizeof(made) - digits - 64, both + 64);
    sha256_hex(both, 128, hex);
    assert_memory_equal((const char *)&made + digits, hex, 64);
    assert_int_equal(check(""), 0);
}

static void no_other_byte_is_written(void **state)
{
    struct built before;

    (void)state;
    build(FIRST THIN_DIGEST "\t" ZEROS "\n" REST);
    before = made;
    set();
    memset((char *)&made + digits, '0', 64);
    assert_memory_equal(&made, &before, sizeof(made));
}

static void any_other_byte_is_found(void **state)
{
    struct rel_object *object;

    (void)state;
    build(FIRST THIN_DIGEST "\t" ZEROS "\n" REST);
    set();
    object = open_built();
    assert_int_equal(thin_digest_check(object, &error), 0);
    for (size_t i = 0; i < sizeof(made); i++) {
        ((char *)&made)[i] ^= 1;
        if (thin_digest_check(object, &error) == 0)
            fail_msg("byte %zu", i);
        ((char *)&made)[i] ^= 1;
    }
    assert_int_equal(thin_digest_check(object, &error), 0);
    rel_object_close(object);
}

/* Lines with no digest where it is looked for. */
static const char *const without[] = {
    FIRST REST,
    FIRST REST THIN_DIGEST "\t" ZEROS "\n",
    FIRST THIN_DIGEST " " ZEROS "\n" REST,
    FIRST "digesT\t" ZEROS "\n" REST,
    "hotpatch-thin 2\n" THIN_DIGEST "\t" ZEROS "\n" REST,
    FIRST THIN_DIGEST "\t" ZEROS "0\n" REST,
    FIRST THIN_DIGEST "\t" ZEROS "\t\n" REST,
    FIRST THIN_DIGEST "\t" ZEROS, /* the section ends with the digits */
    FIRST THIN_DIGEST "\t",
    "",
};

static void a_file_without_a_digest_has_none(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(without) / sizeof(*without); i++) {
        struct built before;

        build(without[i]);
        before = made;
        set();
        assert_memory_equal(&made, &before, sizeof(made));
        if (check(NONE) == 0)
            fail_msg("accepted: %s", without[i]);
    }
}

static void the_digits_behind_a_section_that_ends_are_not_its_own(void **state)
{
    (void)state;
    build(FIRST THIN_DIGEST "\t" ZEROS "\n" REST);
    set();
    made.sections[LINES].sh_size = sizeof(FIRST THIN_DIGEST "\t" ZEROS) - 1;
    assert_int_equal(check(NONE), -1);
    made.sections[LINES].sh_size = 4;
    assert_int_equal(check(NONE), -1);
}

static void a_section_without_bytes_has_no_digest(void **state)
{
    (void)state;
    build(FIRST THIN_DIGEST "\t" ZEROS "\n" REST);
    made.sections[LINES].sh_type = SHT_NOBITS;
    assert_int_equal(check(NONE), -1);
}

static void a_section_of_another_name_has_none(void **state)
{
    (void)state;
    build(FIRST THIN_DIGEST "\t" ZEROS "\n" REST);
    made.sections[LINES].sh_name = made.sections[CODE].sh_name;
    set();
    assert_int_equal(check(NONE), -1);
}

static void the_section_is_found_wherever_it_stands(void **state)
{
    (void)state;
    for (uint16_t place = CODE; place < SECTIONS; place++) {
        Elf64_Shdr there;

        build(FIRST THIN_DIGEST "\t" ZEROS "\n" REST);
        there = made.sections[place];
        made.sections[place] = made.sections[LINES];
        made.sections[LINES] = there;
        if (place == STRTAB)
            made.header.e_shstrndx = LINES;
        assert_int_equal(check(OTHER), -1);
        thin_digest_set(&made, sizeof(made), offsetof(struct built, lines),
                        made.sections[place].sh_size);
        assert_int_equal(check(""), 0);
    }
}

static void digits_in_capitals_are_others(void **state)
{
    char *bytes = (char *)&made;
    bool letters = false;

    (void)state;
    build(FIRST THIN_DIGEST "\t" ZEROS "\n" REST);
    set();
    for (size_t i = 0; i < 64; i++)
        if (bytes[digits + i] >= 'a') {
            bytes[digits + i] = (char)(bytes[digits + i] - 'a' + 'A');
            letters = true;
        }
    assert_true(letters);
    assert_int_equal(check(OTHER), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_has_the_digest_of_all_its_bytes),
        cmocka_unit_test(no_other_byte_is_written),
        cmocka_unit_test(any_other_byte_is_found),
        cmocka_unit_test(a_file_without_a_digest_has_none),
        cmocka_unit_test(the_digits_behind_a_section_that_ends_are_not_its_own),
        cmocka_unit_test(a_section_without_bytes_has_no_digest),
        cmocka_unit_test(a_section_of_another_name_has_none),
        cmocka_unit_test(the_section_is_found_wherever_it_stands),
        cmocka_unit_test(digits_in_capitals_are_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
