/*
 * test_thin_file.c - the reader of thin objects: what it takes from the section hotpatch_thin, and what it refuses.
 */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elf/rel_object.h"
#include "elf/thin_file.h"
#include "tests/support/harness.h"

#define HEAD "hotpatch-thin 1\nname\tfix\nversion\t2\ntarget\tapp\t0aff\t/opt/app\n"

/* A small object: code with a function f (symbol 1), data d (2) and e (3) of one writable section, u (4), undefined. */
enum { CODE = 1, DATA, LINES, SYMTAB, STRTAB, SECTIONS };

struct built {
    Elf64_Ehdr header;
    Elf64_Shdr sections[SECTIONS];
    Elf64_Sym symbols[5];
    char names[64];
    char code[16];
    char lines[1024];
};

static const char names[] = "\0f\0d\0e\0u\0.text.f\0.data.d\0" THIN_SECTION "\0.symtab\0.strtab";

static uint32_t name_at(const char *name)
{
    for (uint32_t i = 1; i < sizeof(names); i += (uint32_t)strlen(names + i) + 1)
        if (strcmp(names + i, name) == 0)
            return i;
    return 0;
}

static Elf64_Shdr section(const char *name, uint32_t type, uint64_t flags, size_t at, size_t size)
{
    return (Elf64_Shdr){.sh_name = name_at(name),
                        .sh_type = type,
                        .sh_flags = flags,
                        .sh_offset = at,
                        .sh_size = size,
                        .sh_addralign = 1};
}

static Elf64_Sym symbol(const char *name, uint8_t type, uint16_t in, uint64_t value)
{
    return (Elf64_Sym){.st_name = name_at(name),
                       .st_info = ELF64_ST_INFO(STB_GLOBAL, type),
                       .st_shndx = in,
                       .st_value = value,
                       .st_size = 4};
}

static void build_object(struct built *b, const char *lines)
{
    *b = (struct built){
        .header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                   .e_type = ET_REL,
                   .e_machine = EM_X86_64,
                   .e_version = EV_CURRENT,
                   .e_shoff = offsetof(struct built, sections),
                   .e_ehsize = sizeof(Elf64_Ehdr),
                   .e_shentsize = sizeof(Elf64_Shdr),
                   .e_shnum = SECTIONS,
                   .e_shstrndx = STRTAB},
        .symbols = {[1] = symbol("f", STT_FUNC, CODE, 0),
                    [2] = symbol("d", STT_OBJECT, DATA, 0),
                    [3] = symbol("e", STT_OBJECT, DATA, 4),
                    [4] = symbol("u", STT_NOTYPE, SHN_UNDEF, 0)},
    };
    memcpy(b->names, names, sizeof(names) < sizeof(b->names) ? sizeof(names) : sizeof(b->names));
    strcpy(b->lines, lines);
    b->sections[CODE] = section(".text.f", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR,
                                offsetof(struct built, code), 16);
    b->sections[DATA] =
        section(".data.d", SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, offsetof(struct built, code), 8);
    b->sections[LINES] =
        section(THIN_SECTION, SHT_PROGBITS, 0, offsetof(struct built, lines), strlen(lines));
    b->sections[SYMTAB] =
        section(".symtab", SHT_SYMTAB, 0, offsetof(struct built, symbols), sizeof(b->symbols));
    b->sections[SYMTAB].sh_entsize = sizeof(Elf64_Sym);
    b->sections[SYMTAB].sh_link = STRTAB;
    b->sections[SYMTAB].sh_info = 1;
    b->sections[SYMTAB].sh_addralign = 8;
    b->sections[STRTAB] =
        section(".strtab", SHT_STRTAB, 0, offsetof(struct built, names), sizeof(b->names));
}

static struct built object;
static struct elf_error error;

static struct thin_file *must_open(const char *lines)
{
    struct thin_file *thin;

    build_object(&object, lines);
    if (thin_file_open(&thin, &object, sizeof(object), &error) != 0)
        fail_msg("%s", error.text);
    return thin;
}

static void must_refuse(const char *lines)
{
    struct thin_file *thin;

    build_object(&object, lines);
    if (thin_file_open(&thin, &object, sizeof(object), &error) == 0)
        fail_msg("accepted: %s", lines);
    assert_null(thin);
    assert_int_equal(error.code, ELF_THIN_DAMAGED);
}

