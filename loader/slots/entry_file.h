/*
 * entry_file.h - what lies at an entry before anything is known of it, compared with what the object's
 * file has there: a uprobe may have been set, or a hook put in, before the shim came to look.
 *
 * Runs on whichever thread holds the engine lock, inside objects_locked(). libZydis is loaded.
 */
#ifndef HOTPATCH_ENTRY_FILE_H
#define HOTPATCH_ENTRY_FILE_H

#include "elf/functions.h"
#include "loader/objects/object.h"
#include "loader/text/site.h"

/*
 * -1 with HP_BREAKPOINT: an int3, or a jump that the object's file does not have, lies among the
 * instructions that a jump at the function's entry would displace. Where the file cannot tell (it is
 * missing, another one, or ld.so writes to the code) memory alone counts: an int3 is one then, too.
 */
int entry_file_check(struct object *object, const struct function *function,
                     struct site_problem *why);

#endif
