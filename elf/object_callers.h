/*
 * object_callers.h - the analysis of an object's callers, with what it reads. Compiled into engine
 * and command.
 *
 * elf/ as image.h says; nothing is kept but memory.
 */
#ifndef HOTPATCH_OBJECT_CALLERS_H
#define HOTPATCH_OBJECT_CALLERS_H

#include "arch/callers.h"
#include "elf/functions.h"

struct object_callers;

/* Write original bytes over those of armed entries: struct arch_object. */
typedef void object_callers_restore(void *context, uint64_t address, uint8_t *copy, size_t size);

/* Analyse the callers in `image`, which must outlive the result; `functions` is read only in this call.
 * `restore` may be NULL. 0, or -1 with `error`: no memory, damaged relocations, code that is too far apart. */
int object_callers_open(struct object_callers **out, const struct image *image,
                        struct functions *functions, object_callers_restore *restore, void *context,
                        struct elf_error *error);
void object_callers_close(struct object_callers *callers); /* NULL is allowed */
struct arch_callers *object_callers_arch(struct object_callers *callers);
size_t object_callers_memory(const struct object_callers *callers);

#endif
