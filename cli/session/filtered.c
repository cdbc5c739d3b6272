/* filtered.c - see filtered.h. */
#include "cli/session/filtered.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <unistd.h>

#include "base/doorbell_value.h"
#include "base/needed_calls.h"
#include "base/seccomp_facts.h"
#include "cli/process/shim_record.h"

static bool seccomp_facts_read(const struct process *process, struct seccomp_facts *facts)
{
    int memory = shim_memory_open(process, O_RDONLY);
    uint64_t at;
    bool found;

    if (memory < 0)
        return false;
    at = shim_record_find(process, memory, SECCOMP_FACTS_MAGIC);
    found = at && pread(memory, facts, sizeof(*facts), (off_t)at) == sizeof(*facts);
    close(memory);
    return found;
}

static const char *call_name(int number)
{
    static const struct {
        const char *name;
        int number;
    } names[] = {
#define NEEDED(name, need) {#name, SYS_##name},
#define NEEDED_WITH(name, need, ...) {#name, SYS_##name},
        NEEDED_CALLS(NEEDED, NEEDED_WITH) NEEDED(clone, MUST) NEEDED(clone3, MUST)};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (names[i].number == number)
            return names[i].name;
    return "a system call";
}

static void refuse_strict(const struct process *process, struct refusal *why)
{
    refuse(why, HP_SANDBOX,
           "process %d (%s) is in seccomp's strict mode, which allows no other calls", process->pid,
           process_name(process));
}

static bool check_filters(const struct process *process, const struct seccomp_facts *facts,
                          int filters, enum seccomp_thread thread, struct refusal *why)
{
    int refused = thread == SECCOMP_OURS ? facts->kills : facts->refuses;

    switch (seccomp_judge(facts, filters, thread)) {
    case SECCOMP_ALLOWS:
        return true;
    case SECCOMP_UNSEEN:
        refuse(why, HP_SANDBOX,
               "process %d (%s) has set a seccomp filter by a system call instruction of its own; "
               "what it allows is not known",
               process->pid, process_name(process));
        return false;
    case SECCOMP_REFUSES:
        break;
    }
    if (refused == SECCOMP_REFUSES_ALL)
        refuse_strict(process, why);
    else
        refuse(why, HP_SANDBOX,
               "process %d (%s) has set a seccomp filter that refuses %s, which patching needs",
               process->pid, process_name(process), call_name(refused));
    return false;
}

/* Check one thread: the shim's, or else the one that is to be rung. `filters` gets the number of its filters. */
static bool thread_may(const struct process *process, pid_t tid, enum seccomp_thread thread,
                       long *filters, struct refusal *why)
{
    long mode = process_status_number(process->pid, tid, "Seccomp:");
    struct seccomp_facts facts;

    *filters = 0;
    if (mode == SECCOMP_MODE_STRICT) {
        refuse_strict(process, why);
        return false;
    }
    if (mode != SECCOMP_MODE_FILTER)
        return true;
    *filters = process_status_number(process->pid, tid, "Seccomp_filters:");
    if (*filters < 0) /* before Linux 5.9 */
        *filters = DOORBELL_FILTERS_MAX;
    return !seccomp_facts_read(process, &facts) ||
           check_filters(process, &facts, (int)*filters, thread, why);
}

struct thread_check {
    const struct process *process;
    struct refusal *why;
    unsigned threads;
};

/* A return value other than 0 ends the search. */
static int check_thread(pid_t tid, void *look_)
{
    struct thread_check *look = look_;
    long filters;

    look->threads++;
    return !thread_may(look->process, tid, SECCOMP_OURS, &filters, look->why);
}

bool filtered_may_ring(const struct process *process, uint32_t *flags, struct refusal *why)
{
    struct thread_check look = {process, why, 0};
    long filters = 0;

    *flags = DOORBELL_MAY_CALL;
    /* A thread of the shim has a filter only if the main thread, which made it, has one, or if a later filter was
     * set for all threads. */
    if (process_status_number(process->pid, 0, "Seccomp:") <= 0)
        return true;
    if (process_shim_threads(process->pid, check_thread, &look) != 0)
        return false;
    if (look.threads == 0 && !thread_may(process, 0, SECCOMP_HOSTS, &filters, why))
        return false;
    *flags |= (uint32_t)(filters < DOORBELL_FILTERS_MAX ? filters : DOORBELL_FILTERS_MAX)
              << DOORBELL_FILTERS_SHIFT;
    return true;
}
