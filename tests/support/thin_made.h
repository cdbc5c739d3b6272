/*
 * thin_made.h - thin objects whose selection is made by hand: the functions that are named, with their names bound by
 * the target's symbol table. For tests of the linker that do not build on what `hotpatch build` selects.
 */
#ifndef HOTPATCH_TESTS_THIN_MADE_H
#define HOTPATCH_TESTS_THIN_MADE_H

#include <stddef.h>

/*
 * Write the thin object OUT, a module of that name, for the file TARGET with the functions (ended by NULL) of OBJECT.
 * Sections that they refer to and that have no counterpart in the target are placed too; new writable data is kept by
 * its name. A symbol that the target does not have is for ld.so.
 */
void thin_make(const char *out, const char *name, const char *target, const char *object,
               const char *const *functions);

#endif
