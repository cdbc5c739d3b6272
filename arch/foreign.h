/*
 * foreign.h - detects the code that another tool has written at a function's entry, by its bytes: a uprobe, a
 * debugger's breakpoint, a hook.
 *
 * Pure functions: any thread.
 */
#ifndef HOTPATCH_FOREIGN_H
#define HOTPATCH_FOREIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum arch_foreign {
    ARCH_FOREIGN_NONE,     /* every byte is as expected */
    ARCH_FOREIGN_ORIGINAL, /* each byte that differs is the original's: a removed uprobe restores so */
    ARCH_FOREIGN_TRAP,     /* int3 */
    ARCH_FOREIGN_JUMP,     /* begins with a jump or a call */
    ARCH_FOREIGN_OTHER
};

enum { ARCH_FOREIGN_TEXT = 80, ARCH_FOREIGN_BYTES = 16 };

/*
 * Compare the first `size` of `room` bytes `found` with those `expected` there. `original`: the bytes of the object's
 * file. The bytes after `size` are read if a jump was found. `*at` gets the offset of the first byte that is neither
 * expected nor original; with ARCH_FOREIGN_ORIGINAL that of the first byte that differs.
 */
enum arch_foreign arch_foreign(const uint8_t *found, size_t room, const uint8_t *expected,
                               const uint8_t *original, size_t size, size_t *at);

/* Return whether a call of this code executes an int3 among the instructions that a jump would displace, at `*at`.
 * For code whose original bytes no file has. */
bool arch_traps_first(const uint8_t *code, size_t size, size_t *at);

/* Name the jump that `size` bytes at `address` begin with: "a jump to 0x1234", in `text`. */
void arch_foreign_jump_text(const uint8_t *found, size_t size, uint64_t address,
                            char text[ARCH_FOREIGN_TEXT]);

#endif
