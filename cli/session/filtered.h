/* filtered.h - whether a seccomp filter of the process would refuse what a ring makes it do. Nothing is sent: the
 * number of filters is in /proc/PID/status, and what the shim knows of them in its memory (base/seccomp_facts.h). */
#ifndef HOTPATCH_FILTERED_H
#define HOTPATCH_FILTERED_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/process/proc_facts.h"

/* Return whether the doorbell may be rung and a request be written to the FIFO. False: HP-SANDBOX in `why`.
 * `flags` gets those of the ring (base/doorbell_value.h); where the memory cannot be read the shim's handler
 * decides by them. */
bool filtered_may_ring(const struct process *process, uint32_t *flags, struct refusal *why);

#endif
