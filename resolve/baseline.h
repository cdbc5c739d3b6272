/*
 * baseline.h - compares the object of an unedited source with the binary that was linked from it. That proves that
 * source, compiler and flags are those of the binary, and finds where each symbol of the object lies in it.
 *
 * Both instruction streams of a function are decoded in step (arch/compare.h). Every relocated field is decoded in the
 * binary and checked against what the object's relocation names: a name of .symtab at that address, a PLT stub or a
 * GOT word of that name, the same content where constants have no name. What the linker may change counts as equal:
 * relaxed GOT and TLS accesses, lengths of jumps, padding.
 *
 * Compiled into the command alone. One thread at a time.
 */
#ifndef HOTPATCH_BASELINE_H
#define HOTPATCH_BASELINE_H

#include "base/refusal.h"
#include "elf/binary.h"
#include "elf/rel_object.h"
#include "resolve/baseline_result.h"

/*
 * Compare each function. `file_name`: the STT_FILE to look under; NULL: the object's own. Whatever differs, the result
 * is complete. 0, or -1 with HP-MEMORY, or HP-NO-SYMBOLS where the binary has no symbols or no STT_FILE.
 */
int baseline_compare(struct baseline **out, struct binary *binary, const struct rel_object *object,
                     const char *file_name, struct refusal *why);
/* As baseline_compare(), and refuse a file of which the code of any function differs: HP-BASELINE, which names the
 * first function and instruction; nothing is returned then. */
int baseline_make(struct baseline **out, struct binary *binary, const struct rel_object *object,
                  const char *file_name, struct refusal *why);
void baseline_free(struct baseline *baseline); /* NULL is allowed */

/* Return the function that a symbol of the object is, or NULL. */
const struct baseline_function *baseline_function(const struct baseline *baseline, uint32_t symbol);

#endif
