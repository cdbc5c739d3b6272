/*
 * function_code.h - may a function's entry be patched, by what its object says? Compiled into engine
 * and command, so that a file is judged as a process judges what it has mapped.
 *
 * Reads only. In the engine inside objects_locked().
 */
#ifndef HOTPATCH_FUNCTION_CODE_H
#define HOTPATCH_FUNCTION_CODE_H

#include "functions.h"

/*
 * NULL: it can be. Else the reason, one clause. `*size` gets what the function may be taken to have:
 * padding between it and the next start is counted to one that is too short for a jump without.
 */
const char *function_code_problem(struct functions *functions, const struct image *image,
                                  const struct function *function, uint64_t *size);

#endif
