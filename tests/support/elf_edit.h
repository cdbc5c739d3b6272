/*
 * elf_edit.h - damages copies of patches, one structure at a time.
 */
#ifndef HOTPATCH_ELF_EDIT_H
#define HOTPATCH_ELF_EDIT_H

#include <elf.h>

#include "tests/support/harness.h"

Elf64_Ehdr *elf_header(struct file *file);
Elf64_Phdr *elf_segment(struct file *file, uint32_t type); /* the first segment of that type */
Elf64_Shdr *elf_section(struct file *file, const char *name);
Elf64_Dyn *elf_dynamic(struct file *file, int64_t tag);
/* Return the bytes at a virtual address, or the offset of an address in the file. */
void *elf_at(struct file *file, uint64_t address);
size_t elf_offset(struct file *file, uint64_t address);
/* Return the address of a symbol of .dynsym. */
uint64_t elf_symbol(struct file *file, const char *name);
/* Return the relocation that fills the word at `address`. */
Elf64_Rela *elf_relocation(struct file *file, uint64_t address);

#endif
