/*
 * debug_info.h - one object file with all the names that there are for its functions: its own, those
 * of a separate debug file (found by build-id or debuglink, or named by the user), those of
 * .gnu_debugdata; and its DWARF, where that is at hand.
 *
 * libdw and libdwfl are used here and in inlined.c, and nowhere else. Nothing is fetched from a
 * debuginfod server. Addresses are virtual, before load bias.
 */
#ifndef HOTPATCH_DEBUG_INFO_H
#define HOTPATCH_DEBUG_INFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/refusal.h"

/* Files that the user named with --debug. */
struct debug_file {
    const char *path; /* the caller's */
    char *build_id;
    bool wanted; /* some object has that build-id */
};

struct debug_files {
    struct debug_file *list;
    size_t count;
};

/* 0, or -1: HP-OPEN, HP-NOT-REGULAR, HP-NOT-ELF, HP-BUILD-ID (it has none). Free in either case. */
int debug_files_open(struct debug_files *files, const char *const *paths, size_t count,
                     struct refusal *why);
void debug_files_free(struct debug_files *files);

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

struct debug_function {
    const char *name; /* the symbol's, mangled */
    const char *file; /* base name of the source file of a local one, or NULL */
    uint64_t address;
    bool local;
    bool ifunc;
};

typedef int debug_function_visit(const struct debug_function *function, void *context);

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

#endif
