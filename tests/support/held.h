/*
 * held.h - a thread that has stopped exactly before one instruction, by single steps (EFLAGS.TF),
 * and goes on when it is told to. It is held in the host's SIGTRAP handler, which blocks nothing: in
 * /proc it sleeps elsewhere, and only its signal frame leads back.
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

/* Before the engine lays its own SIGTRAP handler over this one. */
void held_take_steps(void);
/* A thread calls the shape with 300 and stops at `offset` from where the jump goes. It must come
 * there. */
void held_start(struct held *held, const struct shape *shape, unsigned offset);
/* Goes on, and ends; what the function returned. */
long held_go(struct held *held);
/* Goes on until it has ended, or for 2 ms of its own time: it may be held by what lies there now. */
void held_let_go(struct held *held);

#endif
