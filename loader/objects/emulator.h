/*
 * emulator.h - does an emulator of user programs (qemu-user) run this process?
 *
 * It translates code before it runs it. What is written into code by the kernel's way (text_poke.h) it does not see, and a
 * thread goes on in a translation of what was there: nothing is written into code then.
 *
 * Listener (or the thread that runs the constructor), holding the engine lock.
 */
#ifndef HOTPATCH_EMULATOR_H
#define HOTPATCH_EMULATOR_H

/* NULL: none. Else one clause that says so. Reads the mappings at the first question. */
const char *emulator_problem(void);

#endif
