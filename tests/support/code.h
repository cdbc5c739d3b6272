/*
 * code.h - an object's code from hand-written bytes, for the suites of callers. The functions have 64 bytes each, one
 * after the other from CODE_BASE on; bytes that a test does not give are int3.
 */
#ifndef HOTPATCH_CODE_H
#define HOTPATCH_CODE_H

#include "arch/callers.h"

#define CODE_BASE UINT64_C(0x1000)
#define CODE_WORD UINT64_C(0x9000) /* a word that is bound to the first function */

enum { CODE_BYTES = 64, CODE_FUNCTIONS = 8 };

struct code {
    uint8_t bytes[CODE_FUNCTIONS * CODE_BYTES];
    struct arch_function functions[CODE_FUNCTIONS];
    struct arch_code range;
    struct arch_word word;
    struct arch_object object;
    struct arch_callers *callers;
};

/* Make the code from hex digits; blanks are ignored. A function whose text begins with '?' is not declared as a
 * function. The caller closes `callers`. */
void code_make(struct code *code, const char *const *functions, size_t count);

#endif
