/* process_limits.c - see process_limits.h. */
#include "cli/process/process_limits.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/process/proc_facts.h"

enum {
    LISTENER_DESCRIPTORS = 8, /* its own, and those of a request */
    OWN_THREADS = 2,
};

#define OWN_MEMORY ((unsigned long long)4 << 20) /* stacks and what libc adds to each */
#define UNLIMITED (~0ULL)

/* Return the soft limit in /proc/PID/limits (proc(5)): a name of fixed width, then the number. */
static unsigned long long soft_limit(pid_t pid, const char *name)
{
    unsigned long long value = UNLIMITED;
    char *text = process_file(pid, 0, "limits", NULL);
    const char *line = text ? strstr(text, name) : NULL;

    if (line && sscanf(line + strlen(name), " %llu", &value) != 1)
        value = UNLIMITED;
    free(text);
    return value;
}

/* Return the number of threads of all processes of the user, which RLIMIT_NPROC limits. */
static unsigned long long count_threads(long uid)
{
    unsigned long long count = 0;
    DIR *proc = opendir("/proc");

    for (struct dirent *entry; proc && (entry = readdir(proc));) {
        pid_t pid = (pid_t)atoi(entry->d_name);
        long threads = -1;

        if (pid > 0 && process_status_number(pid, 0, "Uid:") == uid)
            threads = process_status_number(pid, 0, "Threads:");
        count += threads > 0 ? (unsigned long long)threads : 0;
    }
    if (proc)
        closedir(proc);
    return count;
}

int limits_leave_room(pid_t pid, bool listens, struct refusal *why)
{
    unsigned long long files = soft_limit(pid, "Max open files"), memory, threads;
    long size, uid;

    if (files < (listens ? 1 : LISTENER_DESCRIPTORS))
        return refuse(why, HP_LIMIT, "process %d may open %llu files (RLIMIT_NOFILE)%s", (int)pid,
                      files, listens ? "" : ", and the listener needs some itself");
    if (listens)
        return 0;
    memory = soft_limit(pid, "Max address space");
    size = process_status_number(pid, 0, "VmSize:");
    if (memory != UNLIMITED && size > 0 && (unsigned long long)size * 1024 + OWN_MEMORY > memory)
        return refuse(why, HP_MEMORY,
                      "process %d has used up its address space of %llu kB (RLIMIT_AS)", (int)pid,
                      memory / 1024);
    threads = soft_limit(pid, "Max processes");
    uid = process_status_number(pid, 0, "Uid:");
    if (threads != UNLIMITED && uid > 0 && count_threads(uid) + OWN_THREADS > threads)
        return refuse(why, HP_LIMIT, "user %ld may have %llu threads (RLIMIT_NPROC of process %d)",
                      uid, threads, (int)pid);
    return 0;
}
