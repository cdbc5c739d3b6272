/*
 * file_text.h - the bytes of a mapped object's code as the object's file holds them: what lay there
 * before a debugger, a uprobe or another tool wrote to memory.
 *
 * Reads by pread(2); maps nothing, keeps no descriptor.
 */
#ifndef HOTPATCH_FILE_TEXT_H
#define HOTPATCH_FILE_TEXT_H

#include "elf/image.h"

/* What the last call found about an object's file, so that the next call reads the code alone. All zero: no
 * call yet. */
struct file_text {
    bool known;
    uint64_t device, inode, file_size;
    int64_t changed, changed_ns;
    uint64_t address, offset, size; /* one PT_LOAD: address before load bias */
};

/*
 * Copy the `size` bytes that `file` has at `address` (before load bias) of the object `mapped` to `to`.
 * False: the file is not the one that is mapped, cannot be read, has no bytes there, or ld.so writes
 * to the object's code itself (DT_TEXTREL), so that the file does not tell what it should be.
 */
bool file_text_read(struct file_text *known, const struct image *mapped, int file, uint64_t address,
                    void *to, size_t size);

#endif
