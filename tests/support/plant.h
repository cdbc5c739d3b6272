/*
 * plant.h - what debuggers, uprobes and hooks do to a host's code, done by a test: bytes are written into
 * its memory from outside, over the pages' protection (/proc/PID/mem, proc(5)), as the kernel does.
 */
#ifndef HOTPATCH_TEST_PLANT_H
#define HOTPATCH_TEST_PLANT_H

#include "tests/support/harness.h"

/* Where a function of host `entries` begins (its question "address"). */
uintptr_t plant_address(struct host *host, const char *function);
void plant_read(struct host *host, uintptr_t at, void *to, size_t size);
void plant(struct host *host, uintptr_t at, const void *bytes, size_t size);
void plant_byte(struct host *host, uintptr_t at, unsigned char byte);

#endif
