/*
 * bare.h - the attribute for functions that run in a signal handler of the host's threads, or read other threads'
 * stacks. Such functions must not use the state of the sanitizers, or have none.
 */
#ifndef HOTPATCH_BARE_H
#define HOTPATCH_BARE_H

#define BARE __attribute__((no_sanitize("thread", "address", "undefined")))

#endif
