/*
 * state.h - a section for the small variables that a start, a fork or a forked child writes.
 *
 * In one section they share one page, which is copied. Without it they were on eight pages, between the buffers of
 * their files.
 */
#ifndef HOTPATCH_STATE_H
#define HOTPATCH_STATE_H

#define STATE __attribute__((section("hotpatch_state")))

/* Functions that each forked child runs: the linker puts them next to each other. At first the child has no page of
 * the library's text in its page tables. */
#define FORK_PATH __attribute__((hot))
/* The first of these functions in the order of the files. All of them take 448 bytes, and so lie on one page. */
#define FORK_PATH_FIRST __attribute__((hot, aligned(512)))

#endif
