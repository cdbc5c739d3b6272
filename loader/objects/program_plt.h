/*
 * program_plt.h - the addresses of functions in a program that does not move: PLT entries of its own.
 */
#ifndef HOTPATCH_PROGRAM_PLT_H
#define HOTPATCH_PROGRAM_PLT_H

#include <stdint.h>

/* The program's PLT entry that is the address of the imported function `name` to every object, or 0. Inside
 * objects_locked(). */
uintptr_t program_plt(const char *name);

#endif
