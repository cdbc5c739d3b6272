/*
 * single.c - a test host that continues only if it has one thread, as sandboxes check before they make namespaces.
 *
 *   single HOW   HOW: list         counts the entries of /proc/self/task
 *                     links        reads the link count of that directory: 2, plus 1 for each thread
 *                     status       reads Threads: in /proc/self/status
 *                     child-links  like links, in a child of fork(2)
 *                     zone         like links; then unshare(2) makes a user namespace
 *
 * Exit status 0: one thread. 3: more. 4: unshare(2) failed.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "threads.h"

static int by_links(void)
{
    struct stat st;

    return stat("/proc/self/task", &st) == 0 ? (int)st.st_nlink - 2 : 0;
}

static int by_status(void)
{
    FILE *file = fopen("/proc/self/status", "re");
    char line[256];
    int count = 0;

    while (file && fgets(line, sizeof(line), file))
        if (sscanf(line, "Threads: %d", &count) == 1)
            break;
    if (file)
        fclose(file);
    return count;
}

static int check(const char *how)
{
    int count = strcmp(how, "list") == 0     ? threads()
                : strcmp(how, "status") == 0 ? by_status()
                                             : by_links();

    return count == 1 ? 0 : 3;
}

static int check_in_child(const char *how)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0)
        _exit(check(how));
    return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int main(int argc, char **argv)
{
    const char *how = argc > 1 ? argv[1] : "list";

    if (strcmp(how, "child-links") == 0)
        return check_in_child(how);
    if (check(how) != 0)
        return 3;
    return strcmp(how, "zone") == 0 && unshare(CLONE_NEWUSER) != 0 ? 4 : 0;
}
