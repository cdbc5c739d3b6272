/* debug_internal.h - what debug_info.c, debug_files.c and inlined.c share. */
#ifndef HOTPATCH_DEBUG_INTERNAL_H
#define HOTPATCH_DEBUG_INTERNAL_H

#include <elfutils/libdwfl.h>

#include "cli/debug/debug_info.h"
#include "cli/debug/debug_names.h"
#include "cli/debug/inlined_index.h"
#include "elf/slot_table.h"

/* Where an object lies, and with it its debug file. */
struct debug_place {
    char *path;
    int root; /* O_PATH: the root directory that `path` counts from; -1: the command's own */
};

struct debug_info {
    const struct debug_files *given;
    struct debug_place place;
    int file; /* the object's, open */
    Dwfl *dwfl;
    Dwfl_Module *module;
    GElf_Addr bias; /* of the module's addresses in `dwfl` */
    char *build_id;
    char *soname;
    struct image *image; /* of an object that declares slots; read when first asked for */
    struct slot_table slots;
    bool slots_read;
    struct debug_names own, all;   /* likewise */
    struct debug_names dwarf;      /* what DWARF names, as far as it has been read */
    Dwarf_CU *dwarf_last;          /* the last unit of it */
    struct inlined_index *inlined; /* likewise */
};

/* The compile unit's DIE, and in `bias` what makes an address of it one of the object; NULL:
 * there is no DWARF for that address. */
Dwarf_Die *debug_info_unit(struct debug_info *info, uint64_t address, Dwarf_Die *storage,
                           Dwarf_Addr *bias);
/* libdw's handle; NULL: no DWARF. */
Dwarf *debug_info_dwarf(struct debug_info *info, Dwarf_Addr *bias);

/* The next unit after `*last` (NULL: the first) that can hold code; of split DWARF the unit in the
 * .dwo file where libdw finds that. Points to `unit` or `split`; NULL: no more. */
Dwarf_Die *debug_unit_next(Dwarf *dwarf, Dwarf_CU **last, Dwarf_Die *unit, Dwarf_Die *split);
/* The unit itself, or the split unit that a skeleton unit stands for (DWARF 5, 3.1.2). */
Dwarf_Die *debug_unit_whole(Dwarf_Die *unit, Dwarf_Die *split);

const char *base_name(const char *path); /* NULL for NULL */

char *debug_build_id_text(const unsigned char *bytes, ssize_t count); /* hex, malloc'd */
char *debug_build_id(Elf *elf);                                       /* likewise; "": none */

/* The debug file of an object, open, and its malloc'd name; -1: there is none. `link` is that of
 * .gnu_debuglink or NULL; `crc` counts where there is no build-id. */
int debug_file_find(const struct debug_files *given, const struct debug_place *place,
                    const char *build_id, const char *link, uint32_t crc, char **name);

#endif
