/* rights.c - see rights.h. Runs on the listener. The worker runs only the function that drops the worker's own
 * rights. */
#include "preload/rights.h"

#include <dirent.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/clock.h"
#include "base/proc_text.h"
#include "base/state.h"
#include "base/sys.h"
#include "preload/jail.h"
#include "preload/thread_role.h"
#include "preload/worker.h"

#define RIGHTS_GROUPS_MAX 2048 /* bytes of the Groups: line */
#define STATUS_SIZE 8192
#define GROUPS_MAX 256
#define FOLLOW_LIMIT_MS 2000

struct rights {
    uint64_t effective, permitted, inheritable, bounding, ambient;
    uint64_t uid[3], gid[3]; /* real, effective, saved */
    uint64_t no_new_privs, seccomp, filters;
    pid_t tid;  /* of the thread, in its own pid namespace; 0 before Linux 4.1 */
    char state; /* 'Z': the thread has ended */
    char groups[RIGHTS_GROUPS_MAX];
};

static int proc_fd STATE = -1;
static int main_status STATE =
    -1; /* /proc file of the main thread, kept open: the program may be unable to open more */

/* The host's rights at the last rights_follow(). While they do not change, no right is dropped. */
static struct rights followed;
static bool followed_valid STATE;

void rights_start(int proc)
{
    proc_fd = proc;
    followed_valid = false;
    main_status = sys_openat(proc, "self/status", O_RDONLY | O_CLOEXEC, 0);
}

static bool numbers(const char *text, const char *key, int base, uint64_t *values, int count)
{
    const char *p = proc_field(text, key);

    for (int i = 0; i < count; i++) {
        char *end;

        values[i] = strtoull(p, &end, base);
        if (end == p)
            return false;
        p = end;
    }
    return true;
}

/* Parse the text of /proc/PID/task/TID/status. Return false where it is cut off or has too many groups. */
static bool parse_status(const char *text, struct rights *rights)
{
    const char *state = proc_field(text, "State:");
    const char *groups = proc_field(text, "Groups:");
    size_t length = strcspn(groups, "\n");

    memset(rights, 0, sizeof(*rights));
    if (!*state || !*groups || length >= sizeof(rights->groups))
        return false;
    memcpy(rights->groups, groups, length);
    rights->state = *state;
    rights->tid = proc_innermost(proc_field(text, "NSpid:"));
    numbers(text, "Seccomp_filters:", 10, &rights->filters, 1); /* Linux 5.9 */
    numbers(text, "CapAmb:", 16, &rights->ambient, 1);
    numbers(text, "Seccomp:", 10, &rights->seccomp, 1); /* absent without CONFIG_SECCOMP */
    return numbers(text, "Uid:", 10, rights->uid, 3) && numbers(text, "Gid:", 10, rights->gid, 3) &&
           numbers(text, "CapInh:", 16, &rights->inheritable, 1) &&
           numbers(text, "CapPrm:", 16, &rights->permitted, 1) &&
           numbers(text, "CapEff:", 16, &rights->effective, 1) &&
           numbers(text, "CapBnd:", 16, &rights->bounding, 1) &&
           numbers(text, "NoNewPrivs:", 10, &rights->no_new_privs, 1);
}

static bool subset(uint64_t of, uint64_t whole)
{
    return (of & ~whole) == 0;
}

static bool same_user(const struct rights *a, const struct rights *b)
{
    return memcmp(a->uid, b->uid, sizeof(a->uid)) == 0 &&
           memcmp(a->gid, b->gid, sizeof(a->gid)) == 0 && strcmp(a->groups, b->groups) == 0;
}

/* Return whether a thread with `own` can do nothing that a thread with `host` cannot. */
static bool is_within(const struct rights *own, const struct rights *host)
{
    return same_user(own, host) && subset(own->effective, host->effective) &&
           subset(own->permitted, host->permitted) && subset(own->inheritable, host->inheritable) &&
           subset(own->bounding, host->bounding) && subset(own->ambient, host->ambient) &&
           own->no_new_privs >= host->no_new_privs && own->seccomp >= host->seccomp &&
           own->filters >= host->filters;
}

static char status_text[STATUS_SIZE]; /* listener only */

