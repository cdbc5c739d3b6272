/*
 * state.h - a section for the small variables that a start, a fork or a forked child writes.
 *
 * Side by side they are one page to copy; between the buffers of their files they were eight.
 */
#ifndef HOTPATCH_STATE_H
#define HOTPATCH_STATE_H

#define STATE __attribute__((section("hotpatch_state")))

/* Of functions that each forked child runs: the linker puts these side by side. The child has no page of the library's
 * text in its page tables at first. */
#define FORK_PATH __attribute__((hot))
/* Of the first of them in the order of the files: all of them have 448 bytes, and so lie on one page. */
#define FORK_PATH_FIRST __attribute__((hot, aligned(512)))

#endif
