/* exec_window.c - see exec_window.h. */
#include "exec_window.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/exec_notice.h"
#include "output.h"
#include "talk.h"

#define SHIM_NAME "/libhotpatch_preload.so"
#define SEGMENT_MAX (1ul << 20) /* of the shim's writable data, also with a sanitizer */

static int open_memory(pid_t pid)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/mem", pid);
    return open(path, O_RDWR | O_CLOEXEC);
}

static bool put(const struct exec_announcement *to, size_t offset, const void *value, size_t size)
{
    return pwrite(to->memory, value, size, (off_t)(to->record + offset)) == (ssize_t)size;
}

/* The address of the record in [begin, end); 0: it has none. */
static uint64_t find_in(int memory, uint64_t begin, uint64_t end)
{
    size_t size = end - begin < SEGMENT_MAX ? end - begin : SEGMENT_MAX;
    char *bytes = allocate(size);
    ssize_t got = pread(memory, bytes, size, (off_t)begin);
    uint64_t found = 0;

    for (ssize_t at = 0; !found && at + (ssize_t)sizeof(struct exec_notice) <= got; at += 16)
        if (memcmp(bytes + at, EXEC_NOTICE_MAGIC, sizeof(EXEC_NOTICE_MAGIC)) == 0)
            found = begin + (uint64_t)at;
    free(bytes);
    return found;
}

static bool is_shims_data(const char *line)
{
    const char *end = strchr(line, '\n'), *name = strstr(line, SHIM_NAME);
    const char *rights = strchr(line, ' ');

    return name && (!end || name < end) && rights && strncmp(rights, " rw-p", 5) == 0;
}

static uint64_t find_record(pid_t pid, int memory)
{
    char path[64], *maps;
    uint64_t found = 0;

    snprintf(path, sizeof(path), "/proc/%d/maps", pid);
    maps = read_small_file(path, NULL);
    for (char *line = maps; line && *line && !found;
         line = strchr(line, '\n'), line += line != NULL) {
        char *dash;
        uint64_t begin = strtoull(line, &dash, 16);

        if (is_shims_data(line) && *dash == '-')
            found = find_in(memory, begin, strtoull(dash + 1, NULL, 16));
    }
    free(maps);
    return found;
}

/* In the memory that the process has now: by a look at /proc that begins after the announcement. */
static bool read_again(pid_t pid, uint64_t record, struct exec_notice *now)
{
    int memory = open_memory(pid);
    bool read = memory >= 0 && pread(memory, now, sizeof(*now), (off_t)record) == sizeof(*now);

    if (memory >= 0)
        close(memory);
    return read;
}

static bool announce(const struct process *process, struct exec_announcement *announcement)
{
    const uint32_t pid = (uint32_t)process->inner_pid;
    struct exec_notice before, now;

    if (pread(announcement->memory, &before, sizeof(before), (off_t)announcement->record) !=
        sizeof(before))
        return false;
    announcement->ringing = (uint8_t)(before.ringing % 255 + 1);
    if (!put(announcement, offsetof(struct exec_notice, pid), &pid, sizeof(pid)) ||
        !put(announcement, offsetof(struct exec_notice, ringing), &announcement->ringing, 1))
        return false;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    /* A process that has executed a program since its memory was opened has no such record. */
    return read_again(process->pid, announcement->record, &now) &&
           memcmp(now.magic, EXEC_NOTICE_MAGIC, sizeof(now.magic)) == 0 && now.pid == pid &&
           now.ringing == announcement->ringing &&
           /* A count that an exec in a child with the same memory has left behind. */
           (now.executing == 0 || exec_window_asleep(process->pid));
}

static void forget(struct exec_announcement *announcement)
{
    close(announcement->memory);
    announcement->memory = -1;
}

/* Children of vfork(2) have their parent's memory until they execute a program. */
static bool shares_memory(pid_t pid)
{
    long parent = process_status_number(pid, 0, "PPid:");
    long order = parent > 0 ? syscall(SYS_kcmp, pid, parent, KCMP_VM, 0, 0) : 1;

    return order == 0 || (order < 0 && !exec_window_asleep(pid));
}

enum exec_window exec_window_close(const struct process *process,
                                   struct exec_announcement *announcement)
{
    announcement->ringing = 0;
    announcement->memory = -1;
    if (shares_memory(process->pid))
        return EXEC_OPEN;
    announcement->memory = open_memory(process->pid);
    if (announcement->memory < 0)
        return EXEC_UNKNOWN;
    announcement->record = find_record(process->pid, announcement->memory);
    if (announcement->record == 0) {
        forget(announcement);
        return EXEC_UNKNOWN;
    }
    /* Only who may open the memory can keep this lock, and it goes with a command that is killed. */
    if (flock(announcement->memory, LOCK_EX | LOCK_NB) != 0) {
        forget(announcement);
        return EXEC_OPEN;
    }
    announcement->since = now_ms();
    if (announce(process, announcement))
        return EXEC_CLOSED;
    exec_window_withdraw(announcement);
    return EXEC_OPEN;
}

bool exec_window_holds(const struct exec_announcement *announcement)
{
    return announcement->memory < 0 || now_ms() - announcement->since < EXEC_NOTICE_MS / 2;
}

void exec_window_sent(struct exec_announcement *announcement)
{
    if (announcement->memory >= 0)
        forget(announcement);
}

void exec_window_withdraw(struct exec_announcement *announcement)
{
    const uint8_t none = 0;

    if (announcement->memory < 0)
        return;
    put(announcement, offsetof(struct exec_notice, ringing), &none, 1);
    forget(announcement);
}

/* ---- asleep ---- */

static bool is_exec(long number)
{
    return number == SYS_execve || number == SYS_execveat;
}

/* proc(5): "running", or the number of the call in which the thread sleeps; the kernel looks while it does. */
static bool thread_asleep(pid_t pid, pid_t tid)
{
    char path[64], *text, *end;
    bool asleep;

    snprintf(path, sizeof(path), "/proc/%d/task/%d/syscall", pid, tid);
    text = read_small_file(path, NULL);
    if (text) {
        long number = strtol(text, &end, 10);

        asleep = end != text && number >= 0 && !is_exec(number);
    } else {
        snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, tid);
        text = read_small_file(path, NULL);
        end = text ? strrchr(text, ')') : NULL;
        asleep = end && strncmp(end, ") S", 3) == 0;
    }
    free(text);
    return asleep;
}

bool exec_window_asleep(pid_t pid)
{
    char path[64];
    DIR *tasks;
    struct dirent *entry;
    bool asleep;

    snprintf(path, sizeof(path), "/proc/%d/task", pid);
    tasks = opendir(path);
    asleep = tasks != NULL;
    while (tasks && asleep && (entry = readdir(tasks))) {
        pid_t tid = (pid_t)atoi(entry->d_name);

        if (tid > 0)
            asleep = thread_asleep(pid, tid);
    }
    if (tasks)
        closedir(tasks);
    return asleep;
}
