/*
 * thin_target.h - the object that a thin object is for, as it lies in this process.
 *
 * Called by the thread that holds the engine lock, inside objects_locked().
 */
#ifndef HOTPATCH_THIN_TARGET_H
#define HOTPATCH_THIN_TARGET_H

#include "base/refusal.h"
#include "elf/thin_host.h"

struct module;
struct object;
struct thin_file;

/* Find the object by its build-id; of several, the one of that name. Return NULL with `why` (HP-BUILD-ID). `path`: of
 * the thin object. */
struct object *thin_target_find(const struct thin_file *file, const char *path,
                                struct refusal *why);
/* Describe the object for thin_link_begin(). The description is valid inside the current objects_locked(). */
void thin_target_describe(struct object *object, struct thin_host *host);

#endif
