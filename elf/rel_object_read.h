/*
 * rel_object_read.h - opens a relocatable object file (ET_REL) that lies in memory: see rel_object.h.
 */
#ifndef HOTPATCH_REL_OBJECT_READ_H
#define HOTPATCH_REL_OBJECT_READ_H

#include "elf/elf_error.h"
#include "elf/rel_object.h"

/* Open `size` bytes, which stay the caller's and must outlive the object. 0, or -1 with `error`. */
int rel_object_open(struct rel_object **out, const void *bytes, size_t size,
                    struct elf_error *error);
void rel_object_close(struct rel_object *object); /* NULL is allowed */

#endif
