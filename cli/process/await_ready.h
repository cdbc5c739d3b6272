/*
 * await_ready.h - waits for a process that has only just been started.
 *
 * `hotpatch run ./app & hotpatch load $! fix.so` in one go finds a shell's copy of itself, the
 * command before its exec, or a program whose library is not in place yet.
 */
#ifndef HOTPATCH_AWAIT_READY_H
#define HOTPATCH_AWAIT_READY_H

#include <sys/types.h>

/* Return when `pid` listens, when it clearly never will, or when it is older than 2 s. */
void process_await_ready(pid_t pid);

#endif
