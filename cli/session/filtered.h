/*
 * filtered.h - is the process under a seccomp filter that would refuse, or kill it for, what a ring makes it do?
 *
 * Read from outside, before anything is sent: the number of filters from /proc/PID/status, what the shim knows of them
 * from its memory (base/seccomp_facts.h).
 */
#ifndef HOTPATCH_FILTERED_H
#define HOTPATCH_FILTERED_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/process/proc_facts.h"

/*
 * May the doorbell be rung, and a request be written to the FIFO? False: HP-SANDBOX in `why`. `flags` gets
 * those of the ring (base/doorbell_value.h); where the memory cannot be read the shim's handler decides by them.
 */
bool filtered_may_ring(const struct process *process, uint32_t *flags, struct refusal *why);

#endif
