/*
 * inlined_index.h - every copy of a function that a compiler put in place of a call, of one object:
 * its DW_TAG_inlined_subroutine entries by the function they are copies of (DWARF 5, 3.3.8.2).
 *
 * Each unit is read once, when it is first asked for. The units of split DWARF are read from their
 * .dwo files where libdw finds these. gcc's LTO writes the code of a function into another unit than
 * its declaration; the copies refer to that (DW_AT_abstract_origin across units).
 *
 * Memory: about 100 bytes for each copy and 32 for each function of the units that were read.
 */
#ifndef HOTPATCH_INLINED_INDEX_H
#define HOTPATCH_INLINED_INDEX_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct inlined_index;

struct inlined_copy {
    Dwarf_Die origin;   /* what it is a copy of */
    Dwarf_Die call;     /* DW_TAG_inlined_subroutine: where the call was */
    const char *caller; /* whose code it is part of; may be NULL */
    size_t next;        /* in its bucket; SIZE_MAX: the last */
};

/* Make an index of `dwarf`, which outlives it. Never NULL. */
struct inlined_index *inlined_index_new(Dwarf *dwarf);
void inlined_index_free(struct inlined_index *index); /* NULL is allowed */

/* Read the unit of `unit`, a DIE of it or its skeleton; or all units, until `until`
 * (CLOCK_MONOTONIC, ms). What has been read is not read again. False: the time ended before that. */
bool inlined_index_unit(struct inlined_index *index, Dwarf_Die *unit, uint64_t until);
bool inlined_index_all(struct inlined_index *index, uint64_t until);

/* Find the DIE of the function whose code begins at `address` of the DWARF, in what has been read. */
bool inlined_function_at(struct inlined_index *index, Dwarf_Addr address, Dwarf_Die *out);

/* Call `each` for the copies, in what has been read, of functions called `name`. Stop at a return value other
 * than 0 and return it. */
typedef int inlined_copy_visit(const struct inlined_copy *copy, void *context);
int inlined_copies(const struct inlined_index *index, const char *name, inlined_copy_visit *each,
                   void *context);

#endif
