/*
 * proc_facts.h - what /proc says of one process: which process it is, and whether it has the shim.
 *
 * Each call reads /proc again, and what it returns may be out of date a moment later. The start time tells whether a
 * PID is still the same process.
 */
#ifndef HOTPATCH_PROC_FACTS_H
#define HOTPATCH_PROC_FACTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/refusal.h"
#include "cli/process/proc_files.h"

struct process {
    pid_t pid;  /* as the command sees it */
    pid_t view; /* whose /proc files to read: the PID, or a thread where the main one is gone */
    pid_t inner_pid; /* as the process sees itself: the last of NSpid */
    uid_t euid;
    uid_t inner_euid;    /* inside its user namespace */
    uint64_t start_time; /* clock ticks after boot, field 22 of /proc/PID/stat */
    uint64_t pid_ns;     /* inode number of its pid namespace; 0: not readable */
    bool other_time;     /* it counts time after boot otherwise than we do, time_namespaces(7) */
    char state;          /* R, S, D, T, t, Z ... */
    char comm[32];
    char *exe;  /* path of its program without " (deleted)"; NULL: not readable */
    char *shim; /* path of the mapped libhotpatch_preload.so; NULL: none seen */
    bool maps_readable;
    bool emulated; /* no processor may run the shim's code where it is mapped: an emulator does */
    bool foreign_root; /* its root or mount namespace is another than ours */
    bool foreign_net;  /* its network namespace is */
    bool hidden_root;  /* its root cannot be looked at: it may be any */
};

/* Read the facts. Return 0, or -1 with HP-NO-PROCESS or HP-PERMISSION. Call process_close() in either case. */
int process_open(pid_t pid, struct process *process, struct refusal *why);
void process_close(struct process *process);
/* Return whether it is still the same process, and not a zombie. */
bool process_alive(const struct process *process);
/* Put the name of a user, or the number where there is no name, into `buffer`. Return it. */
const char *process_user(uid_t uid, char *buffer, size_t size);
/* Return the base name of its program, or its comm. */
const char *process_name(const struct process *process);

/* Return the milliseconds since it was started, in steps of a clock tick. */
uint64_t process_age_ms(const struct process *process);
/* Return the start time of `pid`; 0 where there is no such process or it has ended. */
uint64_t process_start_time(pid_t pid);
/* Return the value of `name` in the environment that the process was started with, malloc'd; NULL: unset. */
char *process_environ(const struct process *process, const char *name);
/* Return the number that thread `tid` has for itself: the last of NSpid. 0: there is no such thread. */
pid_t process_inner_tid(pid_t pid, pid_t tid);
/* Call `each` for every thread until it returns another number than 0. Return that number, 0, or -errno. */
int process_threads(pid_t pid, int (*each)(pid_t tid, void *context), void *context);
/* Call `each` for every thread named "hotpatch" until it returns a positive number. Return that number, or 0. */
int process_shim_threads(pid_t pid, int (*each)(pid_t tid, void *context), void *context);
/* Return whether one of the shim's threads has the file of `fd` open in its table. */
bool process_holds(pid_t pid, int fd);
/* Return the shim's thread that has the signal `number` unblocked, or 0. */
pid_t process_listener(pid_t pid, int number);
/* Return the doorbell's number by the process's environment; 0: none. */
int process_doorbell(const struct process *process);

/* Return the time at which a process with this start time began, in seconds since the epoch. */
int64_t start_time_epoch(uint64_t start_time);

#endif
