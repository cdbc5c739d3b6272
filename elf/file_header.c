/* file_header.c - see file_header.h. */
#include "elf/file_header.h"

#include <stdio.h>
#include <string.h>

#include "base/machine.h"

static int write_build_id(char *out, const uint8_t *id, size_t size, struct elf_error *error)
{
    static const char digits[] = "0123456789abcdef";

    if (size > IMAGE_BUILD_ID_MAX)
        return elf_fail(error, ELF_DAMAGED, "the build-id has %zu bytes", size);
    for (size_t i = 0; i < size; i++) {
        out[2 * i] = digits[id[i] >> 4];
        out[2 * i + 1] = digits[id[i] & 15];
    }
    out[2 * size] = '\0';
    return 0;
}

static uint64_t align_up(uint64_t value, uint64_t alignment)
{
    return (value + alignment - 1) & ~(alignment - 1);
}

/* Generic ABI, "Note Section"; notes of 8-byte alignment pad name and descriptor to 8. */
int image_notes_build_id(const uint8_t *notes, uint64_t size, uint64_t alignment,
                         char out[IMAGE_BUILD_ID_TEXT], struct elf_error *error)
{
    alignment = alignment == 8 ? 8 : 4;
    for (uint64_t at = 0; at < size && size - at >= sizeof(Elf64_Nhdr);) {
        Elf64_Nhdr note;
        memcpy(&note, notes + at, sizeof note);
        uint64_t name = at + sizeof note;
        uint64_t content = align_up(name + note.n_namesz, alignment);
        if (content > size || note.n_descsz > size - content)
            return elf_fail(error, ELF_DAMAGED, "a note reaches beyond PT_NOTE");
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == sizeof ELF_NOTE_GNU &&
            memcmp(notes + name, ELF_NOTE_GNU, sizeof ELF_NOTE_GNU) == 0 && !out[0] &&
            write_build_id(out, notes + content, note.n_descsz, error))
            return -1;
        at = align_up(content + note.n_descsz, alignment);
    }
    return 0;
}

static const char *type_name(uint16_t type)
{
    switch (type) {
    case ET_REL:
        return "an object file (ET_REL)";
    case ET_EXEC:
        return "a program at a fixed address (ET_EXEC)";
    case ET_DYN:
        return "a shared object";
    case ET_CORE:
        return "a core dump";
    default:
        return "of an unknown ELF type";
    }
}

static int check_type(uint16_t type, uint16_t require_type, struct elf_error *error)
{
    if (require_type ? type == require_type : type == ET_DYN || type == ET_EXEC)
        return 0;
    return elf_fail(error, ELF_TYPE_WRONG, "it is %s, not %s", type_name(type),
                    require_type ? type_name(require_type) : "a program or shared object");
}

int image_check_file_header(const uint8_t *bytes, size_t size, uint16_t require_type,
                            Elf64_Ehdr *header, struct elf_error *error)
{
    if (size < SELFMAG || memcmp(bytes, ELFMAG, SELFMAG) != 0)
        return elf_fail(error, ELF_NOT, "it does not begin with the ELF magic");
    if (size < EI_NIDENT)
        return elf_fail(error, ELF_DAMAGED, "it ends inside the ELF header");
    if (bytes[EI_CLASS] != ELFCLASS64 || bytes[EI_DATA] != ELFDATA2LSB)
        return elf_fail(error, ELF_CLASS_WRONG, "it is not 64-bit little-endian");
    if (size < sizeof *header)
        return elf_fail(error, ELF_DAMAGED, "it ends inside the ELF header");
    memcpy(header, bytes, sizeof *header);
    if (header->e_machine != machine_elf)
        return elf_fail(error, ELF_MACHINE_WRONG, "its machine is %u, not %s", header->e_machine,
                        machine_name);
    if (check_type(header->e_type, require_type, error))
        return -1;
    if (header->e_ident[EI_VERSION] != EV_CURRENT || header->e_version != EV_CURRENT)
        return elf_fail(error, ELF_DAMAGED, "it is of an unknown ELF version");
    return 0;
}

/* Check that the header tables lie inside the file, before libelf reads them. A file cut short while it was
 * copied fails here: section headers come last. */
int image_check_header_tables(const Elf64_Ehdr *header, size_t size, struct elf_error *error)
{
    uint64_t program = (uint64_t)header->e_phnum * sizeof(Elf64_Phdr);
    uint64_t sections = (uint64_t)header->e_shnum * sizeof(Elf64_Shdr);

    if (header->e_phnum == 0 || header->e_phnum == PN_XNUM ||
        header->e_phentsize != sizeof(Elf64_Phdr))
        return elf_fail(error, ELF_DAMAGED, "it has no program headers of the right size");
    if (header->e_phoff > size || program > size - header->e_phoff)
        return elf_fail(error, ELF_DAMAGED, "the program headers lie beyond the end of the file");
    if (header->e_shoff == 0)
        return 0;
    if (header->e_shentsize != sizeof(Elf64_Shdr) && header->e_shnum != 0)
        return elf_fail(error, ELF_DAMAGED, "the section headers have the wrong size");
    if (header->e_shoff > size || sections > size - header->e_shoff)
        return elf_fail(error, ELF_DAMAGED, "the section headers lie beyond the end of the file");
    return 0;
}
