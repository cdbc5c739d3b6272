/*
 * module_unique.h - which of a C++ patch's unique symbols are the program's, and which its own.
 *
 * g++ gives static members of templates, statics of inline functions and their guards the binding
 * STB_GNU_UNIQUE: ld.so takes the first definition that it met for all objects, whatever their scope, and
 * never unmaps the object that has it (glibc, elf/dl-lookup.c, do_lookup_unique). The first version of
 * a patch would so give its data to all later ones, and to all other patches.
 *
 * In the private copy such a symbol becomes STB_GLOBAL: it binds to what the program's global scope
 * defines, else to the copy's own. Where an object of the program, wherever opened, has it as a unique
 * symbol, it stays one, and binds to that (std::locale::id).
 *
 * Listener; inside objects_locked().
 */
#ifndef HOTPATCH_MODULE_UNIQUE_H
#define HOTPATCH_MODULE_UNIQUE_H

#include "base/refusal.h"

struct module;

/* Give the module symbols of its own, in `bytes`, in place of its unique ones, except of those that the program has.
 * 0, or -1 with `why`. */
int module_make_unique_own(struct module *module, struct refusal *why);

#endif
