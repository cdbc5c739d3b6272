/* proc_facts.c - see proc_facts.h; field meanings are those of proc(5). */
#include "cli/process/proc_facts.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/base_name.h"
#include "base/proc_text.h"
#include "cli/output/output.h"
#include "cli/process/proc_maps.h"

#define SHIM_NAME "libhotpatch_preload.so"
#define DOORBELL_OFFSET 12 /* SIGRTMIN+12: HOTPATCH_SIGNAL in libhotpatch_preload(7) */

static bool stat_fields(pid_t pid, char *state, uint64_t *start_time)
{
    char *text = process_file(pid, 0, "stat", NULL);
    const char *start = text ? proc_stat_field(text, PROC_STAT_START_TIME) : "";
    bool ok = *start != '\0';

    if (ok) {
        *state = *proc_stat_field(text, PROC_STAT_STATE);
        *start_time = proc_number(start, 10);
    }
    free(text);
    return ok;
}

/* Return whether the process has ended. A main thread that has exited is a zombie too, while other threads run
 * on. */
static bool process_has_ended(pid_t pid, char state)
{
    return state == 'X' || (state == 'Z' && process_status_number(pid, 0, "Threads:") <= 1);
}

uint64_t process_start_time(pid_t pid)
{
    char state;
    uint64_t start_time;

    if (!stat_fields(pid, &state, &start_time) || process_has_ended(pid, state))
        return 0;
    return start_time;
}

int64_t start_time_epoch(uint64_t start_time)
{
    struct timespec now, boot;

    clock_gettime(CLOCK_REALTIME, &now);
    clock_gettime(CLOCK_BOOTTIME, &boot);
    return now.tv_sec - boot.tv_sec + (int64_t)(start_time / (uint64_t)sysconf(_SC_CLK_TCK));
}

uint64_t process_age_ms(const struct process *process)
{
    uint64_t ticks = (uint64_t)sysconf(_SC_CLK_TCK);
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000 -
           process->start_time * 1000 / ticks;
}

char *process_environ(const struct process *process, const char *name)
{
    size_t length, name_length = strlen(name);
    char *text = process_file(process->view, 0, "environ", &length);
    char *value = NULL;

    for (char *entry = text; entry && entry < text + length; entry += strlen(entry) + 1)
        if (strncmp(entry, name, name_length) == 0 && entry[name_length] == '=') {
            value = format_text("%s", entry + name_length + 1);
            break;
        }
    free(text);
    return value;
}

/* Return the uid as the process itself sees it: user_namespaces(7), /proc/PID/uid_map. */
static uid_t uid_inside(pid_t pid, uid_t outside)
{
    char *map = process_file(pid, 0, "uid_map", NULL);
    uid_t inside = outside;

    for (char *line = map; line && *line; line = strchr(line, '\n'), line += line != NULL) {
        unsigned first, here, count;

        if (sscanf(line, "%u %u %u", &first, &here, &count) == 3 && outside >= here &&
            outside - here < count) {
            inside = first + (outside - here);
            break;
        }
    }
    free(map);
    return inside;
}

/* Return the last number of NSpid, or `otherwise`: the kernel has no pid namespaces. */
static pid_t inner_number(const char *status, pid_t otherwise)
{
    pid_t inner = proc_innermost(proc_field(status, "NSpid:"));

    return inner > 0 ? inner : otherwise;
}

static void take_status(struct process *process, const char *status)
{
    unsigned uid = 0;

    sscanf(proc_field(status, "Name:"), "%31[^\n]", process->comm);
    sscanf(proc_field(status, "Uid:"), "%*u %u", &uid);
    process->euid = uid;
    process->inner_pid = inner_number(status, process->pid);
}

pid_t process_inner_tid(pid_t pid, pid_t tid)
{
    char *status = process_file(pid, tid, "status", NULL);
    pid_t inner = status ? inner_number(status, tid) : 0;

    free(status);
    return inner;
}

