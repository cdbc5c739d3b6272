/*
 * exec_notice.h - the shim's half of base/exec_notice.h. On memory alone while no command rings this process.
 * Any thread, signal handlers and children of vfork(2) too.
 */
#ifndef HOTPATCH_PRELOAD_EXEC_NOTICE_H
#define HOTPATCH_PRELOAD_EXEC_NOTICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/sys_signal.h"

struct exec_guard {
    bool ignored;             /* the doorbell is ignored until exec_failed() */
    struct sys_sigaction old; /* its action before */
};

/* Before an execve(2). */
void exec_begin(struct exec_guard *guard);
/* After it: the program goes on. errno is kept. */
void exec_failed(const struct exec_guard *guard);
/* Parent of a child that shared the memory: read the count before the child is made, and write it after. */
uint32_t exec_notice_executing(void);
void exec_notice_put_back(uint32_t executing);

/* Doorbell's handler: the ring has arrived. `flags`: doorbell_flags(). */
void exec_notice_rung(uint32_t flags);
/* Constructor: the doorbell was ignored. A program that was executed under an announcement leaves it so, and the
 * signal may still come: for a while each exec ignores it again. */
void exec_notice_inherit(void);
/* Child of fork(3): no thread of it executes a program, and no command rings it. */
void exec_notice_reset(void);

#endif
