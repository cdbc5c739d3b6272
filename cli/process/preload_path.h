/*
 * preload_path.h - where libhotpatch_preload.so lies.
 */
#ifndef HOTPATCH_PRELOAD_PATH_H
#define HOTPATCH_PRELOAD_PATH_H

#include "base/refusal.h"

/* Return its absolute path, malloc'd: beside the command, in ../lib of it, or in the directory that it was
 * installed to. NULL with the refusal. */
char *preload_find(struct refusal *why);

/* Return how LD_PRELOAD names the shim for a program of this dynamic linker and for all that the program starts;
 * malloc'd. It has "$LIB" where that leads to the shim: for a 32-bit program it leads to an empty library, which
 * its dynamic linker loads without a message (ld.so(8), "Dynamic string tokens"). */
char *preload_spelled(const char *shim, const char *linker);

#endif
