/*
 * select_undefined.h - find a symbol that an edited object does not define: in another unit of the edit, where the
 * unedited object found it, in the binary, at last by the dynamic linker.
 */
#ifndef HOTPATCH_SELECT_UNDEFINED_H
#define HOTPATCH_SELECT_UNDEFINED_H

#include "cli/build/selecting.h"

void select_undefined(struct selecting *selecting, uint32_t unit, uint32_t symbol);

#endif
