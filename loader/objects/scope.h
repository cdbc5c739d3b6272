/*
 * scope.h - where ld.so would find a symbol (gABI, "Shared Object Dependencies"; ld.so(8)).
 * Inside objects_locked().
 */
#ifndef HOTPATCH_SCOPE_H
#define HOTPATCH_SCOPE_H

#include "elf/symbols.h"
#include "loader/objects/object.h"

/* The object whose definition a reference from `importer` binds to: the program, preloaded
 * objects and the program's needed ones breadth first, then the importer and what it needs.
 * `version`: NULL: any. NULL: none. */
struct object *scope_find(struct object *importer, const char *name, const char *version,
                          struct image_symbol *symbol);

/* Would ld.so find `name` for an object that is to be loaded RTLD_LOCAL, in the process? Perhaps: an object that it does
 * not need has it, and was opened RTLD_GLOBAL, or not. Inside objects_locked(). */
enum scope_answer { SCOPE_NO, SCOPE_PERHAPS, SCOPE_YES };
enum scope_answer scope_supplies(const struct image *user, const char *name, const char *version);

/* Does the image define it, in that version? `version` may be NULL. */
bool scope_image_defines(const struct image *image, const char *name, const char *version,
                         struct image_symbol *symbol);

/* What the process has of a DT_NEEDED; NULL: nothing, or it cannot be read. Likewise. */
const struct image *scope_library(const char *needed);

#endif
