/*
 * trap.h - threads that meet a trap of ours (an int3: SIGTRAP; an opcode that is none: SIGILL), or are
 * asked where they are (SIGILL), go on in the relocated prologue; a trap that is not the engine's goes to the host's
 * own action.
 *
 * The handler runs on any thread of the host at any moment: no lock, no allocation, no libc. The
 * table of traps only grows, and a trap stays in it when its int3 is gone: a thread may have met
 * it and not yet have come to the handler.
 */
#ifndef HOTPATCH_TRAP_H
#define HOTPATCH_TRAP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Where an instruction was, and where its relocated copy is. Never freed. */
struct trap {
    struct trap *next;
    uintptr_t address; /* 0: its object is gone */
    uintptr_t relocated;
};

void trap_add(struct trap *trap);

/* Take SIGTRAP, and SIGILL if `faults` is true or ever was, where the host (has meanwhile) set an
 * action of its own: that one is called for what is not ours. 0, or -errno. */
int trap_install(bool faults);
/* Are the actions now those that trap_install() has set? */
bool trap_is_taken(bool faults);
/* Does an installed handler of the host's block SIGTRAP while it runs (sa_mask)? The kernel then blocks it in
 * a thread that has made no call. */
bool trap_is_masked_by_a_handler(void);

/*
 * Threads that are asked to leave the code between `begin` and `end`, both exclusive, after
 * trap_install(true) and stacks_look(). Once thread i has been through the handler, `answered[i]`,
 * which must never be unmapped, becomes the round's number: it is elsewhere; or one more: it may come
 * back there.
 */
struct trap_round {
    _Atomic uint32_t *answered;
    uint32_t count;
    uintptr_t begin, end;
};
uint32_t trap_round_begin(const struct trap_round *round);
void trap_round_end(void);
/* 0, or -errno: -ESRCH: the thread is gone. Once for each thread and round. */
int trap_ask(pid_t tid, uint32_t index);
/* How many questions have lost their value on the way (RLIMIT_SIGPENDING): the thread may be asked again. */
uint32_t trap_lost(void);
/* Sleep until some thread has answered, at most some milliseconds. */
void trap_await(uint32_t answers);
uint32_t trap_answers(void);

#endif
