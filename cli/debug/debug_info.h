/* debug_info.h - one object file with all names that there are for its functions: its own, those of a separate
 * debug file (found by build-id or debuglink, or named by the user) and those of .gnu_debugdata; and its DWARF,
 * where there is any. libdwfl is used here alone. Nothing is fetched from a debuginfod server. Addresses are
 * virtual, before load bias. */
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

/* Open the object. `file` and `root` remain the caller's. `path` is the file's name, beside which debuglink
 * looks, in the root directory `root` (O_PATH) or, where that is -1, the command's own. Return NULL: no ELF file. */
struct debug_info *debug_info_open(const char *path, int file, int root, struct debug_files *given);
void debug_info_close(struct debug_info *info); /* NULL is allowed */

int debug_info_file(const struct debug_info *info); /* the object's file, open; not the caller's */
const char *debug_info_build_id(const struct debug_info *info); /* hex; "" where there is none */
const char *debug_info_soname(const struct debug_info *info);   /* or NULL */

/* Return whether the object declares a slot of that name with hotpatch.h. Then the name means the slot and no
 * function. `*name_space` lives as long as `info`; NULL where it has none. */
bool debug_info_declares(struct debug_info *info, const char *name, const char **name_space);

/* Call `each` for every function called `name` in the file's own symbol tables, which the process itself can
 * find. Stop at a return value other than 0 and return it. */
int debug_info_own_named(struct debug_info *info, const char *name, debug_function_visit *each,
                         void *context);
/* Call `each` for every function that has a symbol anywhere, or those called `name`. The first call looks for the
 * debug file. */
int debug_info_functions(struct debug_info *info, debug_function_visit *each, void *context);
int debug_info_named(struct debug_info *info, const char *name, debug_function_visit *each,
                     void *context);
/* Call `each` for the functions with symbols that are clones of `name` or parts of it. */
int debug_info_clones(struct debug_info *info, const char *name, debug_function_visit *each,
                      void *context);
/* Call `each` for every function that DWARF calls `name`, for names without a symbol. Reads every unit, and ends
 * after `budget` ms. */
int debug_info_dwarf_functions(struct debug_info *info, const char *name, unsigned budget,
                               debug_function_visit *each, void *context);
/* Return the base name of the source file whose unit has the function at `address`, by DWARF; it lives as long as
 * `info`. NULL: not known. */
const char *debug_info_source(struct debug_info *info, uint64_t address);

/* Return the DIE of the compile unit, and in `bias` the difference between its addresses and the object's; NULL:
 * there is no DWARF for that address. */
Dwarf_Die *debug_info_unit(struct debug_info *info, uint64_t address, Dwarf_Die *storage,
                           Dwarf_Addr *bias);
/* Return libdw's handle; NULL: no DWARF. */
Dwarf *debug_info_dwarf(struct debug_info *info, Dwarf_Addr *bias);
/* Return the index of inlined copies, made at the first call, and `bias` as above; NULL: no DWARF. */
struct inlined_index *debug_info_inlined(struct debug_info *info, Dwarf_Addr *bias);

#endif
