/*
 * entry_file.h - compare the bytes of an entry that has no slot yet with the object's file. A uprobe or a hook may have
 * been set there before the first request.
 *
 * Called by the thread that holds the engine lock, inside objects_locked(). libZydis is loaded.
 */
#ifndef HOTPATCH_ENTRY_FILE_H
#define HOTPATCH_ENTRY_FILE_H

#include "elf/functions.h"
#include "loader/objects/object.h"
#include "loader/text/site.h"

/*
 * Return -1 with HP_BREAKPOINT if an int3, or a jump that the object's file does not have, lies among the instructions
 * that a jump at the function's entry would displace; else 0. If the file cannot be compared (the file is missing,
 * another file has its name, or ld.so writes to the code), any int3 in memory is refused.
 */
int entry_file_check(struct object *object, const struct function *function,
                     struct site_problem *why);

#endif
