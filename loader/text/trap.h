/*
 * trap.h - the traps of the engine (an int3: SIGTRAP; an undefined opcode: SIGILL) and the questions where a thread is
 * (SIGILL). A thread that meets such a trap or question continues in the relocated prologue. The host's own action is
 * called for any other trap.
 *
 * The handler runs on any thread of the host at any moment: no lock, no allocation, no libc. The table of traps only
 * grows. A trap stays in the table when its int3 is gone: a thread may have met the int3 and not yet have come to the
 * handler.
 */
#ifndef HOTPATCH_TRAP_H
#define HOTPATCH_TRAP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* The address of an instruction, and the address of its relocated copy. Never freed. */
struct trap {
    struct trap *next;
    uintptr_t address; /* 0: the trap's object is gone */
    uintptr_t relocated;
};

void trap_add(struct trap *trap);

/* Take SIGTRAP, and SIGILL if `faults` is true now or was true in an earlier call. If the host has since set an action
 * of its own, take the signal again. The host's action is called for traps that are not the engine's. Return 0, or
 * -errno. */
int trap_install(bool faults);
/* Return whether the current actions are those that trap_install() has set. */
bool trap_is_taken(bool faults);
/* Return whether an installed handler of the host blocks SIGTRAP while it runs (sa_mask). The kernel then blocks
 * SIGTRAP in a thread that has made no system call. */
bool trap_is_masked_by_a_handler(void);

/*
 * A round of questions to threads, to leave the code between `begin` and `end`, both exclusive. Begun after
 * trap_install(true) and stacks_look(). After thread i has run the handler, `answered[i]` is the round's number if the
 * thread is elsewhere, or the number plus one if the thread may come back there. `answered` must never be unmapped.
 */
struct trap_round {
    _Atomic uint32_t *answered;
    uint32_t count;
    uintptr_t begin, end;
};
uint32_t trap_round_begin(const struct trap_round *round);
void trap_round_end(void);
/* Ask the thread. Return 0, or -errno; -ESRCH if the thread is gone. Called once for each thread and round. */
int trap_ask(pid_t tid, uint32_t index);
/* Return how many questions have lost their value on the way (RLIMIT_SIGPENDING). Their threads may be asked again. */
uint32_t trap_lost(void);
/* Sleep until a thread has answered, for at most some milliseconds. */
void trap_await(uint32_t answers);
uint32_t trap_answers(void);

#endif
