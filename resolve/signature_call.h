/*
 * signature_call.h - what a signature's text says about a call: which registers hold the result, and
 * how many bytes of arguments lie on the stack (the psABI's "Parameter Passing").
 *
 * Of a typedef nothing is known but its spelling: those of the C library and of POSIX are known,
 * another may be a structure. Compiled into engine and command; any thread.
 */
#ifndef HOTPATCH_SIGNATURE_CALL_H
#define HOTPATCH_SIGNATURE_CALL_H

#include <stdbool.h>
#include <stdint.h>

struct signature_call {
    bool variadic;
    bool arguments_known; /* `stack_bytes` is right */
    uint32_t stack_bytes; /* of arguments, a multiple of 8 */
    bool result_known;
    uint16_t result_general; /* bits as in struct arch_kept */
    uint32_t result_vector;  /* likewise */
    bool
        result_not_one_word; /* it is known to be more, or other, than nothing, an integer or a pointer */
};

/* Read a signature. Of NULL, and of a text that cannot be parsed, nothing is known. */
struct signature_call signature_call(const char *text);

#endif
