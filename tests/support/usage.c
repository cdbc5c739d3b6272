/* usage.c - see usage.h. */
#include "tests/support/usage.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int count_entries(const char *format, int pid, int tid)
{
    char path[96];
    int count = -2; /* . and .. */
    snprintf(path, sizeof(path), format, pid, tid);
    DIR *directory = opendir(path);
    if (!directory && errno == ENOENT)
        return 0; /* the thread has ended since its name was read */
    if (!directory)
        fail_msg("open %s: %s", path, strerror(errno));
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

/* Return the number of descriptors in the largest table of the threads called hotpatch. The worker has the host's
 * table. */
static int descriptors_now(int pid)
{
    char path[300], name[32];
    int most = 0;
    struct dirent *entry;
    snprintf(path, sizeof(path), "/proc/%d/task", pid);
    DIR *tasks = opendir(path);
    assert_non_null(tasks);
    while ((entry = readdir(tasks))) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "/proc/%d/task/%s/comm", pid, entry->d_name);
        FILE *file = fopen(path, "re");
        if (!file)
            continue;
        if (fgets(name, sizeof(name), file) && strcmp(name, "hotpatch\n") == 0) {
            int count = count_entries("/proc/%d/task/%d/fd", pid, atoi(entry->d_name));
            most = count > most ? count : most;
        }
        fclose(file);
    }
    closedir(tasks);
    return most;
}

/* Return the least of several counts: the listener may be about to close a reply. */
static int private_descriptors(int pid)
{
    int least = descriptors_now(pid);
    for (int i = 0; i < 50; i++) {
        struct timespec moment = {0, 2000000};
        nanosleep(&moment, NULL);
        int now = descriptors_now(pid);
        least = now < least ? now : least;
    }
    return least;
}

static void read_mappings(struct usage *usage, int pid)
{
    char path[64], line[PATH_MAX + 128];
    unsigned long inode = 0;
    snprintf(path, sizeof(path), "/proc/%d/smaps", pid);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file)) {
        unsigned long begin, end;
        long kb;
        if (sscanf(line, "%lx-%lx %*s %*s %*s %lu", &begin, &end, &inode) == 3)
            usage->mappings++;
        else if (sscanf(line, "Rss: %ld kB", &kb) == 1 && inode == 0)
            usage->anonymous_kb += kb;
    }
    fclose(file);
}

struct usage usage_of(struct host *host)
{
    struct usage usage = {0};
    usage.descriptors = count_entries("/proc/%d/fd", (int)host->pid, 0);
    usage.private_descriptors = private_descriptors((int)host->pid);
    usage.threads = count_entries("/proc/%d/task", (int)host->pid, 0);
    read_mappings(&usage, (int)host->pid);
    return usage;
}

void usage_assert_same(const struct usage *before, const struct usage *after)
{
    print_message("+%d mappings, +%ld kB of heap; descriptors %d and %d\n",
                  after->mappings - before->mappings, after->anonymous_kb - before->anonymous_kb,
                  after->descriptors, after->private_descriptors);
    assert_int_equal(after->descriptors, before->descriptors);
    assert_int_equal(after->descriptors, 3);
    assert_int_equal(after->private_descriptors, before->private_descriptors);
    assert_int_equal(after->threads, before->threads);
    if (sanitized())
        return;
    assert_true(after->mappings - before->mappings <= 4);
    assert_true(after->anonymous_kb - before->anonymous_kb <= 256);
}
