/*
 * code_view.h - what is known of one object's code, by its file or as it is mapped. Compiled into engine and command.
 */
#ifndef HOTPATCH_CODE_VIEW_H
#define HOTPATCH_CODE_VIEW_H

#include "arch/callers.h"
#include "elf/functions.h"

struct code_view {
    struct functions *functions;
    const struct image *image;
    struct arch_callers *callers; /* NULL: no memory; then nothing is proved */
    /* Write the original bytes over those of armed entries, and of pads, in a copy of what runs at
     * `address`. NULL: a file. */
    void (*restore)(uintptr_t address, uint8_t *copy, size_t size);
};

/* Copy `size` bytes of original code at `address` (before load bias). Return false where the object does not
 * have them. */
bool code_copy(const struct code_view *view, uint64_t address, uint8_t *copy, size_t size);

#endif
