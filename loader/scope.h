/*
 * scope.h - where ld.so would find a symbol (gABI, "Shared Object Dependencies"; ld.so(8)).
 * Inside objects_locked().
 */
#ifndef HOTPATCH_SCOPE_H
#define HOTPATCH_SCOPE_H

#include "object.h"
#include "symbols.h"

/* The object whose definition a reference from `importer` binds to: the program, preloaded
 * objects and the program's needed ones breadth first, then the importer and what it needs.
 * `version`: NULL: any. NULL: none. */
struct object *scope_find(struct object *importer, const char *name, const char *version,
                          struct image_symbol *symbol);

#endif
