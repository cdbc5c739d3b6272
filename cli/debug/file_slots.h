/*
 * file_slots.h - the patch points of a file that does not run: what it declares with
 * hotpatch.h, and the functions that it imports.
 */
#ifndef HOTPATCH_FILE_SLOTS_H
#define HOTPATCH_FILE_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/refusal.h"
#include "elf/image.h"

struct file_slot {
    const char *name;      /* these live as long as the image */
    const char *version;   /* of an imported symbol, or NULL */
    const char *signature; /* declared only */
    bool declared;         /* else an import */
    uint32_t kind;         /* enum hotpatch_kind */
    size_t words;          /* that hold the import */
    const char *why;       /* an import that cannot be patched; else NULL */
    size_t next;           /* import in its bucket: its number + 1; 0: none */
};

struct file_slots {
    struct file_slot *list;
    size_t count;
    size_t capacity;
    size_t *buckets;        /* of imports by name: number + 1 of the newest */
    const char *name_space; /* of the declared ones; NULL: the file's base name */
};

/* 0, or -1 with the refusal. Free with file_slots_free() in either case. */
int file_slots_read(const struct image *image, const char *path, struct file_slots *slots,
                    struct refusal *why);
void file_slots_free(struct file_slots *slots);

#endif
