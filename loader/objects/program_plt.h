/*
 * program_plt.h - the PLT entries of a non-PIE program that are the addresses of imported functions.
 */
#ifndef HOTPATCH_PROGRAM_PLT_H
#define HOTPATCH_PROGRAM_PLT_H

#include <stdint.h>

/* Return the program's PLT entry that is the address of the imported function `name` in every object, or 0. Called
 * inside objects_locked(). */
uintptr_t program_plt(const char *name);

#endif
