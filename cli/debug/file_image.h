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

/* Read the file. Return 0, or -1 with the refusal (HP-OPEN, HP-NOT-REGULAR, HP-NOT-ELF, HP-ELF-...).
 * `require_type` as image_open(). The bytes are a copy, so that the file may shrink meanwhile; of a file larger
 * than any patch they are a mapping (see main.c, SIGBUS). */
int file_image_open(struct file_image *file, const char *path, uint16_t require_type,
                    struct refusal *why);
/* The same, with a copy of any size. */
int file_image_copy(struct file_image *file, const char *path, uint16_t require_type,
                    struct refusal *why);
/* Read the bytes alone, as file_image_copy() does: `image` is NULL. For files that are no images. */
int file_image_bytes(struct file_image *file, const char *path, struct refusal *why);
void file_image_close(struct file_image *file);

#endif
