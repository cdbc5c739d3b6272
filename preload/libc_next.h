/*
 * libc_next.h - the function that comes after one of the shim's exported functions in the order of symbol look-up: libc's, or
 * that of another preloaded library.
 *
 * Found at the first call, or in a constructor where that call may come where ld.so's lock may not be
 * taken; afterwards one load. Host threads.
 */
#ifndef HOTPATCH_LIBC_NEXT_H
#define HOTPATCH_LIBC_NEXT_H

#include <stdatomic.h>
#include <string.h>

/* NULL: there is none of that name. `known`: of this name alone, NULL at first. */
void *libc_next(const char *name, _Atomic(void *) *known);

/* Declare `function`, of the pointer type `type`: the one after the shim's own `name`. */
#define LIBC_NEXT(type, function, name)      \
    static _Atomic(void *) known;            \
    void *symbol = libc_next(#name, &known); \
    type function;                           \
                                             \
    memcpy(&function, &symbol, sizeof(function))

#endif
