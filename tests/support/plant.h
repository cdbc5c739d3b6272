/*
 * plant.h - write into a host's code as debuggers, uprobes and hooks do: from outside, in spite of the pages'
 * protection (/proc/PID/mem, proc(5)), as the kernel does.
 */
#ifndef HOTPATCH_TEST_PLANT_H
#define HOTPATCH_TEST_PLANT_H

#include "tests/support/harness.h"

/* Return the address of a function of host `entries` (its question "address"). */
uintptr_t plant_address(struct host *host, const char *function);
void plant_read(struct host *host, uintptr_t at, void *to, size_t size);
void plant(struct host *host, uintptr_t at, const void *bytes, size_t size);
void plant_byte(struct host *host, uintptr_t at, unsigned char byte);

#endif
