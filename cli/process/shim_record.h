/*
 * shim_record.h - records of the shim in the memory of a process: base/exec_notice.h, base/seccomp_facts.h.
 *
 * Each begins with a magic of 16 bytes, by which it is found in the writable mappings of the shim. The memory is
 * /proc/PID/mem, for which the command needs what ptrace(2) needs (PTRACE_MODE_ATTACH).
 */
#ifndef HOTPATCH_SHIM_RECORD_H
#define HOTPATCH_SHIM_RECORD_H

#include "cli/process/proc_facts.h"

#define SHIM_MAGIC_SIZE 16

/* Open the memory with O_RDONLY or O_RDWR; -1 with errno. */
int shim_memory_open(const struct process *process, int access);
/* Return the address of the record that begins with `magic`; 0: there is none. */
uint64_t shim_record_find(const struct process *process, int memory, const char *magic);

#endif
