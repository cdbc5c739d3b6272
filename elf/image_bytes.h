/*
 * image_bytes.h - the bytes of an image by virtual address (before load bias). Any thread; reads only.
 */
#ifndef HOTPATCH_IMAGE_BYTES_H
#define HOTPATCH_IMAGE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct image;
struct segment;

/* Return `size` bytes at a virtual address, inside a file-backed part of a PT_LOAD; else NULL. */
const void *image_bytes_at(const struct image *image, uint64_t address, size_t size);

/* ---- for the files of elf/ alone ---- */

/* Return the PT_LOAD that holds all of [address, address + size) in memory, or NULL. */
const struct segment *image_segment(const struct image *image, uint64_t address, uint64_t size);
/* Return whether [address, address + size) lies in one PT_LOAD that has all of `flags`. */
bool image_has(const struct image *image, uint64_t address, uint64_t size, uint32_t flags);
bool image_in_relro(const struct image *image, uint64_t address, uint64_t size);
/* Return how many bytes the file has from `address` to the end of its PT_LOAD. */
uint64_t image_bytes_from(const struct image *image, uint64_t address);

#endif
