/*
 * functions_places.c - where an object has executable memory, PLTs and .text.
 *
 * Runs on the listener and in the command.
 */
#include "elf/functions_places.h"

#include <stdlib.h>
#include <string.h>

static int add_code(struct functions *functions, uint64_t address, uint64_t size, uint32_t flags)
{
    if (size == 0 || !(flags & PF_X) || address + size < address)
        return 0;
    struct code_range *grown =
        realloc(functions->code, (functions->code_count + 1) * sizeof *functions->code);
    if (!grown)
        return -1;
    functions->code = grown;
    grown[functions->code_count++] = (struct code_range){address, address + size};
    return 0;
}

static int read_code_ranges(struct functions *functions, const struct symbol_file *file,
                            struct elf_error *error)
{
    const struct image *image = functions->image;
    int failed = 0;

    for (size_t i = 0; image && i < image->segment_count; i++)
        failed |= add_code(functions, image->segments[i].address, image->segments[i].memory_size,
                           image->segments[i].flags);
    for (size_t i = 0; !image && i < file->header.e_phnum; i++) {
        const Elf64_Phdr *segment = &file->segments[i];
        if (segment->p_type == PT_LOAD)
            failed |= add_code(functions, segment->p_vaddr, segment->p_memsz, segment->p_flags);
    }
    if (failed)
        return elf_fail(error, ELF_NO_MEMORY, "no memory for the PT_LOADs");
    return 0;
}

/* .plt, .plt.got, .plt.sec, ... */
static void read_plt(struct functions *functions, const struct symbol_file *file)
{
    for (size_t i = 0; i < file->section_count && functions->plt_count < PLT_RANGES_MAX; i++) {
        const Elf64_Shdr *section = &file->sections[i];
        const char *name = symbol_file_section_name(file, section);
        if ((section->sh_flags & SHF_EXECINSTR) && strncmp(name, ".plt", 4) == 0 &&
            (name[4] == '\0' || name[4] == '.'))
            functions->plt[functions->plt_count++] =
                (struct code_range){section->sh_addr, section->sh_addr + section->sh_size};
    }
    functions->plt_known = file->names != NULL;
}

/* Add a section that is as linkers write it: in the executable memory, after the sections before it. Any
 * other is left out. */
static void add_text(struct functions *functions, const Elf64_Shdr *section)
{
    struct code_range *last =
        functions->text_count ? &functions->text[functions->text_count - 1] : NULL;

    for (size_t i = 0; i < functions->code_count && section->sh_size > 0; i++) {
        const struct code_range *code = &functions->code[i];
        if (section->sh_addr < code->begin || section->sh_addr >= code->end ||
            section->sh_size > code->end - section->sh_addr ||
            (last && section->sh_addr < last->end))
            continue;
        functions->text[functions->text_count++] =
            (struct code_range){section->sh_addr, section->sh_addr + section->sh_size};
        return;
    }
}

/* .text, .text.hot, ...; read_code_ranges() comes first. */
static void read_text_ranges(struct functions *functions, const struct symbol_file *file)
{
    for (size_t i = 0; i < file->section_count && functions->text_count < TEXT_RANGES_MAX; i++) {
        const Elf64_Shdr *section = &file->sections[i];
        const char *name = symbol_file_section_name(file, section);
        if ((section->sh_flags & SHF_EXECINSTR) && strncmp(name, ".text", 5) == 0 &&
            (name[5] == '\0' || name[5] == '.'))
            add_text(functions, section);
    }
}

static bool is_in_ranges(const struct code_range *ranges, size_t count, uint64_t address)
{
    for (size_t i = 0; i < count; i++) {
        if (address >= ranges[i].begin && address < ranges[i].end)
            return true;
    }
    return false;
}

bool functions_may_be_at(const struct functions *functions, uint64_t address)
{
    return is_in_ranges(functions->code, functions->code_count, address) &&
           !is_in_ranges(functions->plt, functions->plt_count, address);
}

int functions_read_places(struct functions *functions, const struct symbol_file *file,
                          struct elf_error *error)
{
    read_plt(functions, file);
    if (read_code_ranges(functions, file, error))
        return -1;
    read_text_ranges(functions, file);
    return 0;
}
