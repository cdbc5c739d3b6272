/*
 * plt.h - is this the code of a procedure linkage table? arch/x86_64/plt.c knows what linkers write there.
 *
 * Pure functions: any thread. They read only the bytes that they are given.
 */
#ifndef HOTPATCH_PLT_H
#define HOTPATCH_PLT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Is code of `size` bytes a PLT: does it begin with a jump through a word, or with the PLT's first entry? */
bool arch_is_plt(const uint8_t *code, size_t size);

enum { ARCH_LAZY_BYTES = 11 };

/* Are these the bytes to which a JUMP_SLOT points before ld.so has bound it: do they pass the relocation's
 * number to ld.so? A function of the object's own looks otherwise. */
bool arch_is_lazy_plt(const uint8_t code[ARCH_LAZY_BYTES]);

#endif
