/*
 * injection_result.h - can an injection (fail=) give the result of a function? It returns an integer or a pointer in rax, so
 * what returns a floating-point number or a structure would return whatever lies there.
 *
 * Compiled into the engine; the words into the command too. Any thread.
 */
#ifndef HOTPATCH_INJECTION_RESULT_H
#define HOTPATCH_INJECTION_RESULT_H

#include <stdbool.h>

/* The function, and what it returns or is. */
#define INJECTION_UNFIT_RESULT \
    "%s returns %s: a fault returns an integer or a pointer, nothing else"

/* What the function returns, in words; NULL: an injection fits, or nothing is known. `signature` and `library` (its
 * soname) may be NULL. */
const char *injection_unfit_result(const char *signature, const char *library, const char *name);

#endif
