/* listens.c - see listens.h. */
#include "cli/process/listens.h"

#include <stdlib.h>
#include <strings.h>

enum listens process_listens(const struct process *process)
{
    char *text = process_environ(process, "HOTPATCH_LISTEN");
    enum listens listens = LISTENS_FIRST_RING;

    if (text && strcasecmp(text, "start") == 0)
        listens = LISTENS_START;
    else if (text && strcasecmp(text, "never") == 0)
        listens = LISTENS_NEVER;
    free(text);
    return listens;
}

bool process_catches(const struct process *process, int number)
{
    uint64_t caught;

    return number >= 1 && number <= 64 && process_mask(process->pid, 0, "SigCgt:", &caught) &&
           ((caught >> (number - 1)) & 1);
}

static int stop_at_one(pid_t tid, void *context)
{
    (void)tid;
    (void)context;
    return 1;
}

bool process_waits_for_ring(const struct process *process)
{
    return process->shim && !process->emulated && process_listens(process) == LISTENS_FIRST_RING &&
           process_catches(process, process_doorbell(process)) &&
           process_shim_threads(process->pid, stop_at_one, NULL) == 0;
}
