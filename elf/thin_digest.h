/*
 * thin_digest.h - whether a thin object's bytes are those that were written.
 *
 * What is damaged in code or data has no structure that could tell it. So the second line of the section `hotpatch_thin` is
 *
 *   digest   HEX
 *
 * with the SHA-256 of two SHA-256, in hexadecimal digits: of the file's bytes before HEX, and of those behind it. It is no
 * protection against a file that was made to harm.
 *
 * Used by the command and by the engine. Any thread; nothing is allocated.
 */
#ifndef HOTPATCH_THIN_DIGEST_H
#define HOTPATCH_THIN_DIGEST_H

#include <stddef.h>

#include "elf/elf_error.h"

#define THIN_DIGEST "digest"
#define THIN_DIGEST_SIZE 64 /* digits */

struct rel_object;

/* Write the digest into a whole file, whose section at `offset` of that size has zeros in its place. */
void thin_digest_set(void *bytes, size_t size, size_t offset, size_t section_size);
/* Return 0 if the file has the digest of its bytes; else -1 with ELF_THIN_DAMAGED. */
int thin_digest_check(const struct rel_object *object, struct elf_error *error);

#endif
