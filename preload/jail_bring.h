/*
 * jail_bring.h - what the command writes into the root directory of a jail so that dlopen(3) finds it. Listener.
 */
#ifndef HOTPATCH_JAIL_BRING_H
#define HOTPATCH_JAIL_BRING_H

#include <stddef.h>

/*
 * As outside_ask(), for a file that dlopen(3) is to find: the words of `text` that name the file are changed such that
 * dlopen(3) finds it on the worker, where this user may not search the root directory.
 */
int jail_bring(const char *what, char *text, size_t size);

#endif
