/*
 * slot_table_file.c - find the slot table of an object that does not export it.
 *
 * Any thread. Only headers and the section names are read; nothing of the file is mapped, since
 * a file that is cut short while mapped would kill the host with SIGBUS.
 */
#include "elf/slot_table_file.h"

#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <string.h>
#include <unistd.h>

#include "include/hotpatch.h"

static bool find_section(Elf *elf, uint64_t *address)
{
    size_t names;
    Elf_Scn *section = NULL;
    GElf_Shdr header;

    if (elf_kind(elf) != ELF_K_ELF || gelf_getclass(elf) != ELFCLASS64 ||
        elf_getshdrstrndx(elf, &names) != 0)
        return false;
    while ((section = elf_nextscn(elf, section)) != NULL) {
        const char *name;

        if (!gelf_getshdr(section, &header) || !(header.sh_flags & SHF_ALLOC) ||
            header.sh_size < sizeof(struct hotpatch_slot_table))
            continue;
        name = elf_strptr(elf, names, header.sh_name);
        if (name && strcmp(name, "hotpatch_table") == 0) {
            *address = header.sh_addr;
            return true;
        }
    }
    return false;
}

bool slot_table_find_in_file(int fd, uint64_t *address)
{
    Elf *elf;
    bool found;

    if (elf_version(EV_CURRENT) == EV_NONE)
        return false;
    elf = elf_begin(fd, ELF_C_READ, NULL);
    if (!elf)
        return false;
    found = find_section(elf, address);
    elf_end(elf);
    return found;
}
