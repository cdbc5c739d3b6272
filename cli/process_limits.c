/* process_limits.c - see process_limits.h. */
#include "process_limits.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    LISTENER_DESCRIPTORS = 8, /* its own, and those of a request */
    OWN_THREADS = 2,
};

#define OWN_MEMORY ((unsigned long long)4 << 20) /* stacks and what libc adds to each */
#define UNLIMITED (~0ULL)

/* The soft limit in /proc/PID/limits, proc(5): a name of fixed width, then the number. */
static unsigned long long soft_limit(pid_t pid, const char *name)
{
    unsigned long long value = UNLIMITED;
    char path[64], line[256];
    size_t length = strlen(name);
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/limits", (int)pid);
    file = fopen(path, "re");
    if (!file)
        return UNLIMITED;
    while (fgets(line, sizeof(line), file))
        if (strncmp(line, name, length) == 0 && sscanf(line + length, " %llu", &value) != 1)
            value = UNLIMITED;
    fclose(file);
    return value;
}

/* A number in /proc/PID/status, in the unit of the file. */
static unsigned long long status_number(const char *pid, const char *name)
{
    unsigned long long value = 0;
    char path[64], line[256];
    size_t length = strlen(name);
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%.20s/status", pid);
    file = fopen(path, "re");
    if (!file)
        return 0;
    while (fgets(line, sizeof(line), file))
        if (strncmp(line, name, length) == 0 && sscanf(line + length, " %llu", &value) == 1)
            break;
    fclose(file);
    return value;
}

/* RLIMIT_NPROC counts the threads of all processes of the user. */
static unsigned long long count_threads(unsigned long long uid)
{
    unsigned long long count = 0;
    DIR *proc = opendir("/proc");

    for (struct dirent *entry; proc && (entry = readdir(proc));)
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
            status_number(entry->d_name, "Uid:") == uid)
            count += status_number(entry->d_name, "Threads:");
    if (proc)
        closedir(proc);
    return count;
}

int limits_leave_room(pid_t pid, bool listens, struct refusal *why)
{
    unsigned long long files = soft_limit(pid, "Max open files"), memory, threads, uid;
    char name[16];

    if (files < (listens ? 1 : LISTENER_DESCRIPTORS))
        return refuse(why, HP_LIMIT, "process %d may open %llu files (RLIMIT_NOFILE)%s", (int)pid,
                      files, listens ? "" : ", and the listener needs some itself");
    if (listens)
        return 0;
    snprintf(name, sizeof(name), "%d", (int)pid);
    memory = soft_limit(pid, "Max address space");
    if (memory != UNLIMITED && status_number(name, "VmSize:") * 1024 + OWN_MEMORY > memory)
        return refuse(why, HP_MEMORY,
                      "process %d has used up its address space of %llu kB (RLIMIT_AS)", (int)pid,
                      memory / 1024);
    threads = soft_limit(pid, "Max processes");
    uid = status_number(name, "Uid:");
    if (threads != UNLIMITED && uid != 0 && count_threads(uid) + OWN_THREADS > threads)
        return refuse(why, HP_LIMIT, "user %llu may have %llu threads (RLIMIT_NPROC of process %d)",
                      uid, threads, (int)pid);
    return 0;
}
