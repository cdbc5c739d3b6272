/*
 * binary_words.h - the words of a binary that its dynamic relocations write, and its imports: binary_word() and
 * binary_import() of binary.h. Reading them is for binary_read.c alone.
 */
#ifndef HOTPATCH_BINARY_WORDS_H
#define HOTPATCH_BINARY_WORDS_H

#include "elf/elf_error.h"

struct binary;

/* Read the words that the dynamic relocations write. 0, or -1 with `error`. */
int binary_read_words(struct binary *binary, struct elf_error *error);

#endif
