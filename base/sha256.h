/* sha256.h - SHA-256 (FIPS 180-4) of one buffer. Any thread, no allocation. */
#ifndef HOTPATCH_SHA256_H
#define HOTPATCH_SHA256_H

#include <stddef.h>

void sha256_hex(const void *bytes, size_t size, char hex[65]);

#endif
