/*
 * function_code.h - may a function's entry be patched, and how, by what its object says? Compiled into
 * engine and command, so that a file is judged as a process judges what it has mapped.
 *
 * Reads only. In the engine inside objects_locked().
 */
#ifndef HOTPATCH_FUNCTION_CODE_H
#define HOTPATCH_FUNCTION_CODE_H

#include <stdbool.h>

#include "resolve/code_view.h"
#include "resolve/padding.h"

struct function_code {
    const char *problem;   /* why the entry cannot be patched, one clause; NULL: it can */
    const char *technique; /* that it gets if nothing stands against it: "short", "aligned", ... */
    /* What the function may be taken to have: padding between it and the next start is counted to
     * one that is too short for a long jump without. */
    uint64_t size;
    bool no_long;           /* a long jump must not be written there */
    struct padding padding; /* where a short jump may lead; none: it is not possible */
    char text[160];         /* what `problem` may point to */
};

/* Of an indirect function (IFUNC) whose implementation neither a word nor ld.so tells. */
#define FUNCTION_UNTOLD "an indirect function (IFUNC) of which no object says what is in use"

void function_code_read(const struct code_view *view, const struct function *function,
                        struct function_code *out);

#endif
