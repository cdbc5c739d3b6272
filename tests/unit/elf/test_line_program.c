/*
 * test_line_program.c - elf/line_program.c and elf/object_lines.c: rows get the lines of the map, whatever instructions make
 * them, in each version of the table; what is not understood is left as it is; damaged tables are not read outside of
 * their bytes. The rows are read by libdw.
 */
#include "elf/line_program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <elfutils/libdw.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/debug/dwarf_units.h"
#include "elf/object_lines.h"
#include "elf/rel_debug.h"
#include "elf/rel_object_read.h"
#include "tests/support/directory.h"
#include "tests/support/files.h"

/* Three lines were added before line 4 of t.c. */
static const struct line_run runs[] = {{0, 1, 3, 1}, {0, 4, 400, 7}, {1, 4, 3, 4}};
static const char *const names[] = {"/hunks/0-0/t.c", "/hunks/0-1/t.c"};
static const struct line_map map = {
    .runs = runs, .run_count = 3, .names = names, .name_count = 2, .prefix = "/hunks/"};

/* ---- tables, in the words of as(1) ---- */

#define BEGIN(version, more)                                                         \
    ".section .debug_line,\"\",@progbits\n.long 9f-8f\n8: .short " version "\n" more \
    ".long 7f-6f\n6: .byte "
#define LENGTHS ".byte 0,1,1,1,1,0,0,0,1,0,0,1\n"
/* 1 and in version 5 also 0: the source; 2: a hunk; 3: u.h; 4: behind the first mark */
#define OLD_FILES                                                                          \
    ".asciz \"/hunks/0-0\"\n.asciz \"/hunks/0-1\"\n.byte 0\n.asciz \"t.c\"\n.byte 0,0,0\n" \
    ".asciz \"t.c\"\n.byte 2,0,0\n.asciz \"u.h\"\n.byte 0,0,0\n.asciz \"t.c\"\n.byte "     \
    "1,0,0\n.byte 0\n"
#define NEW_FILES                                                                                \
    ".byte 1, 1,8, 3\n.asciz \"/src\"\n.asciz \"/hunks/0-0\"\n.asciz \"/hunks/0-1\"\n"           \
    ".byte 3, 1,0x1f, 2,11, 5,0x1e, 5\n.long 5f\n.byte 0\n.zero 16,1\n.long 5f\n.byte 0\n"       \
    ".zero 16,1\n.long 5f\n.byte 2\n.zero 16,2\n.long 4f\n.byte 0\n.zero 16,3\n.long 5f\n.byte " \
    "1\n"                                                                                        \
    ".zero 16,4\n"                                                                               \
    ".pushsection .debug_line_str,\"MS\",@progbits,1\n5: .asciz \"t.c\"\n4: .asciz \"u.h\"\n"    \
    ".popsection\n"
#define END "9:\n"

/* Line range 14 from -5; opcodes from 13 on are special: 13 + 14 * ADDRESS + LINE + 5. */
#define SPECIAL(address, line) ".byte 18+14*" #address "+" #line "\n"
#define ADDRESS(symbol) ".byte 0,9,2\n.quad " symbol "\n"
#define ADVANCE(line) ".byte 3\n.sleb128 " #line "\n"
#define COPY ".byte 1\n"
#define FILE(number) ".byte 4," #number "\n"
#define END_SEQUENCE ".byte 0,1,1\n"

static const char all_instructions[] = "7:\n" ADDRESS("0x1000") ADVANCE(2) COPY /* t.c:3 */
    FILE(2) SPECIAL(2, 1)                                                       /* hunk: 4 */
    ".byte 2,3\n" SPECIAL(1, 2)                 /* advance_pc; hunk: 6 */
    FILE(4) ADVANCE(-2) COPY                    /* t.c:4, which is 7 */
    ".byte 8\n" SPECIAL(0, 1)                   /* const_add_pc; t.c:5, which is 8 */
    ".byte 9\n.short 16\n" ADVANCE(300) COPY    /* fixed_advance_pc; t.c:305, which is 308 */
    ".byte 0,2,4,3\n" ADVANCE(-304) COPY        /* discriminator; t.c:1 */
    ".byte 5,7,6,7,10,11,12,1\n" SPECIAL(1, -1) /* column, statement, block, prologue; line 0 */
    FILE(3) ADVANCE(41) COPY                    /* u.h:41 */
    ".byte 0,5,0x80,1,2,3,4\n" SPECIAL(3, 0)    /* of a vendor */
    ".byte 2,8\n" END_SEQUENCE                  /* */
        ADDRESS("0x2000") FILE(4) SPECIAL(0, 3) SPECIAL(2, 1) /* t.c:4 and 5 */
    FILE(2) ADVANCE(-1) COPY                                  /* hunk: 4 */
    ".byte 2,8\n" END_SEQUENCE;

