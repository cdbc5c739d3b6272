/*
 * state.h - a section for the small variables that a start, a fork or a forked child writes.
 *
 * Side by side they are one page to copy; between the buffers of their files they were eight.
 */
#ifndef HOTPATCH_STATE_H
#define HOTPATCH_STATE_H

#define STATE __attribute__((section("hotpatch_state")))

#endif
