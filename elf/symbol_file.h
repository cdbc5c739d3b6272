/*
 * symbol_file.h - the tables of an ELF file that are not loaded: sections, .symtab, build-id.
 *
 * Read by pread(2), whole tables at a time; nothing is mapped, so that a file that is cut short
 * meanwhile is a failed read and no SIGBUS in the host.
 */
#ifndef HOTPATCH_SYMBOL_FILE_H
#define HOTPATCH_SYMBOL_FILE_H

#include "elf/elf_error.h"
#include "elf/image_parts.h"

struct symbol_file {
    int file; /* the caller's */
    uint64_t size;
    Elf64_Ehdr header;
    Elf64_Phdr *segments; /* header.e_phnum */
    Elf64_Shdr *sections;
    size_t section_count; /* 0: has none */
    char *names;          /* of sections; ends in a NUL; pages.h */
    size_t names_size;
    char build_id[IMAGE_BUILD_ID_TEXT];
};

/* 0, or -1 with `error`. */
int symbol_file_open(struct symbol_file *out, int file, struct elf_error *error);
void symbol_file_close(struct symbol_file *file);

/* Return whether `mapped` is this file, or the file whose debug information this is. */
bool symbol_file_is_of(const struct symbol_file *file, const struct image *mapped);
/* Return whether it is a separate debug file: the code's section has no bytes. */
bool symbol_file_is_debug(const struct symbol_file *file);

const char *symbol_file_section_name(const struct symbol_file *file, const Elf64_Shdr *section);
/* Return the first section of that name (NULL: any) and type (SHT_NULL: any), or NULL. */
const Elf64_Shdr *symbol_file_section(const struct symbol_file *file, const char *name,
                                      uint32_t type);

/* Read all of [offset, offset + size), or return false. */
bool symbol_file_read(const struct symbol_file *file, void *to, uint64_t offset, uint64_t size);
/* Copy a string table's section, which ends in a NUL; pages_drop() the copy with the section's size. NULL
 * with `error`. */
char *symbol_file_strings(const struct symbol_file *file, const Elf64_Shdr *section,
                          struct elf_error *error);

#endif
