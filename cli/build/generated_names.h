/*
 * generated_names.h - names that compilers make: numbers behind names, clones, parts, tables without a name.
 *
 * Pure; any thread.
 */
#ifndef HOTPATCH_GENERATED_NAMES_H
#define HOTPATCH_GENERATED_NAMES_H

#include <stdbool.h>
#include <stddef.h>

/* Return whether the compiler made the variable itself, from a constant or an initial value: its name says nothing, and
 * its number changes with any edit. */
bool name_is_fresh(const char *name);

/* Return whether the function is a clone with an ABI of its own, made by gcc: .isra, .constprop, .part, .lto_priv. */
bool name_is_clone(const char *name);
/* Return whether it is the rarely executed part of another function: .cold. */
bool name_is_part(const char *name);

/* Return whether both names are the same but for numbers that stand between a dot and a dot, or between a dot and
 * the end: "f.isra.0.cold" and "f.isra.1.cold". */
bool name_same_but_numbers(const char *one, const char *two);
/* Return the length of the name without one last ".NUMBER". */
size_t name_stem(const char *name);
/* Return the length of the name of the function that a clone or part was made of. */
size_t name_origin(const char *name);

#endif