static const char all_rows[] = "1000 t.c:3\n1002 t.c:4\n1006 t.c:6\n1006 t.c:7\n1017 t.c:8\n"
                               "1027 t.c:308\n1027 t.c:1\n1028 t.c:0\n1028 u.h:41\n102b u.h:41\n"
                               "1033 end\n2000 t.c:7\n2002 t.c:8\n2002 t.c:4\n200a end\n";

/* Return the object that as(1) makes of the table, malloc'd. */
static char *assembled(const char *table, size_t *size)
{
    struct file file;

    file_write(directory_path("table.s"), table, strlen(table), 0644);
    run_in_directory("gcc -c -o table.o table.s");
    file = file_read(directory_path("table.o"));
    *size = file.size;
    return (char *)file.bytes;
}

/* ---- rows ---- */

static const char *base(const char *path)
{
    if (!path)
        return "?";
    return strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
}

static void write_rows(Dwarf *dwarf, FILE *out)
{
    Dwarf_Off offset = 0;
    Dwarf_CU *unit = NULL;
    Dwarf_Files *files;
    Dwarf_Lines *lines;
    size_t file_count, line_count;
    bool ends;
    Dwarf_Addr address;
    int line;

    assert_int_equal(
        dwarf_next_lines(dwarf, 0, &offset, &unit, &files, &file_count, &lines, &line_count), 0);
    for (size_t i = 0; i < file_count; i++)
        if (dwarf_filesrc(files, i, NULL, NULL))
            assert_null(strstr(dwarf_filesrc(files, i, NULL, NULL), "hunks"));
    for (size_t i = 0; i < line_count; i++) {
        Dwarf_Line *row = dwarf_onesrcline(lines, i);

        assert_int_equal(dwarf_lineaddr(row, &address), 0);
        assert_int_equal(dwarf_lineno(row, &line), 0);
        assert_int_equal(dwarf_lineendsequence(row, &ends), 0);
        if (ends)
            fprintf(out, "%lx end\n", (unsigned long)address);
        else
            fprintf(out, "%lx %s:%d\n", (unsigned long)address,
                    base(dwarf_linesrc(row, NULL, NULL)), line);
    }
}

/* Return the rows of the object's table, "ADDRESS FILE:LINE" each. */
static const char *rows_of(const char *bytes, size_t size)
{
    static char text[4096];
    struct rel_object *object;
    struct elf_error error = {0};
    FILE *out = fmemopen(text, sizeof(text), "w");
    char *copy;
    Elf *elf;
    Dwarf *dwarf;

    elf_version(EV_CURRENT);
    assert_int_equal(rel_object_open(&object, bytes, size, &error), 0);
    copy = (char *)rel_debug_copy(object);
    elf = elf_memory(copy, size);
    dwarf = dwarf_begin_elf(elf, DWARF_C_READ, NULL);
    assert_non_null(dwarf);
    write_rows(dwarf, out);
    fclose(out);
    dwarf_end(dwarf);
    elf_end(elf);
    free(copy);
    rel_object_close(object);
    return text;
}

static void expect_rows(const char *table, const char *rows)
{
    size_t size;
    char *bytes = assembled(table, &size);

    assert_int_equal(object_lines_change(&bytes, &size, &map), 0);
    assert_string_equal(rows_of(bytes, size), rows);
    free(bytes);
}

static void expect_kept(const char *table)
{
    size_t size, before;
    char *bytes = assembled(table, &size), *same = bytes;

    before = size;
    assert_int_equal(object_lines_change(&bytes, &size, &map), -1);
    assert_ptr_equal(bytes, same);
    assert_int_equal(size, before);
    free(bytes);
}

/* ---- tests ---- */

static const char *table_of(const char *begin, const char *numbers, const char *files,
                            const char *program)
{
    static char text[8192];

    snprintf(text, sizeof(text), "%s%s\n" LENGTHS "%s%s" END, begin, numbers, files, program);
    return text;
}

static void rows_of_all_instructions_have_the_new_lines(void **state)
{
    (void)state;
    expect_rows(table_of(BEGIN("2", ""), "1,1,-5,14,13", OLD_FILES, all_instructions), all_rows);
    expect_rows(table_of(BEGIN("3", ""), "1,1,-5,14,13", OLD_FILES, all_instructions), all_rows);
    expect_rows(table_of(BEGIN("4", ""), "1,1,1,-5,14,13", OLD_FILES, all_instructions), all_rows);
    expect_rows(table_of(BEGIN("5", ".byte 8,0\n"), "1,1,1,-5,14,13", NEW_FILES, all_instructions),
                all_rows);
}

