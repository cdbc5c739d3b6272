/*
 * exec_notice.h - the shim's half of base/exec_notice.h. Only reads and writes memory while no command rings this
 * process. Runs on any thread, also in signal handlers and children of vfork(2).
 */
#ifndef HOTPATCH_PRELOAD_EXEC_NOTICE_H
#define HOTPATCH_PRELOAD_EXEC_NOTICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/sys_signal.h"

struct exec_guard {
    bool ignored;             /* the doorbell is ignored until exec_failed() */
    struct sys_sigaction old; /* the action before */
};

/* Call before an execve(2). */
void exec_begin(struct exec_guard *guard);
/* Call after an execve(2) that failed. errno is kept. */
void exec_failed(const struct exec_guard *guard);
/* Parent of a child that shared the memory: read the count before the child is made, and write it after. */
uint32_t exec_notice_executing(void);
void exec_notice_put_back(uint32_t executing);

/* Doorbell's handler: record that the ring has arrived. `flags`: doorbell_flags(). */
void exec_notice_rung(uint32_t flags);
/* Constructor, if the doorbell was ignored: the program may have been executed under an announcement, and the signal
 * may still come. For a while each exec ignores the signal again. */
void exec_notice_inherit(void);
/* Child of fork(3): record that no thread executes a program and no command rings this process. */
void exec_notice_reset(void);

#endif
