/*
 * debug_info.h - one object file with all the names that there are for its functions: its own, those
 * of a separate debug file (found by build-id or debuglink, or named by the user), those of
 * .gnu_debugdata; and its DWARF, where that is at hand.
 *
 * libdwfl is used here alone. Nothing is fetched from a
 * debuginfod server. Addresses are virtual, before load bias.
 */
#ifndef HOTPATCH_DEBUG_INFO_H
#define HOTPATCH_DEBUG_INFO_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/debug/debug_files.h"
#include "cli/debug/debug_names.h"
#include "cli/debug/inlined_index.h"

struct debug_info;

/*
 * `file` and `root` remain the caller's. `path` is the file's name, beside which debuglink looks, in the
 * root directory `root` (O_PATH) or, where that is -1, the command's own. NULL: no ELF file.
 */
struct debug_info *debug_info_open(const char *path, int file, int root, struct debug_files *given);
void debug_info_close(struct debug_info *info); /* NULL is allowed */

int debug_info_file(const struct debug_info *info); /* the object's file, open; not the caller's */
const char *debug_info_build_id(const struct debug_info *info); /* hex; "" where there is none */
const char *debug_info_soname(const struct debug_info *info);   /* or NULL */

/* Does the object declare a slot of that name with hotpatch.h? Then the slot is meant, and no
 * function. `*name_space` lives as long as `info`; NULL where it has none. */
bool debug_info_declares(struct debug_info *info, const char *name, const char **name_space);

/* Every function called `name` that the process itself finds: those in the file's own symbol tables.
 * A non-zero return of `each` stops and is returned. */
int debug_info_own_named(struct debug_info *info, const char *name, debug_function_visit *each,
                         void *context);
/* Every function that has a symbol anywhere, or those called `name`. Looks for the debug file when
 * first called. Likewise. */
int debug_info_functions(struct debug_info *info, debug_function_visit *each, void *context);
int debug_info_named(struct debug_info *info, const char *name, debug_function_visit *each,
                     void *context);
/* Those with symbols that are clones of `name`, or parts of it. Likewise. */
int debug_info_clones(struct debug_info *info, const char *name, debug_function_visit *each,
                      void *context);
/* Every function that DWARF calls `name`, for where no symbol does. Reads every unit, and ends its
 * search after `budget` ms. Likewise. */
int debug_info_dwarf_functions(struct debug_info *info, const char *name, unsigned budget,
                               debug_function_visit *each, void *context);
/* Base name of the source file whose compile unit has the function at `address`, by DWARF; lives
 * as long as `info`. NULL: not known. */
const char *debug_info_source(struct debug_info *info, uint64_t address);

/* The compile unit's DIE, and in `bias` what makes an address of it one of the object; NULL:
 * there is no DWARF for that address. */
Dwarf_Die *debug_info_unit(struct debug_info *info, uint64_t address, Dwarf_Die *storage,
                           Dwarf_Addr *bias);
/* libdw's handle; NULL: no DWARF. */
Dwarf *debug_info_dwarf(struct debug_info *info, Dwarf_Addr *bias);
/* The index of inlined copies, made when first asked for, and in `bias` as above; NULL: no DWARF. */
struct inlined_index *debug_info_inlined(struct debug_info *info, Dwarf_Addr *bias);

#endif