static void addresses_are_not_counted_in_bytes_everywhere(void **state)
{
    (void)state;
    expect_rows(table_of(BEGIN("4", ""), "4,1,1,-5,14,13", OLD_FILES,
                         "7:\n" ADDRESS("0x1000") FILE(4)
                             SPECIAL(1, 3) ".byte 2,2\n" SPECIAL(2, 2) ".byte 2,1\n" END_SEQUENCE),
                "1004 t.c:7\n1014 t.c:9\n1018 end\n");
}

static void relocations_move_with_their_instructions(void **state)
{
    static const char program[] = "7:\n" ADDRESS("first") ADVANCE(3) COPY ADVANCE(200) COPY
        ".byte 2,4\n" END_SEQUENCE ADDRESS("second + 8") ADVANCE(4) COPY END_SEQUENCE
        ".pushsection .text.x,\"ax\"\nfirst: .quad 0\nsecond: .quad 0,0\n.popsection\n";
    struct rel_object *object;
    struct elf_error error = {0};
    const struct rel_section *section;
    size_t size;
    char *bytes =
        assembled(table_of(BEGIN("5", ".byte 8,0\n"), "1,1,1,-5,14,13", NEW_FILES, program), &size);

    (void)state;
    assert_int_equal(object_lines_change(&bytes, &size, &map), 0);
    assert_int_equal(rel_object_open(&object, bytes, size, &error), 0);
    section = &object->sections[rel_section_named(object, ".debug_line")];
    assert_int_equal(section->relocation_count, 7); /* five names, two addresses */
    for (size_t i = 5; i < 7; i++) {
        const uint8_t *before = section->bytes + section->relocations[i].offset - 3;

        assert_memory_equal(before, "\0\t\2", 3);
        assert_int_equal(section->relocations[i].addend +
                             (int64_t)object->symbols[section->relocations[i].symbol].value,
                         i == 5 ? 0 : 16);
    }
    rel_object_close(object);
    free(bytes);
}

static void what_is_not_understood_is_kept(void **state)
{
    static const char program[] = "7:\n" COPY END_SEQUENCE;
    char *two;

    (void)state;
    /* versions, 64-bit DWARF, a line range of 0, no source, a length of an instruction that is another */
    expect_kept(table_of(BEGIN("6", ".byte 8,0\n"), "1,1,1,-5,14,13", NEW_FILES, program));
    expect_kept(table_of(BEGIN("1", ""), "1,1,-5,14,13", OLD_FILES, program));
    expect_kept(table_of(".section .debug_line,\"\",@progbits\n.long -1\n.quad 9f-8f\n8: .short "
                         "4\n.long 7f-6f\n6: .byte ",
                         "1,1,1,-5,14,13", OLD_FILES, program));
    expect_kept(table_of(BEGIN("4", ""), "1,1,1,-5,0,13", OLD_FILES, program));
    expect_kept(table_of(BEGIN("4", ""), "1,1,1,-5,14,13",
                         ".byte 0\n.asciz \"u.h\"\n.byte 0,0,0,0\n", program));
    expect_kept(".section .debug_line,\"\",@progbits\n.long 9f-8f\n8: .short 4\n.long 7f-6f\n6: "
                ".byte 1,1,1,-5,14,5\n.byte 0,1,2,1\n" OLD_FILES "7:\n" END);
    /* a file that the program defines; two tables */
    expect_kept(table_of(BEGIN("4", ""), "1,1,1,-5,14,13", OLD_FILES,
                         "7:\n.byte 0,7,3\n.asciz \"n\"\n.byte 0,0,0,0\n" COPY END_SEQUENCE));
    two = strdup(table_of(BEGIN("4", ""), "1,1,1,-5,14,13", OLD_FILES, program));
    two = realloc(two, 2 * strlen(two) + 1);
    strcat(two, table_of(BEGIN("4", ""), "1,1,1,-5,14,13", OLD_FILES, program));
    expect_kept(two);
    free(two);
    expect_kept(".text\nnop\n");
}

