/*
 * sandbox.c - a test host that gives up privileges, and becomes a daemon if its command line asks for it.
 */
#include <hotpatch.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "loop.h"

HOTPATCH_FUNCTION(int, answer, (void))
{
    return 1;
}

/* The privileges that patches/rights.c saw in its constructor. */
HOTPATCH_FUNCTION(const char *, patch_rights, (void))
{
    return "none";
}

static int drop_capabilities(void)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{0, 0, 0}, {0, 0, 0}};

    return (int)syscall(SYS_capset, &header, data);
}

static int drop_bounding_set(void)
{
    int failed = 0;

    for (unsigned long i = 0; prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++)
        failed |= prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
    return failed;
}

/* Refuse ptrace(2), which this program does not call. The function has an entry: it is not inlined. */
__attribute__((noinline)) static int filter(unsigned flags)
{
    struct sock_filter code[] = {
        {BPF_LD | BPF_W | BPF_ABS, 0, 0, 0},
        {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYS_ptrace},
        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EPERM},
        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
    };
    struct sock_fprog program = {4, code};

    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

static int become(int uid)
{
    return setgroups(0, NULL) | setgid((gid_t)uid) | setuid((uid_t)uid);
}

/* Change the uid of only this thread, as programs do that bypass libc. */
static int become_by_syscall(int uid)
{
    return (int)(syscall(SYS_setgroups, 0, NULL) | syscall(SYS_setgid, uid) |
                 syscall(SYS_setuid, uid));
}

/* Change the uid with capabilities kept, and then the gid, as setpriv(1) and other programs do. */
static int become_keeping_capabilities(int uid)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    gid_t gid = (gid_t)uid;

    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0 || setuid((uid_t)uid) != 0 ||
        syscall(SYS_capget, &header, data) != 0)
        return -1;
    data[0].effective = data[0].permitted;
    data[1].effective = data[1].permitted;
    if (syscall(SYS_capset, &header, data) != 0 || setgroups(0, NULL) != 0 ||
        setresgid(gid, gid, gid) != 0)
        return -1;
    return drop_capabilities();
}

static int enter(const char *root)
{
    return chroot(root) | chdir("/");
}

static int enter_by_syscall(const char *root)
{
    return (int)(syscall(SYS_chroot, root) | syscall(SYS_chdir, "/"));
}

/* Replace the file of the log's descriptor, and of 0 and 1. */
static int replace_standard_files(const char *path)
{
    int to = dup(1), from = dup(0), file;

    close(0);
    close(1);
    close(2);
    file = open(path, O_RDWR | O_CREAT | O_APPEND, 0600);
    if (file != 0 || dup(0) != 1 || dup(0) != 2)
        return 1;
    stdin = fdopen(from, "r");
    stdout = fdopen(to, "w");
    return stdin && stdout ? 0 : 1;
}

static void command(const char *word, char *rest)
{
    int failed = 0;

    if (strcmp(word, "answer") == 0 || strcmp(word, "pointer") == 0) {
        say("%d", answer());
        return;
    }
    if (strcmp(word, "greeting") == 0) {
        say("hello");
        return;
    }
    if (strcmp(word, "patch-rights") == 0) {
        say("%s", patch_rights());
        return;
    }
    errno = 0;
    if (strcmp(word, "drop-capabilities") == 0)
        failed = drop_capabilities();
    else if (strcmp(word, "drop-bounding-set") == 0)
        failed = drop_bounding_set();
    else if (strcmp(word, "no-new-privs") == 0)
        failed = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    else if (strcmp(word, "filter-this-thread") == 0)
        failed = filter(0);
    else if (strcmp(word, "filter-all-threads") == 0)
        failed = filter(SECCOMP_FILTER_FLAG_TSYNC);
    else if (strcmp(word, "setuid") == 0)
        failed = become(atoi(rest));
    else if (strcmp(word, "setuid-by-syscall") == 0)
        failed = become_by_syscall(atoi(rest));
    else if (strcmp(word, "setuid-keeping-capabilities") == 0)
        failed = become_keeping_capabilities(atoi(rest));
    else if (strcmp(word, "chroot") == 0)
        failed = enter(rest);
    else if (strcmp(word, "chroot-by-syscall") == 0)
        failed = enter_by_syscall(rest);
    else if (strcmp(word, "replace-standard-files") == 0)
        failed = replace_standard_files(rest);
    else
        failed = 1;
    say("%s", failed ? strerror(errno) : "done");
}

/* Become a daemon as in daemon(7): write the pid to `path`, close all descriptors, and wait for the end. */
static int daemonize(const char *path)
{
    FILE *file;

    if (fork() > 0)
        return 0;
    setsid();
    if (fork() > 0)
        _exit(0);
    file = fopen(path, "w");
    if (!file)
        _exit(1);
    fprintf(file, "%d", (int)getpid());
    fclose(file);
    for (int fd = 0; fd < 1024; fd++)
        close(fd);
    /* The daemon ends even if the test fails. */
    alarm(120);
    for (;;)
        pause();
}

int main(int argc, char **argv)
{
    return argc > 1 ? daemonize(argv[1]) : loop();
}
