/* dwarf_text.c - see dwarf_text.h. */
#include "cli/debug/dwarf_text.h"

#include <dwarf.h>
#include <gelf.h>
#include <string.h>

typedef bool section_fn(const char *name, const Elf_Data *data, void *context);

/* Call `each` for the debug sections as libdw reads them (uncompressed) until it returns false. */
static bool each_debug_section(Dwarf *dwarf, section_fn *each, void *context)
{
    Elf *elf = dwarf_getelf(dwarf);
    Elf_Scn *section = NULL;
    size_t names;

    if (elf_getshdrstrndx(elf, &names) != 0)
        return false;
    while ((section = elf_nextscn(elf, section))) {
        GElf_Shdr header;
        const char *name;
        const Elf_Data *data;

        if (!gelf_getshdr(section, &header) || header.sh_type == SHT_NOBITS)
            continue;
        name = elf_strptr(elf, names, header.sh_name);
        if (!name || !strstr(name, "debug_"))
            continue;
        data = elf_getdata(section, NULL);
        if (data && data->d_buf && data->d_size && !each(name, data, context))
            return false;
    }
    return true;
}

static bool ends_with_end(const char *name, const Elf_Data *data, void *context)
{
    (void)context;
    return (!strstr(name, "debug_str") && !strstr(name, "debug_line_str")) ||
           strstr(name, "debug_str_offsets") ||
           ((const char *)data->d_buf)[data->d_size - 1] == '\0';
}

/* True: another section. False: the context becomes the end of the section that holds the address. */
static bool is_other_section(const char *name, const Elf_Data *data, void *context)
{
    const char **address = context, *begin = data->d_buf;

    (void)name;
    if (*address < begin || *address >= begin + data->d_size)
        return true;
    *address = begin + data->d_size;
    return false;
}

/* Return where the unit ends in memory, as its header says, or NULL. */
static const char *unit_end(Dwarf_CU *unit)
{
    Dwarf_Half version = 0;
    Dwarf_Off next, start, offset, type = 0;
    uint64_t signature;
    size_t header;
    Dwarf_Die die;
    bool in_types;

    if (!dwarf_cu_die(unit, &die, &version, NULL, NULL, NULL, &signature, &type))
        return NULL;
    offset = dwarf_dieoffset(&die);
    start = offset - dwarf_cuoffset(&die);
    in_types = type && version < 5;
    if (dwarf_next_unit(dwarf_cu_getdwarf(unit), start, &next, &header, NULL, NULL, NULL, NULL,
                        in_types ? &signature : NULL, in_types ? &type : NULL) != 0 ||
        next < offset)
        return NULL;
    return (const char *)die.addr + (next - offset);
}

static bool ends_in_section(Dwarf_CU *unit, const Dwarf_Die *die)
{
    const char *end = unit_end(unit), *section_end = die->addr;

    return end && !each_debug_section(dwarf_cu_getdwarf(unit), is_other_section, &section_end) &&
           end <= section_end;
}

static bool all_ends(Dwarf *dwarf)
{
    Dwarf_CU *unit = NULL;
    Dwarf_Die die;

    if (!each_debug_section(dwarf, ends_with_end, NULL))
        return false;
    while (dwarf_get_units(dwarf, unit, &unit, NULL, NULL, &die, NULL) == 0)
        if (die.addr && !ends_in_section(unit, &die))
            return false;
    return true;
}

bool debug_texts_end(Dwarf *dwarf)
{
    Dwarf *shared = dwarf_getalt(dwarf);

    return all_ends(dwarf) && (!shared || all_ends(shared));
}

const char *debug_text(Dwarf_Attribute *attribute)
{
    const char *text = dwarf_formstring(attribute), *end;

    /* Among the other attributes (DWARF 5, 7.5.5). */
    if (!text || dwarf_whatform(attribute) != DW_FORM_string)
        return text;
    end = unit_end(attribute->cu);
    return end && text < end && memchr(text, '\0', (size_t)(end - text)) ? text : NULL;
}

static const char *attribute_text(Dwarf_Die *die, unsigned name)
{
    Dwarf_Attribute attribute;

    return debug_text(dwarf_attr_integrate(die, name, &attribute));
}

const char *debug_die_name(Dwarf_Die *die)
{
    return attribute_text(die, DW_AT_name);
}

const char *debug_linkage_name(Dwarf_Die *die)
{
    return attribute_text(die, DW_AT_linkage_name);
}
