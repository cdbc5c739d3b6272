/*
 * libc_next.h - the function that comes after one of the shim's exported functions in the order of symbol look-up:
 * libc's, or that of another preloaded library.
 *
 * The function is looked up at the first call, or in a constructor if that call may come where ld.so's lock must not
 * be taken. Later calls cost one load. Host threads.
 */
#ifndef HOTPATCH_LIBC_NEXT_H
#define HOTPATCH_LIBC_NEXT_H

#include <stdatomic.h>
#include <string.h>

/* Return the function; NULL: there is none of that name. `known`: of this name alone, NULL at first. */
void *libc_next(const char *name, _Atomic(void *) *known);

/* Declare `function`, of the pointer type `type`: the function after the shim's own `name`. */
#define LIBC_NEXT(type, function, name)      \
    static _Atomic(void *) known;            \
    void *symbol = libc_next(#name, &known); \
    type function;                           \
                                             \
    memcpy(&function, &symbol, sizeof(function))

#endif
