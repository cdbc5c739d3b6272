/* protection.h - pages that an object would have writable and executable at once, or not have at all. */
#ifndef HOTPATCH_PROTECTION_H
#define HOTPATCH_PROTECTION_H

#include "elf/image.h"

/*
 * Return why ld.so would make the program's stacks executable for this object, or NULL: PT_GNU_STACK
 * has PF_X, or is missing, which means the same on x86-64 (glibc, DEFAULT_STACK_PERMS).
 */
const char *image_executable_stack(const struct image *image);

/* True: the object has a PT_LOAD that is writable and executable; `address` is that of the first. */
bool image_writable_code(const struct image *image, uint64_t *address);

/*
 * The same of a library of which only the beginning was read. One sentence; NULL: nothing is wrong with it,
 * or its program headers are not among those bytes.
 */
const char *elf_head_problem(const unsigned char *bytes, size_t size);

/* True: a PT_LOAD reaches beyond the end of the file, which has `file_size` bytes. ld.so maps it all the same, and
 * the process gets SIGBUS (mmap(2)). */
bool elf_head_cut_short(const unsigned char *bytes, size_t size, uint64_t file_size);

#endif
