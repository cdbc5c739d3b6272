/* section_class.c - see section_class.h. */
#include "cli/build/section_class.h"

#include <elf.h>
#include <stddef.h>
#include <string.h>

/* Return whether the name is `stem`, or continues it after a dot. */
static bool is_or_below(const char *name, const char *stem)
{
    size_t length = strlen(stem);

    return strncmp(name, stem, length) == 0 && (name[length] == '\0' || name[length] == '.');
}

static bool is_below_any(const char *name, const char *const *stems, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (is_or_below(name, stems[i]))
            return true;
    }
    return false;
}

bool section_is_unwind(const struct rel_section *section)
{
    return strcmp(section->name, ".eh_frame") == 0;
}

bool section_is_exception_table(const struct rel_section *section)
{
    return is_or_below(section->name, ".gcc_except_table");
}

/* Sections of constants that ld makes read-only after relocation have the flag SHF_WRITE. */
static bool is_relocated_constant(const struct rel_section *section)
{
    return is_or_below(section->name, ".data.rel.ro");
}

static enum section_class constant_class(const struct rel_section *section)
{
    if (!(section->flags & SHF_MERGE) || !section->entry_size)
        return SECTION_CONSTANT;
    return section->flags & SHF_STRINGS ? SECTION_STRINGS : SECTION_LITERALS;
}

enum section_class section_class_of(const struct rel_section *section)
{
    static const char *const constants[] = {".rodata", ".lrodata", ".gcc_except_table",
                                            ".data.rel.ro"};
    static const char *const variables[] = {".data", ".bss", ".ldata", ".lbss", ".sdata", ".sbss"};

    if (!(section->flags & SHF_ALLOC) || section_is_unwind(section) ||
        strcmp(section->name, ".note.gnu.property") == 0 ||
        strcmp(section->name, "__patchable_function_entries") == 0)
        return SECTION_IGNORED;
    if (section->flags & SHF_TLS)
        return SECTION_THREAD;
    if (section->flags & SHF_EXECINSTR)
        return SECTION_CODE;
    if (section->type != SHT_PROGBITS && section->type != SHT_NOBITS)
        return SECTION_SPECIAL;
    if (is_relocated_constant(section) ||
        (!(section->flags & SHF_WRITE) &&
         is_below_any(section->name, constants, sizeof(constants) / sizeof(*constants))))
        return constant_class(section);
    if (is_below_any(section->name, variables, sizeof(variables) / sizeof(*variables)))
        return SECTION_WRITABLE;
    return SECTION_SPECIAL;
}
