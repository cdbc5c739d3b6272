/*
 * scope.h - find the definition that ld.so would find for a symbol (gABI, "Shared Object Dependencies"; ld.so(8)).
 * Called inside objects_locked().
 */
#ifndef HOTPATCH_SCOPE_H
#define HOTPATCH_SCOPE_H

#include "elf/symbols.h"
#include "loader/objects/object.h"

/* Return the object whose definition a reference from `importer` binds to; NULL if there is none. The search order is:
 * the program, preloaded objects and the program's needed objects breadth first, then the importer and the objects that
 * it needs. `version` NULL stands for any version. */
struct object *scope_find(struct object *importer, const char *name, const char *version,
                          struct image_symbol *symbol);

/* Return whether ld.so would find `name` in the process for an object that is to be loaded with RTLD_LOCAL.
 * SCOPE_PERHAPS: an object that `user` does not need defines the name, and that object may or may not have been opened
 * with RTLD_GLOBAL. Called inside objects_locked(). */
enum scope_answer { SCOPE_NO, SCOPE_PERHAPS, SCOPE_YES };
enum scope_answer scope_supplies(const struct image *user, const char *name, const char *version);

/* Return whether the image defines `name` in that version. `version` may be NULL. */
bool scope_image_defines(const struct image *image, const char *name, const char *version,
                         struct image_symbol *symbol);

/* Return the image of the loaded object that a DT_NEEDED names; NULL if there is none, or if it cannot be read. Called
 * inside objects_locked(). */
const struct image *scope_library(const char *needed);

#endif
