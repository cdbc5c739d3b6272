/*
 * call_site.h - finds the function that a call instruction names.
 *
 * A function that was left by a jump has no frame. The stack shows the function that it jumped to; the call
 * instruction shows the function that was called. Also called in signal handlers; never faults.
 */
#ifndef HOTPATCH_CALL_SITE_H
#define HOTPATCH_CALL_SITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Return the target of the call that returns to `back`; an entry of a procedure linkage table is followed. Return 0
 * if the instruction does not name the target (a call through a register). */
uint64_t call_site_target(uint64_t back);
/* Return whether there is a system call instruction at `pc`, or before it. */
bool call_site_is_syscall(uint64_t pc);
bool call_site_is_after_syscall(uint64_t pc);
/* Return whether a jump to another function begins at code[at], which runs at `address`, and its target. The bytes
 * before it are read too; CALL_SITE_JUMP_BYTES bytes from it on must exist. Bytes in the middle of another
 * instruction that look like a jump count. */
enum { CALL_SITE_JUMP_BYTES = 5 };
bool call_site_jump(const uint8_t *code, size_t at, uint64_t address, uint64_t *target);

#endif
