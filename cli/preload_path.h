/*
 * preload_path.h - where libhotpatch_preload.so lies.
 */
#ifndef HOTPATCH_PRELOAD_PATH_H
#define HOTPATCH_PRELOAD_PATH_H

#include "error.h"

/* Its absolute path, malloc'd: beside the command, in ../lib of it, or in the directory it was
 * installed to. NULL with the refusal. */
char *preload_find(struct refusal *why);

#endif
