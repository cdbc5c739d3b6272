/*
 * proc_text.h - fields of the files /proc/PID/stat and /proc/PID/status (proc(5)).
 *
 * Any thread, also while a jump at an entry holds threads: no function of libc is called.
 */
#ifndef HOTPATCH_PROC_TEXT_H
#define HOTPATCH_PROC_TEXT_H

#include <stdint.h>
#include <sys/types.h>

/* Fields of stat, proc_pid_stat(5). */
enum {
    PROC_STAT_STATE = 3,
    PROC_STAT_FLAGS = 9,
    PROC_STAT_START_TIME = 22,
    PROC_STAT_POLICY = 41,
    PROC_STAT_EXIT_CODE = 52
};

/* Return the value of the line of `status` that begins with `key` ("State:"), without leading blanks; "": there is no
 * such line. */
const char *proc_field(const char *status, const char *key);
/* Return the number in the thread's own pid namespace: the last one of an NSpid line; 0: there is none. */
pid_t proc_innermost(const char *numbers);
/* Return the field `wanted` of `stat`, counted from 1, or "". */
const char *proc_stat_field(const char *stat, unsigned wanted);
/* Return the number at the beginning of `text`; 0: there is none. */
uint64_t proc_number(const char *text, unsigned base);

#endif
