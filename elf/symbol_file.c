/*
 * symbol_file.c - see symbol_file.h.
 *
 * Any thread. The kernel is called without libc in between, since a fault may have been injected
 * into libc's pread(). Every size is checked against the file's before memory is asked for.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/sys.h"
#include "elf/file_header.h"
#include "elf/pages.h"
#include "elf/symbol_file.h"

#define STRINGS_MAX (UINT64_C(1) << 30) /* functions.c keeps offsets in 30 bits */
#define NOTES_MAX (UINT64_C(1) << 20)
#define READ_MAX (UINT64_C(1) << 30) /* of one pread(2), which reads less than 2 GiB */

/* ------------------------------------------------------- reading --- */

static bool is_inside_file(const struct symbol_file *file, uint64_t offset, uint64_t size)
{
    return offset <= file->size && size <= file->size - offset;
}

bool symbol_file_read(const struct symbol_file *file, void *to, uint64_t offset, uint64_t size)
{
    char *next = to;

    if (!is_inside_file(file, offset, size))
        return false;
    while (size > 0) {
        ssize_t got = sys_pread(file->file, next, size < READ_MAX ? size : READ_MAX, (off_t)offset);
        if (got == -EINTR)
            continue;
        if (got <= 0)
            return false;
        next += got;
        offset += (uint64_t)got;
        size -= (uint64_t)got;
    }
    return true;
}

/* malloc'd; NULL with `error`. */
static void *read_header_table(const struct symbol_file *file, uint64_t offset, uint64_t size,
                               const char *what, struct elf_error *error)
{
    if (!is_inside_file(file, offset, size) || size > SIZE_MAX / 2) {
        elf_error_set(error, ELF_DAMAGED, "%s lies beyond the end of the file", what);
        return NULL;
    }
    void *table = malloc(size ? size : 1);
    if (!table) {
        elf_error_set(error, ELF_NO_MEMORY, "no memory for %s", what);
        return NULL;
    }
    if (!symbol_file_read(file, table, offset, size)) {
        elf_error_set(error, ELF_DAMAGED, "%s cannot be read", what);
        free(table);
        return NULL;
    }
    return table;
}

char *symbol_file_strings(const struct symbol_file *file, const Elf64_Shdr *section,
                          struct elf_error *error)
{
    uint64_t size = section->sh_size;

    if (section->sh_type != SHT_STRTAB || size == 0 || size > STRINGS_MAX ||
        !is_inside_file(file, section->sh_offset, size)) {
        elf_error_set(error, ELF_DAMAGED,
                      "a string table is empty, too large or beyond the end of the file");
        return NULL;
    }
    char *strings = pages_get(size);
    if (!strings) {
        elf_error_set(error, ELF_NO_MEMORY, "no memory for a string table");
        return NULL;
    }
    if (!symbol_file_read(file, strings, section->sh_offset, size) || strings[size - 1] != '\0') {
        elf_error_set(error, ELF_DAMAGED, "a string table cannot be read or does not end in a NUL");
        pages_drop(strings, size);
        return NULL;
    }
    return strings;
}

/* ------------------------------------------------------- opening --- */

static int read_file_header(struct symbol_file *file, struct elf_error *error)
{
    uint8_t bytes[sizeof(Elf64_Ehdr)];
    struct stat status;

    if (sys_fstat(file->file, &status) < 0 || !S_ISREG(status.st_mode))
        return elf_fail(error, ELF_NOT, "it is not a regular file");
    file->size = (uint64_t)status.st_size;
    size_t there = file->size < sizeof bytes ? (size_t)file->size : sizeof bytes;
    if (!symbol_file_read(file, bytes, 0, there))
        return elf_fail(error, ELF_DAMAGED, "the ELF header cannot be read");
    if (image_check_file_header(bytes, there, 0, &file->header, error))
        return -1;
    return image_check_header_tables(&file->header, file->size, error);
}

