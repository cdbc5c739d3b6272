/*
 * jailed.c - a test host whose children change their root directory, as daemons' workers do. The child made by `fork`
 * answers.
 */
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loop.h"

static volatile int one = 1; /* clang would not pass a constant */

/* A function whose entry has room for a jump, and no declared slot. */
__attribute__((noinline)) static int answer(int x)
{
    volatile int y = x;

    return y;
}

static int become_nobody(int keep)
{
    return (keep ? prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) : 0) | setgroups(0, NULL) |
           setresgid(65534, 65534, 65534) | setresuid(65534, 65534, 65534);
}

static int drop_capabilities(void)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{0, 0, 0}, {0, 0, 0}};

    return (int)syscall(SYS_capset, &header, data);
}

static int limit_descriptors(rlim_t count)
{
    return setrlimit(RLIMIT_NOFILE, &(struct rlimit){count, count});
}

/* Let the parent end as its child ends. */
static void become_child(void)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        say("pid %d", (int)getpid());
        return;
    }
    if (child > 0)
        waitpid(child, &status, 0);
    _exit(0);
}

static void command(const char *word, char *rest)
{
    int failed = 1;

    if (strcmp(word, "answer") == 0) {
        say("%d", answer(one));
        return;
    }
    if (strcmp(word, "fork") == 0) {
        become_child();
        return;
    }
    errno = 0;
    if (strcmp(word, "chroot") == 0)
        failed = chdir(rest) | chroot(".");
    else if (strcmp(word, "nobody") == 0)
        failed = become_nobody(0);
    else if (strcmp(word, "nobody-with-capabilities") == 0)
        failed = become_nobody(1);
    else if (strcmp(word, "drop-capabilities") == 0)
        failed = drop_capabilities();
    else if (strcmp(word, "limit-descriptors") == 0)
        failed = limit_descriptors((rlim_t)atoi(rest));
    say("%s", failed ? strerror(errno) : "done");
}

int main(void)
{
    return loop();
}
