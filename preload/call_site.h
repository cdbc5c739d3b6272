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
enum { CALL_SITE_SYSCALL_BYTES = 2 };
/* Is there a `syscall` instruction at `pc`? */
bool call_site_is_syscall(uint64_t pc);
/* `displacement`: the 4 bytes of an instruction that ends at `next`. */
uint64_t call_site_relative(const uint8_t *displacement, uint64_t next);

#endif
