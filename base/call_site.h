/*
 * call_site.h - which function a call instruction names.
 *
 * A function that was left by a jump has no frame: the stack shows what it jumped to, and the call
 * shows what was called. Signal handlers too; never faults.
 */
#ifndef HOTPATCH_CALL_SITE_H
#define HOTPATCH_CALL_SITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The target of the call that returns to `back`, past an entry of a procedure linkage table. 0: the
 * instruction does not name it (a call through a register). */
uint64_t call_site_target(uint64_t back);
/* Is there a system call instruction at `pc`, or before it? */
bool call_site_is_syscall(uint64_t pc);
bool call_site_is_after_syscall(uint64_t pc);
/* Return whether a jump to another function begins at code[at], which runs at `address`, and where it leads. The bytes
 * before it are looked at too; CALL_SITE_JUMP_BYTES from it on are there. What looks like a jump in the middle of
 * another instruction counts. */
enum { CALL_SITE_JUMP_BYTES = 5 };
bool call_site_jump(const uint8_t *code, size_t at, uint64_t address, uint64_t *target);

#endif
