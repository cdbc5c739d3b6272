/*
 * step.h - takes the interrupted thread to a safe moment, instruction by instruction, by the trap flag
 * (EFLAGS bit 8; Intel SDM, volume 3, 17.3.1.4 "Single-Step Exception Condition").
 *
 * Signal handler of the doorbell, on a host thread: no libc, no lock. While a thread is stepped all signals
 * but those of its own faults wait, and SIGTRAP's action is the shim's. Both are given back before anything else
 * is done, and before any fault or other SIGTRAP reaches the host.
 */
#ifndef HOTPATCH_STEP_H
#define HOTPATCH_STEP_H

/*
 * Step from the state in `context` (the handler's ucontext_t), where safe_moment() said no, until it
 * says yes; then call `arrived`. Last in the handler. `doorbell`: its signal, of which those that come
 * meanwhile are dropped at an end without such a moment.
 *
 * Not begun where the process has several threads, is traced, blocks SIGTRAP or has an action for it, or where
 * this cannot be known. Ends without a safe moment before any instruction that could lose or
 * store the flag (step_instruction.h), after 4,096 steps, in an rseq(2) section, which each trap ends, and
 * where the thread faults.
 */
void step_begin(void *context, int doorbell, void (*arrived)(void));

#endif
