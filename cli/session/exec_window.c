/* exec_window.c - see exec_window.h. */
#include "cli/session/exec_window.h"

#include <fcntl.h>
#include <linux/kcmp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/exec_notice.h"
#include "base/proc_text.h"
#include "cli/output/clock.h"
#include "cli/process/shim_record.h"

static bool notice_put(const struct exec_announcement *to, size_t offset, const void *value,
                       size_t size)
{
    return pwrite(to->memory, value, size, (off_t)(to->record + offset)) == (ssize_t)size;
}

/* Read the record from the memory that the process has now. */
static bool read_again(const struct process *process, uint64_t record, struct exec_notice *now)
{
    int memory = shim_memory_open(process, O_RDONLY);
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
    if (!notice_put(announcement, offsetof(struct exec_notice, pid), &pid, sizeof(pid)) ||
        !notice_put(announcement, offsetof(struct exec_notice, ringing), &announcement->ringing, 1))
        return false;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    /* A process that has executed a program since its memory was opened has no such record. */
    return read_again(process, announcement->record, &now) &&
           memcmp(now.magic, EXEC_NOTICE_MAGIC, sizeof(now.magic)) == 0 && now.pid == pid &&
           now.ringing == announcement->ringing &&
           /* An exec in a child with the same memory may have left a count. */
           (now.executing == 0 || exec_window_asleep(process->pid));
}

static void announcement_end(struct exec_announcement *announcement)
{
    close(announcement->memory);
    announcement->memory = -1;
}

/* Return whether the process may be a child of vfork(2), which has its parent's memory until it executes a program. */
static bool shares_memory(pid_t pid)
{
    long parent = process_status_number(pid, 0, "PPid:");
    long compared = parent > 0 ? syscall(SYS_kcmp, pid, parent, KCMP_VM, 0, 0) : 1;

    return compared == 0 || (compared < 0 && !exec_window_asleep(pid));
}

enum exec_window exec_window_close(const struct process *process,
                                   struct exec_announcement *announcement)
{
    announcement->ringing = 0;
    announcement->memory = -1;
    if (shares_memory(process->pid))
        return EXEC_OPEN;
    announcement->memory = shim_memory_open(process, O_RDWR);
    if (announcement->memory < 0)
        return EXEC_UNKNOWN;
    announcement->record = shim_record_find(process, announcement->memory, EXEC_NOTICE_MAGIC);
    if (announcement->record == 0) {
        announcement_end(announcement);
        return EXEC_UNKNOWN;
    }
    /* Only a process that may open the memory can hold this lock, and the kernel releases it with a command that is
     * killed. */
    if (flock(announcement->memory, LOCK_EX | LOCK_NB) != 0) {
        announcement_end(announcement);
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
        announcement_end(announcement);
}

void exec_window_withdraw(struct exec_announcement *announcement)
{
    const uint8_t none = 0;

    if (announcement->memory < 0)
        return;
    notice_put(announcement, offsetof(struct exec_notice, ringing), &none, 1);
    announcement_end(announcement);
}

/* ---- asleep ---- */

static bool is_exec(long number)
{
    return number == SYS_execve || number == SYS_execveat;
}

/* Return nonzero where the thread may execute a program. The kernel shows the number of a call only while the
 * thread sleeps in it. */
static int is_awake(pid_t tid, void *context)
{
    pid_t pid = *(pid_t *)context;
    struct process_call call;
    char *stat;
    bool asleep;

    if (process_call(pid, tid, &call))
        return call.number < 0 || is_exec(call.number);
    stat = process_file(pid, tid, "stat", NULL);
    asleep = stat && *proc_stat_field(stat, PROC_STAT_STATE) == 'S';
    free(stat);
    return !asleep;
}

bool exec_window_asleep(pid_t pid)
{
    return process_threads(pid, is_awake, &pid) == 0;
}
