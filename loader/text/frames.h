/*
 * frames.h - the functions that the other threads of the process are in: their stacks, unwound from outside.
 *
 * Called by the listener with the engine lock held. Only threads that sleep in a system call can be looked at: each thread
 * several times, until it does. What is found was true at a past moment. No thread is stopped, and no signal is sent.
 */
#ifndef HOTPATCH_FRAMES_H
#define HOTPATCH_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A call that has not returned: the thread is in the function that begins at `function`. */
struct thread_frame {
    pid_t entry; /* the thread's number in /proc */
    uintptr_t function;
};

struct thread_frames {
    struct thread_frame *list;
    size_t count, capacity;
    bool cut;       /* there was no memory, or no time, for all */
    pid_t *running; /* the threads that ran whenever they were looked at */
    size_t running_count;
};

/* Unwind the threads, for at most `milliseconds`. */
void frames_look(struct thread_frames *frames, unsigned milliseconds);
void frames_free(struct thread_frames *frames);

#endif
