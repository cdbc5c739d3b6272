/*
 * thin_write.h - write a selection as a thin object (elf/thin_file.h has the format).
 *
 * Written are the placed sections, .eh_frame and the debug sections of every unit that has placed sections, one symbol
 * table, and the section hotpatch_thin. Two selections that are equal give the same bytes.
 */
#ifndef HOTPATCH_THIN_WRITE_H
#define HOTPATCH_THIN_WRITE_H

#include <stddef.h>

#include "cli/build/thin_meta.h"

struct refusal;
struct selection;

/* Write the file. It appears under its name when it is complete; a file of that name is replaced. Return 0, or -1. */
int thin_write(const char *path, const struct selection *selection, const struct thin_meta *meta,
               struct refusal *why);

/* Compose the bytes of the file, malloc'd. Return 0, or -1. */
int thin_compose(void **bytes, size_t *size, const struct selection *selection,
                 const struct thin_meta *meta, struct refusal *why);

#endif
