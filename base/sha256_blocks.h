/*
 * sha256_blocks.h - the block function of SHA-256, for which a processor may have instructions. Defined in
 * arch/x86_64/sha256.c.
 *
 * Any thread, no allocation.
 */
#ifndef HOTPATCH_SHA256_BLOCKS_H
#define HOTPATCH_SHA256_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

/* FIPS 180-4, 4.2.2; aligned to 16 bytes. */
extern const uint32_t sha256_constants[64];

/* Add `count` blocks of 64 bytes to `state`. */
typedef void sha256_blocks(uint32_t state[8], const uint8_t *data, size_t count);

/* Return the block function that uses the processor's instructions, or NULL: it has none. */
sha256_blocks *sha256_processor_blocks(void);

#endif
