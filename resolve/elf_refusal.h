/*
 * elf_refusal.h - the HP- code with which engine and command refuse an object that elf/ could not read.
 * Any thread.
 */
#ifndef HOTPATCH_ELF_REFUSAL_H
#define HOTPATCH_ELF_REFUSAL_H

#include "base/refusal.h"
#include "elf/elf_error.h"

/* Return the code that stands for an error; HP_INTERNAL for ELF_OK. */
enum error_code elf_refusal_code(const struct elf_error *error);

#endif
