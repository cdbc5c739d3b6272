/*
 * step_instruction.h - checks whether the next instruction may be executed with the trap flag set.
 *
 * Pure: reads the bytes that it is given. Any thread, also in signal handlers.
 */
#ifndef HOTPATCH_STEP_INSTRUCTION_H
#define HOTPATCH_STEP_INSTRUCTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STEP_INSTRUCTION_MAX = 15 };

/*
 * Return whether the instruction may be executed with the trap flag. False for instructions that store or load the
 * flags register or leave the mode (syscall, sysenter, int, iret, pushf, popf, far jumps, far returns, enclu, uiret),
 * that delay the trap (mov to ss), that a trap aborts (xbegin), and for bytes that end before the opcode is known.
 */
bool step_instruction_may_trap(const uint8_t *code, size_t size);

/* Return whether the kernel executes the code at `pc` (vsyscall). */
bool step_instruction_is_the_kernels(uint64_t pc);

/* Return whether these are the four bytes before an abort handler of rseq(2) (RSEQ_SIG). */
bool step_instruction_aborts(uint32_t before);

/* Return whether the instruction is `syscall`, with any prefixes. */
bool step_instruction_is_syscall(const uint8_t *code, size_t size);

/*
 * Return whether a SIGTRAP with this si_code reports a step: TRAP_TRACE, or TRAP_BRKPT. Virtual machines lose the bit
 * of DR6 (BS) that distinguishes a step from an int1. The kernel then reports an int1, which is never stepped. Seen
 * at 6 of 5,450,000 steps in one machine, at instructions of all kinds.
 */
bool step_instruction_raised(int si_code);

#endif
