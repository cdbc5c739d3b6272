/*
 * step.h - executes the interrupted thread instruction by instruction, by the trap flag, up to a safe moment (EFLAGS
 * bit 8; Intel SDM, volume 3, 17.3.1.4 "Single-Step Exception Condition").
 *
 * Runs in the doorbell's signal handler, on a host thread: no libc, no lock. While a thread is stepped, all signals
 * but those of its own faults are blocked, and SIGTRAP's action is the shim's. Mask and actions are put back before
 * the safe moment is used, and before a fault or another SIGTRAP reaches the host.
 */
#ifndef HOTPATCH_STEP_H
#define HOTPATCH_STEP_H

/*
 * Step from the state in `context` (the handler's ucontext_t), for which safe_moment() returned false, until it
 * returns true. Then call `arrived`. This is the last call in the handler. `doorbell`: the signal; rings that come
 * meanwhile are discarded if no safe moment is found.
 *
 * Stepping does not begin if the process has several threads, is traced, blocks SIGTRAP or has an action for it, or
 * if this cannot be read. Stepping ends without a safe moment before an instruction that could lose or store the flag
 * (step_instruction.h), after 4,096 steps, in an rseq(2) section, which each trap aborts, and where the thread
 * faults.
 */
void step_begin(void *context, int doorbell, void (*arrived)(void));

#endif
