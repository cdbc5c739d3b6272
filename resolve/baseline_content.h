/*
 * baseline_content.h - compares constants: those without a name, and what a name's constant holds. For the files
 * baseline*.c alone.
 */
#ifndef HOTPATCH_BASELINE_CONTENT_H
#define HOTPATCH_BASELINE_CONTENT_H

#include "resolve/baseline_work.h"

/* Find where constants without a name begin. 0, or -1: no memory. */
int content_index(struct baseline_work *work);
/* Compare the constant without a name that begins at `offset` of a section of the object, with the binary's at
 * `address`. Where it differs, work->content is set. */
void content_check(struct baseline_work *work, uint32_t section, uint64_t offset, uint64_t address);
/* Likewise what a named constant holds; data that is written at run time is not compared. */
void content_check_named(struct baseline_work *work, uint32_t symbol, uint64_t address);
/* Return whether what a variable or constant begins with is what the binary has at `address`. */
bool content_is_same(struct baseline_work *work, uint32_t symbol, uint64_t address);

#endif
