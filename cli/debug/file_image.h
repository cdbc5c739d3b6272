/*
 * file_image.h - a file on disk, opened for reading through elf/.
 */
#ifndef HOTPATCH_FILE_IMAGE_H
#define HOTPATCH_FILE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/refusal.h"
#include "elf/image.h"

struct file_image {
    struct image *image;
    void *bytes;
    size_t size;
    bool mapped;
};

/* 0, or -1 with the refusal (HP-OPEN, HP-NOT-REGULAR, HP-NOT-ELF, HP-ELF-...). `require_type`
 * as image_open(). The bytes are a copy, so that a file that shrinks meanwhile does no harm; of one that
 * is larger than any patch, a mapping (see main.c, SIGBUS). */
int file_image_open(struct file_image *file, const char *path, uint16_t require_type,
                    struct refusal *why);
/* The same, a copy of whatever size. */
int file_image_copy(struct file_image *file, const char *path, uint16_t require_type,
                    struct refusal *why);
void file_image_close(struct file_image *file);

#endif