static void every_line_is_read(void **state)
{
    struct thin_file *thin = must_open(HEAD "replace\t1\t1f0\t20\tf\tunit.c\t12\tint (void *)\n"
                                            "address\t1\t1f0\nimport\t4\taddress\t4010\t1030\n"
                                            "keep\t2\tunit.c - d int 4\ncallers\t100\t200\n"
                                            "private\tg\t1e0\n"
                                            "old\t1f0\tg.part.0\n");

    (void)state;
    assert_string_equal(thin->name, "fix");
    assert_string_equal(thin->version, "2");
    assert_string_equal(thin->target, "app");
    assert_string_equal(thin->build_id, "0aff");
    assert_string_equal(thin->target_path, "/opt/app");
    assert_int_equal(thin->replacement_count, 1);
    assert_int_equal(thin->replacements[0].offset, 0x1f0);
    assert_int_equal(thin->replacements[0].size, 0x20);
    assert_int_equal(thin->replacements[0].line, 12);
    assert_string_equal(thin->replacements[0].signature, "int (void *)");
    assert_true(thin->symbols[1].has_host && thin->symbols[1].host == 0x1f0);
    assert_int_equal(thin->symbols[4].import, THIN_ADDRESS);
    assert_int_equal(thin->symbols[4].at, 0x4010);
    assert_true(thin->symbols[4].has_call && thin->symbols[4].call == 0x1030);
    assert_string_equal(thin->symbols[2].keep, "unit.c - d int 4");
    assert_true(thin->callers_known && thin->caller_count == 1 && thin->callers[0].end == 0x200);
    assert_int_equal(thin->private_count, 1);
    assert_string_equal(thin->privates[0].name, "g");
    assert_int_equal(thin->privates[0].offset, 0x1e0);
    assert_int_equal(thin->old_count, 1);
    assert_string_equal(thin->olds[0].name, "g.part.0");
    assert_int_equal(thin->olds[0].offset, 0x1f0);
    thin_file_close(thin);
}

static void imports_have_four_kinds(void **state)
{
    static const struct {
        const char *line;
        enum thin_import import;
    } kinds[] = {{"import\t4\taddress\t10\n", THIN_ADDRESS},
                 {"import\t4\tgot\t10\n", THIN_GOT},
                 {"import\t4\ttls\t10\n", THIN_TLS},
                 {"import\t4\tdynamic\tGLIBC_2.2.5\n", THIN_DYNAMIC},
                 {"import\t4\tdynamic\n", THIN_DYNAMIC}};

    (void)state;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        char lines[300];
        struct thin_file *thin;

        snprintf(lines, sizeof(lines), HEAD "%s", kinds[i].line);
        thin = must_open(lines);
        assert_int_equal(thin->symbols[4].import, kinds[i].import);
        thin_file_close(thin);
    }
}

static void what_is_not_a_thin_object_is_refused(void **state)
{
    (void)state;
    must_refuse("hotpatch-thin 2\nname\tfix\nversion\t2\ntarget\tapp\t0aff\t/opt/app\n");
    must_refuse("hotpatch-thin 1\nname\tfix\n");
    must_refuse("");
    must_refuse(HEAD "name\tagain\n");
    must_refuse(HEAD "what\t1\n");
    must_refuse(HEAD "replace\t1\t1f0\t20\tf\tunit.c\t12"); /* no newline */
}

static void lines_that_contradict_the_object_are_refused(void **state)
{
    (void)state;
    must_refuse(HEAD "replace\t2\t1f0\t20\td\tunit.c\t12\n"); /* data */
    must_refuse(HEAD "replace\t4\t1f0\t20\tu\tunit.c\t12\n"); /* undefined */
    must_refuse(HEAD "replace\t9\t1f0\t20\tf\tunit.c\t12\n"); /* no such symbol */
    must_refuse(HEAD "replace\t1\t-1\t20\tf\tunit.c\t12\n");
    must_refuse(HEAD "replace\t1\t1f0\t20\tf\t../unit.c\t12\n");
    must_refuse(HEAD "import\t1\taddress\t10\n"); /* placed */
    must_refuse(HEAD "import\t4\taddress\t10\nimport\t4\tdynamic\n");
    must_refuse(HEAD "import\t4\taddress\tx\n");
    must_refuse(HEAD "keep\t3\tinside\n"); /* not the first of its section */
    must_refuse(HEAD "keep\t1\tcode\n");
    must_refuse(HEAD "keep\t2\t\n");
    must_refuse(HEAD "callers\t20\t10\n");
    must_refuse(HEAD "private\t\t10\n");
    must_refuse(HEAD "private\tg\n");
    must_refuse(HEAD "old\t10\n");
    must_refuse(HEAD "old\tg\tg\n");
}

static void only_relocatable_objects_with_that_section_are_thin(void **state)
{
    (void)state;
    build_object(&object, HEAD);
    assert_true(thin_file_is(&object, sizeof(object)));
    object.header.e_type = ET_DYN;
    assert_false(thin_file_is(&object, sizeof(object)));
    object.header.e_type = ET_REL;
    memset(object.names, 'x', sizeof(object.names));
    memset(object.lines, 'x', sizeof(object.lines));
    assert_false(thin_file_is(&object, sizeof(object)));
    assert_false(thin_file_is("\177ELF", 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_line_is_read),
        cmocka_unit_test(imports_have_four_kinds),
        cmocka_unit_test(what_is_not_a_thin_object_is_refused),
        cmocka_unit_test(lines_that_contradict_the_object_are_refused),
        cmocka_unit_test(only_relocatable_objects_with_that_section_are_thin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
