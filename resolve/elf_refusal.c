/* elf_refusal.c - see elf_refusal.h. */
#include "resolve/elf_refusal.h"

enum error_code elf_refusal_code(const struct elf_error *error)
{
    static const enum error_code codes[] = {
        [ELF_OK] = HP_INTERNAL,
        [ELF_NOT] = HP_NOT_ELF,
        [ELF_CLASS_WRONG] = HP_ELF_CLASS,
        [ELF_MACHINE_WRONG] = HP_ELF_MACHINE,
        [ELF_TYPE_WRONG] = HP_ELF_TYPE,
        [ELF_DAMAGED] = HP_ELF_CORRUPT,
        [ELF_NO_MANIFEST] = HP_NO_MANIFEST,
        [ELF_MANIFEST_DAMAGED] = HP_MANIFEST,
        [ELF_MANIFEST_VERSION] = HP_MANIFEST_VERSION,
        [ELF_TABLE_DAMAGED] = HP_SLOT_DAMAGED,
        [ELF_THIN_DAMAGED] = HP_THIN,
        [ELF_THIN_RELOCATION] = HP_RELOCATION,
        [ELF_THIN_UNDEFINED] = HP_UNDEFINED,
        [ELF_OTHER_BINARY] = HP_BUILD_ID,
        [ELF_NO_MEMORY] = HP_MEMORY,
    };

    return codes[error->code];
}