static char *read_exe(pid_t pid)
{
    static const char deleted[] = " (deleted)";
    char path[64], target[4096];
    ssize_t n;

    snprintf(path, sizeof(path), "/proc/%d/exe", pid);
    n = readlink(path, target, sizeof(target) - 1);
    if (n <= 0)
        return NULL;
    target[n] = 0;
    if ((size_t)n > strlen(deleted) && strcmp(target + n - strlen(deleted), deleted) == 0)
        target[n - (ssize_t)strlen(deleted)] = 0;
    return format_text("%s", target);
}

/* Find the shim among the mappings. No mapping of it with code: an emulator runs it. */
static void find_shim(struct process *process)
{
    char *maps = process_file(process->view, 0, "maps", NULL), *rest = maps;
    struct proc_map map;

    process->maps_readable = maps != NULL;
    if (maps && !strstr(maps, "/" SHIM_NAME))
        *maps = '\0'; /* most processes: no line need be parsed */
    while (proc_map_next(&rest, &map)) {
        if (strcmp(base_name(map.path), SHIM_NAME) != 0)
            continue;
        if (!process->shim) {
            process->shim = format_text("%s", map.path);
            process->emulated = true;
        }
        if (map.executable)
            process->emulated = false;
    }
    free(maps);
}

static bool same_link(pid_t pid, const char *name)
{
    char path[64];
    struct stat theirs, ours;

    snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
    if (stat(path, &theirs) != 0)
        return true; /* not readable: then nothing can be said, and ours is tried */
    snprintf(path, sizeof(path), "/proc/self/%s", name);
    return stat(path, &ours) == 0 && theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino;
}

/* Return the inode number of its pid namespace. A process that may not be examined counts as one of the command's
 * namespace if it has one number alone. */
static uint64_t read_pid_ns(const struct process *process)
{
    char path[64];
    struct stat st;

    snprintf(path, sizeof(path), "/proc/%d/ns/pid", process->view);
    if (stat(path, &st) == 0 ||
        (process->inner_pid == process->pid && stat("/proc/self/ns/pid", &st) == 0))
        return st.st_ino;
    return 0;
}

static bool is_hidden(pid_t pid, const char *name)
{
    char path[64];
    struct stat st;

    snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
    return stat(path, &st) != 0 && (errno == EACCES || errno == EPERM);
}

int process_threads(pid_t pid, int (*each)(pid_t tid, void *context), void *context)
{
    char path[64];
    DIR *tasks;
    struct dirent *entry;
    int stop = 0;

    snprintf(path, sizeof(path), "/proc/%d/task", pid);
    tasks = opendir(path);
    if (!tasks)
        return -errno;
    while (!stop && (entry = readdir(tasks))) {
        pid_t tid = (pid_t)atoi(entry->d_name);

        if (tid > 0)
            stop = each(tid, context);
    }
    closedir(tasks);
    return stop;
}

static int take_another(pid_t tid, void *context)
{
    pid_t *found = context;
    bool other = tid != *found;

    *found = tid;
    return other;
}

/* Return a thread that has not exited. A zombie's own maps, exe and root are gone; those of other threads are
 * not. */
static pid_t live_thread(pid_t pid)
{
    pid_t found = pid;

    process_threads(pid, take_another, &found);
    return found;
}

const char *process_user(uid_t uid, char *buffer, size_t size)
{
    struct passwd *entry = getpwuid(uid);

    if (entry)
        snprintf(buffer, size, "%s", entry->pw_name);
    else
        snprintf(buffer, size, "%u", uid);
    return buffer;
}

