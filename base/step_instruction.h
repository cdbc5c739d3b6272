/*
 * step_instruction.h - may the next instruction be executed with the trap flag set?
 *
 * Pure: reads the bytes that it is given. Any thread, signal handlers too.
 */
#ifndef HOTPATCH_STEP_INSTRUCTION_H
#define HOTPATCH_STEP_INSTRUCTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STEP_INSTRUCTION_MAX = 15 };

/*
 * False for what stores or loads the flags register or leaves the mode (syscall, sysenter, int, iret, pushf,
 * popf, far jumps, far returns, enclu, uiret), for what delays the trap (mov to ss), for what a trap undoes
 * (xbegin), and for bytes that end before the opcode is known.
 */
bool step_instruction_may_trap(const uint8_t *code, size_t size);

/* Does the kernel execute what lies at `pc` (vsyscall)? */
bool step_instruction_is_the_kernels(uint64_t pc);

/* Are these the four bytes before an abort handler of rseq(2) (RSEQ_SIG)? */
bool step_instruction_aborts(uint32_t before);

/* Is it `syscall`, with whatever prefixes? */
bool step_instruction_is_syscall(const uint8_t *code, size_t size);

/*
 * Does a SIGTRAP with this si_code report a step? TRAP_TRACE, or TRAP_BRKPT: virtual machines lose the bit of DR6
 * (BS) that tells a step from an int1, and the kernel then reports an int1, which is never stepped. Seen at 6 of
 * 5,450,000 steps in one, at instructions of all kinds.
 */
bool step_instruction_raised(int si_code);

#endif