/* The whole file from its beginning, proc(5). */
static bool read_kept_status(int fd)
{
    size_t length = 0;
    ssize_t got;

    while ((got = sys_pread(fd, status_text + length, sizeof(status_text) - 1 - length,
                            (off_t)length)) > 0)
        length += (size_t)got;
    status_text[length] = '\0';
    return got == 0;
}

static bool read_status_text(int fd, struct rights *rights)
{
    return read_kept_status(fd) && parse_status(status_text, rights);
}

bool rights_main_takes(int signal)
{
    uint64_t blocked;
    char state;

    if (main_status < 0 || !read_kept_status(main_status) ||
        !numbers(status_text, "SigBlk:", 16, &blocked, 1))
        return false;
    state = *proc_field(status_text, "State:");
    return state && state != 'Z' && !(blocked & SYS_SIGBIT(signal));
}

/*
 * Read a file of /proc/self, which is this process in each /proc that shows it. In a /proc of an outer pid namespace,
 * another process may have this process's number. The same is true of thread numbers.
 */
static bool read_task_file(const char *path, struct rights *rights)
{
    char outside[96];
    int fd = sys_openat(proc_fd, path, O_RDONLY | O_CLOEXEC, 0);
    bool read;

    if (fd < 0) {
        snprintf(outside, sizeof(outside), "/proc/%s", path);
        fd = outside_open(outside, O_RDONLY | O_CLOEXEC);
    }
    if (fd < 0)
        return false;
    read = read_status_text(fd, rights);
    sys_close(fd);
    return read;
}

static bool read_task(pid_t entry, struct rights *rights)
{
    char path[64];

    snprintf(path, sizeof(path), "self/task/%d/status", (int)entry);
    return read_task_file(path, rights);
}

/* Read the rights of threads until `wanted` is true of a thread. Return 1: found; 0: not found; -1: /proc cannot be
 * read. */
static int find_thread(bool (*wanted)(const struct rights *rights, pid_t tid), pid_t tid,
                       struct rights *rights)
{
    _Alignas(8) char buffer[4096];
    int found = 0, fd = sys_openat(proc_fd, "self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    ssize_t got;

    if (fd < 0)
        fd = outside_open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    while (found == 0 && (got = sys_list(fd, buffer, sizeof(buffer))) > 0) {
        for (ssize_t at = 0; at < got && found == 0;) {
            const struct dirent64 *entry = (const struct dirent64 *)(void *)(buffer + at);
            pid_t number = (pid_t)strtol(entry->d_name, NULL, 10);

            if (number > 0 && read_task(number, rights)) {
                if (rights->tid == 0)
                    rights->tid = number;
                found = wanted(rights, tid);
            }
            at += entry->d_reclen;
        }
    }
    sys_close(fd);
    return found;
}

static bool is_thread(const struct rights *rights, pid_t tid)
{
    return rights->tid == tid;
}

static bool read_rights(pid_t tid, struct rights *rights)
{
    if (tid == sys_getpid() && main_status >= 0 && read_status_text(main_status, rights))
        return true;
    return (read_task(tid, rights) && (rights->tid == tid || rights->tid == 0)) ||
           find_thread(is_thread, tid, rights) == 1;
}

static bool is_host(const struct rights *rights, pid_t unused)
{
    (void)unused;
    return !thread_role_owned(rights->tid) && rights->state != 'Z' && rights->state != 'X';
}

pid_t rights_live_thread(void)
{
    static struct rights rights; /* listener only */
    int found = find_thread(is_host, 0, &rights);

    return found == 1 ? rights.tid : found;
}

bool rights_beyond_user(uid_t uid)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{0}};

    return uid != 0 && sys_call3(SYS_capget, (long)&header, (long)data, 0) == 0 &&
           (data[0].effective | data[1].effective) != 0;
}