/* Every table that ends early, and every table with one byte that is another. */
static void damaged_tables_are_read_inside_their_bytes(void **state)
{
    struct rel_object *object;
    struct elf_error error = {0};
    struct rel_section *section;
    struct line_table table;
    const uint8_t *whole;
    size_t size, length;
    char *bytes = assembled(
        table_of(BEGIN("5", ".byte 8,0\n"), "1,1,1,-5,14,13", NEW_FILES, all_instructions), &size);

    (void)state;
    assert_int_equal(rel_object_open(&object, bytes, size, &error), 0);
    section = &object->sections[rel_section_named(object, ".debug_line")];
    whole = section->bytes;
    length = section->size;
    section->relocation_count = 0;
    for (size_t i = 1; i <= length; i++)
        for (unsigned change = 0; change < 9; change++) {
            uint8_t *part = malloc(i);
            uint32_t rest = (uint32_t)i - 4;

            memcpy(part, whole, i);
            if (i >= 4)
                memcpy(part, &rest, 4);
            part[i - 1] ^= (uint8_t)(change ? 1 << (change - 1) : 0);
            section->bytes = part;
            section->size = i;
            if (line_program_rewrite(&table, object, (uint32_t)(section - object->sections),
                                     &map) == 0)
                line_table_free(&table);
            free(part);
        }
    rel_object_close(object);
    free(bytes);
}

/* ---- what compilers write ---- */

static const char edited_c[] =
    "int one(int n)\n{\n    return n + 1;\n}\n"
    "#line 4 \"/hunks/0-1/t.c\"\n"
    "static inline int added(int n)\n{ int in = n;\n    return in * 2; }\n"
    "#line 4 \"/hunks/0-0/t.c\"\n"
    "int two(int n)\n{\n    return added(n) + one(n);\n}\n"
    "extern int later;\nint later = 3;\n";

/* Return what the debug information says of the declarations, "NAME:LINE" each, in their order. */
static void write_declarations(Dwarf_Die *die, FILE *out)
{
    do {
        Dwarf_Die child;
        int line;

        if (dwarf_diename(die) && dwarf_decl_line(die, &line) == 0)
            fprintf(out, "%s:%s:%d ", base(debug_decl_file(die)), dwarf_diename(die), line);
        if (dwarf_child(die, &child) == 0)
            write_declarations(&child, out);
    } while (dwarf_siblingof(die, die) == 0);
}

static const char *declarations_of(const char *bytes, size_t size)
{
    static char text[4096];
    struct rel_object *object;
    struct elf_error error = {0};
    FILE *out = fmemopen(text, sizeof(text), "w");
    Dwarf_CU *unit = NULL;
    Dwarf_Die die;
    uint8_t type;
    char *copy;
    Elf *elf;
    Dwarf *dwarf;

    assert_int_equal(rel_object_open(&object, bytes, size, &error), 0);
    copy = (char *)rel_debug_copy(object);
    elf = elf_memory(copy, size);
    dwarf = dwarf_begin_elf(elf, DWARF_C_READ, NULL);
    assert_non_null(dwarf);
    assert_int_equal(dwarf_get_units(dwarf, NULL, &unit, NULL, &type, &die, NULL), 0);
    write_declarations(&die, out);
    fclose(out);
    dwarf_end(dwarf);
    elf_end(elf);
    free(copy);
    rel_object_close(object);
    return text;
}

static void declarations_have_the_new_lines(void **state)
{
    static const char *const ways[] = {"gcc -O2 -gdwarf-5", "gcc -O0 -gdwarf-4",
                                       "gcc -O2 -gdwarf-2", "clang -O0 -gdwarf-5",
                                       "clang -O0 -gdwarf-4"};
    static const char *const wanted[] = {"t.c:one:1 ", "t.c:added:4 ", "t.c:in:5 ", "t.c:two:7 ",
                                         "t.c:later:12 "};

    (void)state;
    file_write(directory_path("t.c"), edited_c, strlen(edited_c), 0644);
    for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
        struct file file;
        const char *text;

        run_in_directory("%s -gz=none -c -o t.o t.c", ways[i]);
        file = file_read(directory_path("t.o"));
        assert_int_equal(object_lines_change((char **)&file.bytes, &file.size, &map), 0);
        text = declarations_of((char *)file.bytes, file.size);
        for (size_t k = 0; k < sizeof(wanted) / sizeof(*wanted); k++)
            if (!strstr(text, wanted[k]))
                fail_msg("%s: no %s in %s", ways[i], wanted[k], text);
        file_free(&file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_all_instructions_have_the_new_lines),
        cmocka_unit_test(addresses_are_not_counted_in_bytes_everywhere),
        cmocka_unit_test(relocations_move_with_their_instructions),
        cmocka_unit_test(what_is_not_understood_is_kept),
        cmocka_unit_test(damaged_tables_are_read_inside_their_bytes),
        cmocka_unit_test(declarations_have_the_new_lines),
    };

    return cmocka_run_group_tests(tests, directory_make, directory_remove);
}