int process_open(pid_t pid, struct process *process, struct refusal *why)
{
    char *status, name[64];
    pid_t leader;

    memset(process, 0, sizeof(*process));
    process->pid = pid;
    status = process_file(pid, 0, "status", NULL);
    if (!status || !stat_fields(pid, &process->state, &process->start_time)) {
        free(status);
        return refuse(why, HP_NO_PROCESS, "there is no process %d", pid);
    }
    take_status(process, status);
    leader = (pid_t)proc_number(proc_field(status, "Tgid:"), 10);
    free(status);
    if (leader > 0 && leader != pid)
        return refuse(why, HP_NO_PROCESS, "%d is a thread of process %d", pid, leader);
    if (process_has_ended(pid, process->state))
        return refuse(why, HP_NO_PROCESS, "process %d has ended", pid);
    if (geteuid() != 0 && geteuid() != process->euid)
        return refuse(why, HP_PERMISSION, "process %d (%s) runs as user %s", pid, process->comm,
                      process_user(process->euid, name, sizeof(name)));
    process->view = process->state == 'Z' ? live_thread(pid) : pid;
    process->inner_euid = uid_inside(pid, process->euid);
    process->exe = read_exe(process->view);
    process->foreign_root =
        !same_link(process->view, "root") || !same_link(process->view, "ns/mnt");
    process->pid_ns = read_pid_ns(process);
    process->other_time = !same_link(process->view, "ns/time");
    process->foreign_net = !same_link(process->view, "ns/net");
    process->hidden_root = is_hidden(process->view, "root");
    find_shim(process);
    return 0;
}

void process_close(struct process *process)
{
    free(process->exe);
    free(process->shim);
    process->exe = process->shim = NULL;
}

bool process_alive(const struct process *process)
{
    return process_start_time(process->pid) == process->start_time;
}

const char *process_name(const struct process *process)
{
    const char *base = base_name(process->exe);

    return base && *base ? base : process->comm;
}

struct shim_threads {
    pid_t pid;
    int (*each)(pid_t tid, void *context);
    void *context;
};

static int if_of_the_shim(pid_t tid, void *context)
{
    const struct shim_threads *threads = context;
    char *comm = process_file(threads->pid, tid, "comm", NULL);
    int stop = 0;

    if (comm && strcmp(comm, "hotpatch\n") == 0)
        stop = threads->each(tid, threads->context);
    free(comm);
    return stop;
}

int process_shim_threads(pid_t pid, int (*each)(pid_t tid, void *context), void *context)
{
    struct shim_threads threads = {pid, each, context};
    int stop = process_threads(pid, if_of_the_shim, &threads);

    return stop > 0 ? stop : 0;
}

struct held_file {
    pid_t pid;
    struct stat st;
};

static int thread_holds(pid_t tid, void *context)
{
    const struct held_file *held = context;
    char path[96];
    struct stat st;
    struct dirent *entry;
    DIR *list;
    int found = 0;

    snprintf(path, sizeof(path), "/proc/%d/task/%d/fd", held->pid, tid);
    list = opendir(path);
    while (list && !found && (entry = readdir(list)))
        found = fstatat(dirfd(list), entry->d_name, &st, 0) == 0 && st.st_dev == held->st.st_dev &&
                st.st_ino == held->st.st_ino;
    if (list)
        closedir(list);
    return found;
}

bool process_holds(pid_t pid, int fd)
{
    struct held_file held = {.pid = pid};

    return fstat(fd, &held.st) == 0 && process_shim_threads(pid, thread_holds, &held) != 0;
}

struct listener_search {
    pid_t pid;
    int number;
    pid_t found;
};

static int waits_for_doorbell(pid_t tid, void *context)
{
    struct listener_search *search = context;
    uint64_t blocked;

    if (!process_mask(search->pid, tid, "SigBlk:", &blocked) ||
        (blocked >> (search->number - 1)) & 1)
        return 0;
    search->found = tid;
    return 1;
}

pid_t process_listener(pid_t pid, int number)
{
    struct listener_search search = {pid, number, 0};

    process_shim_threads(pid, waits_for_doorbell, &search);
    return search.found;
}

int process_doorbell(const struct process *process)
{
    char *text = process_environ(process, "HOTPATCH_SIGNAL");
    int number = SIGRTMIN + DOORBELL_OFFSET;

    if (text && strcmp(text, "none") == 0)
        number = 0;
    else if (text && strncmp(text, "RTMIN+", 6) == 0)
        number = SIGRTMIN + atoi(text + 6);
    else if (text && isdigit((unsigned char)*text))
        number = atoi(text);
    free(text);
    return number >= 0 && number <= 64 ? number : 0;
}
