/*
 * ifunc_code.h - may the entry of an indirect function (IFUNC) be patched, by what its file says? Which
 * implementation is in use, only a process tells.
 *
 * Any thread. Reads only.
 */
#ifndef HOTPATCH_IFUNC_CODE_H
#define HOTPATCH_IFUNC_CODE_H

#include "resolve/function_code.h"

/* As function_code_read(), for `function`, an IFUNC's resolver. There is a problem where no process could tell the
 * implementation, or where none of the functions whose address the resolver takes can be patched; there is never a
 * technique. */
void ifunc_code_read(const struct code_view *view, const struct function *function,
                     struct function_code *out);

#endif
