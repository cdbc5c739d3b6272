/*
 * held.h - a thread that single steps (EFLAGS.TF) have stopped exactly before one instruction, and that continues on
 * request. The thread waits in the host's SIGTRAP handler, which blocks no signal: in /proc the thread sleeps
 * elsewhere, and only its signal frame leads back.
 */
#ifndef HOTPATCH_TEST_HELD_H
#define HOTPATCH_TEST_HELD_H

#include <pthread.h>
#include <stdint.h>

#include "tests/support/shapes.h"

struct held {
    const struct shape *shape;
    uintptr_t at;
    long argument, result;
    _Atomic int there, go, ended;
    pthread_t thread;
};

/* Install the host's SIGTRAP handler, before the engine installs its own over it. */
void held_take_steps(void);
/* Start a thread that calls the shape with 300 and stops at `offset` from the jump. The thread must reach that
 * place. */
void held_start(struct held *held, const struct shape *shape, unsigned offset);
/* Let the thread continue and end. Return the function's result. */
long held_go(struct held *held);
/* Let the thread continue until it has ended, or for 2 ms of its own time: the bytes at its place may hold it. */
void held_let_go(struct held *held);

#endif