/* A file with more than 65,279 sections counts them elsewhere: it is read as one without any. */
static int read_sections(struct symbol_file *file, struct elf_error *error)
{
    const Elf64_Ehdr *header = &file->header;

    if (header->e_shoff == 0 || header->e_shnum == 0)
        return 0;
    file->sections =
        read_header_table(file, header->e_shoff, (uint64_t)header->e_shnum * sizeof(Elf64_Shdr),
                          "the section headers", error);
    if (!file->sections)
        return -1;
    file->section_count = header->e_shnum;
    if (header->e_shstrndx == SHN_UNDEF || header->e_shstrndx >= file->section_count)
        return 0;
    const Elf64_Shdr *names = &file->sections[header->e_shstrndx];
    file->names = symbol_file_strings(file, names, error);
    file->names_size = names->sh_size;
    return file->names ? 0 : -1;
}

static int read_file_notes(struct symbol_file *file, uint64_t offset, uint64_t size,
                           uint64_t alignment, struct elf_error *error)
{
    if (size == 0 || size > NOTES_MAX || file->build_id[0])
        return 0;
    uint8_t *notes = read_header_table(file, offset, size, "a note", error);
    if (!notes)
        return -1;
    int result = image_notes_build_id(notes, size, alignment, file->build_id, error);
    free(notes);
    return result;
}

/* Compare the sections, which a separate debug file has as well; its segments differ. */
static int read_build_id(struct symbol_file *file, struct elf_error *error)
{
    for (size_t i = 0; i < file->section_count; i++) {
        const Elf64_Shdr *section = &file->sections[i];
        if (section->sh_type == SHT_NOTE &&
            read_file_notes(file, section->sh_offset, section->sh_size, section->sh_addralign,
                            error))
            return -1;
    }
    for (size_t i = 0; file->section_count == 0 && i < file->header.e_phnum; i++) {
        const Elf64_Phdr *segment = &file->segments[i];
        if (segment->p_type == PT_NOTE &&
            read_file_notes(file, segment->p_offset, segment->p_filesz, segment->p_align, error))
            return -1;
    }
    return 0;
}

int symbol_file_open(struct symbol_file *out, int file, struct elf_error *error)
{
    *out = (struct symbol_file){.file = file};
    if (read_file_header(out, error))
        return -1;
    out->segments = read_header_table(out, out->header.e_phoff,
                                      (uint64_t)out->header.e_phnum * sizeof(Elf64_Phdr),
                                      "the program headers", error);
    if (!out->segments || read_sections(out, error) || read_build_id(out, error)) {
        symbol_file_close(out);
        return -1;
    }
    return 0;
}

void symbol_file_close(struct symbol_file *file)
{
    free(file->segments);
    free(file->sections);
    pages_drop(file->names, file->names_size);
    *file = (struct symbol_file){.file = -1};
}

/* ------------------------------------------------------- looking --- */

static bool same_segments(const struct symbol_file *file, const struct image *mapped)
{
    size_t seen = 0;

    for (size_t i = 0; i < file->header.e_phnum; i++) {
        const Elf64_Phdr *segment = &file->segments[i];
        if (segment->p_type != PT_LOAD || segment->p_memsz == 0)
            continue;
        const struct segment *other = &mapped->segments[seen++];
        if (seen > mapped->segment_count || segment->p_vaddr != other->address ||
            segment->p_memsz != other->memory_size || segment->p_filesz != other->file_size ||
            segment->p_flags != other->flags)
            return false;
    }
    return seen == mapped->segment_count;
}

bool symbol_file_is_of(const struct symbol_file *file, const struct image *mapped)
{
    if (file->build_id[0] || mapped->build_id[0])
        return strcmp(file->build_id, mapped->build_id) == 0;
    return same_segments(file, mapped);
}

bool symbol_file_is_debug(const struct symbol_file *file)
{
    for (size_t i = 0; i < file->section_count; i++) {
        if (file->sections[i].sh_type == SHT_NOBITS && file->sections[i].sh_flags & SHF_EXECINSTR)
            return true;
    }
    return false;
}

const char *symbol_file_section_name(const struct symbol_file *file, const Elf64_Shdr *section)
{
    return file->names && section->sh_name < file->names_size ? file->names + section->sh_name : "";
}

const Elf64_Shdr *symbol_file_section(const struct symbol_file *file, const char *name,
                                      uint32_t type)
{
    for (size_t i = 0; i < file->section_count; i++) {
        const Elf64_Shdr *section = &file->sections[i];
        if ((type == SHT_NULL || section->sh_type == type) &&
            (!name || strcmp(symbol_file_section_name(file, section), name) == 0))
            return section;
    }
    return NULL;
}
