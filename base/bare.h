/*
 * bare.h - functions that run inside a signal handler of the host's threads, or read the stacks of
 * others: the sanitizers keep state and records that such code may not touch, or has none of.
 */
#ifndef HOTPATCH_BARE_H
#define HOTPATCH_BARE_H

#define BARE __attribute__((no_sanitize("thread", "address", "undefined")))

#endif
