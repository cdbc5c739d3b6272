/*
 * proc_files.h - reads the files of a process in /proc: proc(5), base/proc_text.h.
 */
#ifndef HOTPATCH_PROC_FILES_H
#define HOTPATCH_PROC_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Return a whole small file such as those of /proc, malloc'd and NUL-terminated; NULL with errno. */
char *read_small_file(const char *path, size_t *length);
/* Return the file `name` in /proc/PID, or with `tid` in /proc/PID/task/TID, as read_small_file(). */
char *process_file(pid_t pid, pid_t tid, const char *name, size_t *length);
/* Open /proc/PID/NAME with `flags` of open(2) and O_CLOEXEC. Return the descriptor, or -1 with errno. */
int process_file_open(pid_t pid, const char *name, int flags);

/* Read the hex mask in a line like "SigCgt:" of /proc/PID/status or /proc/PID/task/TID/status. False: no such line. */
bool process_mask(pid_t pid, pid_t tid, const char *label, uint64_t *mask);
/* Return the number after a label like "Seccomp:" there; -1: no such line. */
long process_status_number(pid_t pid, pid_t tid, const char *label);

/* The system call in which a thread sleeps. */
struct process_call {
    long number;               /* -1: it runs, or sleeps in none */
    unsigned long long fourth; /* parameter */
};

/* Read /proc/PID/task/TID/syscall; `tid` 0: the main thread. False: it cannot be read. */
bool process_call(pid_t pid, pid_t tid, struct process_call *call);

#endif
