/*
 * plt.h - detects the code of a procedure linkage table. arch/x86_64/plt.c knows the forms that linkers write.
 *
 * Pure functions: any thread. They read only the bytes that they are given.
 */
#ifndef HOTPATCH_PLT_H
#define HOTPATCH_PLT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Return whether code of `size` bytes is a PLT: it begins with a jump through a word, or with the PLT's first entry. */
bool arch_is_plt(const uint8_t *code, size_t size);

enum { ARCH_LAZY_BYTES = 11 };

/* Return whether a JUMP_SLOT points to these bytes before ld.so has bound it: they pass the relocation's number to
 * ld.so. A function of the object's own has another form. */
bool arch_is_lazy_plt(const uint8_t code[ARCH_LAZY_BYTES]);

/* Return whether code at `address` is an entry of a PLT, and find the word that it jumps through. A function that only
 * jumps through a word has the same form: what the word is relocated to tells them apart. */
bool arch_plt_word(const uint8_t *code, size_t size, uint64_t address, uint64_t *word);

#endif
