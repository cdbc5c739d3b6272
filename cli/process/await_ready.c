/* await_ready.c - see await_ready.h. */
#include "cli/process/await_ready.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/process/channel.h"
#include "cli/process/listens.h"
#include "cli/process/proc_facts.h"

#define YOUNG 2000  /* ms since fork */
#define NEWBORN 200 /* ms: within it a process in the middle of exec shows neither side */
#define INTERVAL (2 * 1000000L) /* ns: an exec is no event that another process can await */

static bool same_program(const struct process *process, pid_t other)
{
    struct refusal why = {0};
    struct process found;
    bool same = process_open(other, &found, &why) == 0 && process->exe && found.exe &&
                strcmp(process->exe, found.exe) == 0;

    process_close(&found);
    refusal_clear(&why);
    return same;
}

/* Return whether the process may still get the library: a shell's child or `hotpatch run` before its exec, or
 * ld.so at work in the program. */
static bool may_still_be_injected(const struct process *process)
{
    char *preload = process_environ(process, "LD_PRELOAD");
    bool named = preload && strstr(preload, "libhotpatch_preload.so");
    long parent = process_status_number(process->pid, process->pid, "PPid:");

    free(preload);
    return named || process_age_ms(process) < NEWBORN || same_program(process, getpid()) ||
           (parent > 0 && same_program(process, (pid_t)parent));
}

static bool is_starting(pid_t pid)
{
    struct refusal why = {0};
    struct process process;
    struct channel channel;
    bool starting = false;

    if (process_open(pid, &process, &why) == 0 && process_age_ms(&process) < YOUNG) {
        if (!process.shim) {
            starting = may_still_be_injected(&process);
        } else {
            starting =
                channel_open(&process, &channel, &why) != 0 &&
                (why.items[0].code == HP_NOT_LISTENING || why.items[0].code == HP_EMULATED) &&
                !process_waits_for_ring(&process);
            channel_close(&channel);
        }
    }
    process_close(&process);
    refusal_clear(&why);
    return starting;
}

void process_await_ready(pid_t pid)
{
    const struct timespec interval = {0, INTERVAL};

    while (is_starting(pid))
        nanosleep(&interval, NULL);
}
