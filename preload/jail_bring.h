/*
 * jail_bring.h - files that the command writes into the root directory of a jail so that dlopen(3) finds them.
 * Listener.
 */
#ifndef HOTPATCH_JAIL_BRING_H
#define HOTPATCH_JAIL_BRING_H

#include <stddef.h>

/*
 * Do what outside_ask() does, for a file that dlopen(3) is to open. The words of `text` that name the file are
 * changed such that dlopen(3) finds the file on the worker, where this user may not search the root directory.
 */
int jail_bring(const char *what, char *text, size_t size);

#endif
