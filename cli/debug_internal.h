/* debug_internal.h - what debug_info.c and inlined.c share. */
#ifndef HOTPATCH_DEBUG_INTERNAL_H
#define HOTPATCH_DEBUG_INTERNAL_H

#include <elfutils/libdwfl.h>

#include "debug_info.h"
#include "slot_table.h"

struct debug_info {
    Dwfl *dwfl;
    Dwfl_Module *module;
    GElf_Addr bias; /* of the module's addresses in `dwfl` */
    char *build_id;
    char *soname;
    struct image *image; /* of an object that declares slots; read when first asked for */
    struct slot_table slots;
    bool slots_read;
};

/* The compile unit's DIE, and in `bias` what makes an address of it one of the object; NULL:
 * there is no DWARF for that address. */
Dwarf_Die *debug_info_unit(struct debug_info *info, uint64_t address, Dwarf_Die *storage,
                           Dwarf_Addr *bias);
/* libdw's handle; NULL: no DWARF. */
Dwarf *debug_info_dwarf(struct debug_info *info, Dwarf_Addr *bias);

const char *base_name(const char *path); /* NULL for NULL */

#endif
