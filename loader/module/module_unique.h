/*
 * module_unique.h - find which unique symbols of a C++ patch bind to the program's, and which to the patch's own.
 *
 * g++ gives the binding STB_GNU_UNIQUE to static members of templates, to statics of inline functions and to their
 * guards. ld.so uses the first definition that it finds for all objects, whatever their scope, and never unmaps the
 * object that has the definition (glibc, elf/dl-lookup.c, do_lookup_unique). So all later versions of a patch, and all
 * other patches, would use the data of its first version.
 *
 * In the private copy such a symbol becomes STB_GLOBAL: it binds to the definition of the program's global scope, else
 * to the copy's own. If an object of the program, whatever its scope, defines the symbol as unique, the symbol stays
 * unique and binds to that definition (std::locale::id).
 *
 * Called by the listener, inside objects_locked().
 */
#ifndef HOTPATCH_MODULE_UNIQUE_H
#define HOTPATCH_MODULE_UNIQUE_H

#include "base/refusal.h"

struct module;

/* Change the unique symbols in the module's `bytes` into global ones, except the symbols that the program defines.
 * Return 0, or -1 with `why`. */
int module_make_unique_own(struct module *module, struct refusal *why);

#endif
