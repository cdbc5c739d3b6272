/* process_targets.c - see process_targets.h. */
#include "cli/process/process_targets.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/output/output.h"
#include "cli/process/await_ready.h"
#include "cli/process/program_path.h"

static bool all_digits(const char *text)
{
    return *text && text[strspn(text, "0123456789")] == 0;
}

bool process_target_is_file(const char *text)
{
    return *text != '@' && !all_digits(text);
}

char *process_target_path(const char *text)
{
    char found[PATH_MAX];

    if (!strchr(text, '/') && access(text, F_OK) != 0 && program_find(text, found, sizeof(found)))
        return format_text("%s", found);
    return format_text("%s", text);
}

static int by_pid(const void *a, const void *b)
{
    const struct process *left = a, *right = b;

    return (left->pid > right->pid) - (left->pid < right->pid);
}

/* List the processes with the shim that `name` names; NULL: all. Processes that cannot be examined are counted in
 * `hidden`. */
static struct process *scan(const char *name, size_t *count, size_t *hidden)
{
    DIR *proc = opendir("/proc");
    struct process *list = NULL, process;
    struct dirent *entry;
    size_t capacity = 0;

    *count = *hidden = 0;
    while (proc && (entry = readdir(proc))) {
        struct refusal why = {0};

        if (!all_digits(entry->d_name))
            continue;
        if (process_open((pid_t)atoi(entry->d_name), &process, &why) != 0) {
            *hidden +=
                why.items[0].code == HP_PERMISSION && name && strncmp(process.comm, name, 15) == 0;
        } else if (process.pid != getpid() && (process.shim || (!name && !process.maps_readable)) &&
                   (!name || strcmp(process_name(&process), name) == 0 ||
                    strcmp(process.comm, name) == 0)) {
            if (*count == capacity)
                list = reallocate(list, (capacity = capacity ? capacity * 2 : 64) * sizeof(*list));
            list[(*count)++] = process;
            memset(&process, 0, sizeof(process));
        }
        process_close(&process);
        refusal_clear(&why);
    }
    if (proc)
        closedir(proc);
    if (*count)
        qsort(list, *count, sizeof(*list), by_pid);
    return list;
}

struct process *shim_processes_find(size_t *count)
{
    size_t hidden;

    return scan(NULL, count, &hidden);
}

static int find_group(const char *text, struct process_targets *targets, struct refusal *why)
{
    size_t hidden;

    targets->group = text;
    if (text[1] == 0)
        return refuse(why, HP_USAGE, "@ needs the name of a program");
    targets->list = scan(text + 1, &targets->count, &hidden);
    if (targets->count)
        return 0;
    if (hidden)
        return refuse(why, HP_PERMISSION, "the processes named %s belong to other users", text + 1);
    return refuse(why, HP_NO_PROCESS, "no process of %s has the library", text + 1);
}

int process_targets_find(const char *text, struct process_targets *targets, struct refusal *why)
{
    unsigned long pid;

    memset(targets, 0, sizeof(*targets));
    if (*text == '@')
        return find_group(text, targets, why);
    if (!all_digits(text))
        return refuse(why, HP_USAGE, "%s is neither a PID nor @NAME", text);
    errno = 0;
    pid = strtoul(text, NULL, 10);
    if (errno || pid == 0 || pid > 0x3fffffff)
        return refuse(why, HP_NO_PROCESS, "there is no process %s", text);
    targets->list = allocate(sizeof(*targets->list));
    targets->count = 1;
    process_await_ready((pid_t)pid);
    return process_open((pid_t)pid, targets->list, why);
}

void process_targets_close(struct process_targets *targets)
{
    for (size_t i = 0; i < targets->count; i++)
        process_close(&targets->list[i]);
    free(targets->list);
    memset(targets, 0, sizeof(*targets));
}
