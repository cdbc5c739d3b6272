/*
 * elf_edit.c - finds structures in a patch that gcc and ld have just made; see elf_edit.h.
 *
 * This code trusts its input, which the build made. A structure that is not found fails the test.
 */
#include "tests/support/elf_edit.h"

#include <string.h>

Elf64_Ehdr *elf_header(struct file *file)
{
    return (Elf64_Ehdr *)(void *)file->bytes;
}

Elf64_Phdr *elf_segment(struct file *file, uint32_t type)
{
    Elf64_Phdr *segments = (Elf64_Phdr *)(void *)(file->bytes + elf_header(file)->e_phoff);
    for (unsigned i = 0; i < elf_header(file)->e_phnum; i++)
        if (segments[i].p_type == type)
            return &segments[i];
    fail_msg("no segment of type %u", type);
    return NULL;
}

Elf64_Shdr *elf_section(struct file *file, const char *name)
{
    Elf64_Shdr *sections = (Elf64_Shdr *)(void *)(file->bytes + elf_header(file)->e_shoff);
    const char *names =
        (const char *)file->bytes + sections[elf_header(file)->e_shstrndx].sh_offset;
    for (unsigned i = 0; i < elf_header(file)->e_shnum; i++)
        if (strcmp(names + sections[i].sh_name, name) == 0)
            return &sections[i];
    fail_msg("no section %s", name);
    return NULL;
}

Elf64_Dyn *elf_dynamic(struct file *file, int64_t tag)
{
    Elf64_Dyn *entry = (Elf64_Dyn *)(void *)(file->bytes + elf_segment(file, PT_DYNAMIC)->p_offset);
    for (; entry->d_tag != DT_NULL; entry++)
        if (entry->d_tag == tag)
            return entry;
    fail_msg("no dynamic entry 0x%llx", (unsigned long long)tag);
    return NULL;
}

size_t elf_offset(struct file *file, uint64_t address)
{
    Elf64_Phdr *segments = (Elf64_Phdr *)(void *)(file->bytes + elf_header(file)->e_phoff);
    for (unsigned i = 0; i < elf_header(file)->e_phnum; i++) {
        const Elf64_Phdr *segment = &segments[i];
        if (segment->p_type == PT_LOAD && address >= segment->p_vaddr &&
            address < segment->p_vaddr + segment->p_filesz)
            return segment->p_offset + (address - segment->p_vaddr);
    }
    fail_msg("address 0x%llx is not in the file", (unsigned long long)address);
    return 0;
}

void *elf_at(struct file *file, uint64_t address)
{
    return file->bytes + elf_offset(file, address);
}

uint64_t elf_symbol(struct file *file, const char *name)
{
    const Elf64_Shdr *table = elf_section(file, ".dynsym");
    const char *names = (const char *)file->bytes + elf_section(file, ".dynstr")->sh_offset;
    const Elf64_Sym *symbols = (const Elf64_Sym *)(void *)(file->bytes + table->sh_offset);
    for (size_t i = 0; i < table->sh_size / sizeof(*symbols); i++)
        if (strcmp(names + symbols[i].st_name, name) == 0)
            return symbols[i].st_value;
    fail_msg("no symbol %s", name);
    return 0;
}

Elf64_Rela *elf_relocation(struct file *file, uint64_t address)
{
    const Elf64_Shdr *table = elf_section(file, ".rela.dyn");
    Elf64_Rela *relocations = (Elf64_Rela *)(void *)(file->bytes + table->sh_offset);
    for (size_t i = 0; i < table->sh_size / sizeof(*relocations); i++)
        if (relocations[i].r_offset == address)
            return &relocations[i];
    fail_msg("no relocation at 0x%llx", (unsigned long long)address);
    return NULL;
}
