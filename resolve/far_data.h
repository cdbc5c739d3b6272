/*
 * far_data.h - a section of code whose references to data of other objects are made anew (arch/far_data.h).
 *
 * A program that is no position-independent library refers to the data of libraries directly: its linker copies that
 * data into the program (R_*_COPY). In a process that runs the data is where it is, mostly out of reach. Compiled into
 * the command alone; any thread.
 */
#ifndef HOTPATCH_FAR_DATA_H
#define HOTPATCH_FAR_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "elf/rel_object.h"

/* What takes the place of the section's own. */
struct far_data {
    uint8_t *bytes; /* malloc'd; NULL: the section stays as it is */
    uint64_t size;
    struct rel_relocation *relocations; /* malloc'd, ascending */
    size_t relocation_count;
    uint64_t refused; /* offset of the reference that cannot be made anew */
};

/*
 * Make the references of a section of code anew that name symbols for which `is_far` returns true. Return 0; -1: no
 * memory; 1: the reference at `refused` cannot be made anew. Free `out` with far_data_free() in any case.
 */
int far_data_make(const struct rel_object *object, uint32_t section,
                  bool (*is_far)(uint32_t symbol, const void *context), const void *context,
                  struct far_data *out);
void far_data_free(struct far_data *data);

#endif
