/*
 * sha256_blocks.h - the part of SHA-256 that a processor may do by itself. arch/x86_64/sha256.c does.
 *
 * Any thread, no allocation.
 */
#ifndef HOTPATCH_SHA256_BLOCKS_H
#define HOTPATCH_SHA256_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

/* FIPS 180-4, 4.2.2; aligned to 16 bytes. */
extern const uint32_t sha256_constants[64];

/* Take `count` blocks of 64 bytes into `state`. */
typedef void sha256_blocks(uint32_t state[8], const uint8_t *data, size_t count);

/* Return the processor's own way to do it, or NULL: it has none. */
sha256_blocks *sha256_processor_blocks(void);

#endif