static void follow_user(const struct rights *own, const struct rights *host)
{
    gid_t groups[GROUPS_MAX];
    size_t count = 0;
    const char *p = host->groups;

    if (same_user(own, host))
        return;
    for (char *end; count < GROUPS_MAX; p = end) {
        groups[count] = (gid_t)strtoul(p, &end, 10);
        if (end == p)
            break;
        count++;
    }
    /* Raw system calls, because glibc's functions would change the host's threads as well. */
    sys_call3(SYS_setgroups, (long)count, (long)groups, 0);
    sys_call3(SYS_setresgid, (long)host->gid[0], (long)host->gid[1], (long)host->gid[2]);
    sys_prctl(PR_SET_KEEPCAPS, 1, 0, 0);
    sys_call3(SYS_setresuid, (long)host->uid[0], (long)host->uid[1], (long)host->uid[2]);
    sys_prctl(PR_SET_KEEPCAPS, 0, 0, 0);
}

static void drop_capabilities(const struct rights *own, const struct rights *host)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    uint64_t permitted = own->permitted & host->permitted;
    uint64_t effective = host->effective & permitted;
    uint64_t inheritable = own->inheritable & host->inheritable;

    for (int i = 0; i < 2; i++) {
        data[i].permitted = (uint32_t)(permitted >> (32 * i));
        data[i].effective = (uint32_t)(effective >> (32 * i));
        data[i].inheritable = (uint32_t)(inheritable >> (32 * i));
    }
    sys_call3(SYS_capset, (long)&header, (long)data, 0);
}

/* Drop rights, on the thread whose rights they are. A failed call is seen when the rights are read again. */
static void drop_to(const struct rights *own, const struct rights *host)
{
    for (int i = 0; i < 64; i++) {
        if (own->bounding & ~host->bounding & (UINT64_C(1) << i))
            sys_prctl(PR_CAPBSET_DROP, (unsigned long)i, 0, 0);
        if (own->ambient & ~host->ambient & (UINT64_C(1) << i))
            sys_prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, (unsigned long)i, 0);
    }
    follow_user(own, host);
    drop_capabilities(own, host);
    if (host->no_new_privs)
        sys_prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0);
}

struct follow_data {
    struct rights own, host;
};

static void follow_here(void *data_)
{
    const struct follow_data *data = data_;

    drop_to(&data->own, &data->host);
}

static int follow_on_worker(const struct rights *own, const struct rights *host)
{
    struct follow_data data = {*own, *host};

    return worker_call(follow_here, &data, sizeof(data), "drop of rights",
                       clock_ms() + FOLLOW_LIMIT_MS);
}

static int sandboxed(struct refusal *why, const struct rights *own, const struct rights *host)
{
    if (own->seccomp < host->seccomp || own->filters < host->filters)
        return refuse(
            why, HP_SANDBOX,
            "the program is under a seccomp filter that the patching thread is not under");
    if (!same_user(own, host))
        return refuse(why, HP_SANDBOX,
                      "the program runs as user %u, which the patching thread cannot become",
                      (unsigned)host->uid[1]);
    return refuse(why, HP_SANDBOX,
                  "the program has capabilities %llx, and the patching thread cannot drop its %llx",
                  (unsigned long long)host->permitted, (unsigned long long)own->permitted);
}

int rights_follow(struct refusal *why)
{
    static struct rights host, own; /* listener only */
    pid_t pid = sys_getpid();
    pid_t tids[2] = {sys_gettid(), thread_role_worker()};

    if (!read_rights(pid, &host) || host.state == 'Z' || host.state == 'X') {
        pid_t live = rights_live_thread();

        if (live <= 0 || !read_rights(live, &host))
            return refuse(why, HP_SANDBOX,
                          "the program's rights cannot be read from /proc/%d/status", (int)pid);
    }
    host.state = 'R';
    host.tid = 0;
    if (followed_valid && memcmp(&host, &followed, sizeof(host)) == 0)
        return 0;
    followed_valid = false;
    for (int i = 0; i < 2; i++) {
        if (tids[i] == 0 || !read_rights(tids[i], &own))
            continue;
        if (is_within(&own, &host) && own.effective == (host.effective & own.permitted))
            continue;
        if (i == 0)
            drop_to(&own, &host);
        else if (follow_on_worker(&own, &host) != 0)
            return refuse(why, HP_BUSY, "the patching thread is busy and has rights to drop");
        if (!read_rights(tids[i], &own) || !is_within(&own, &host))
            return sandboxed(why, &own, &host);
    }
    followed = host;
    followed_valid = tids[1] != 0;
    return 0;
}
