/*
 * slots.c - what a list of all that can be patched costs the program that is listed: processor time of the
 * library's threads, and memory that stays.
 *
 * node is large: 86,000 functions, 180,000 symbols. Where it is not installed the generated program of 10,000
 * functions stands alone.
 */
#include <dirent.h>

#include "bench.h"

enum { ROUNDS = 5 };

/* Milliseconds that the threads named "hotpatch" have run. */
static double run_time(pid_t pid)
{
    char path[64], name[128], comm[32];
    DIR *tasks;
    double sum = 0;

    snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    tasks = opendir(path);
    for (struct dirent *task; tasks && (task = readdir(tasks));) {
        unsigned long long ns = 0;
        FILE *file;

        snprintf(name, sizeof(name), "%s/%.20s/comm", path, task->d_name);
        file = fopen(name, "r");
        if (!file)
            continue;
        if (!fgets(comm, sizeof(comm), file))
            comm[0] = '\0';
        fclose(file);
        if (strcmp(comm, "hotpatch\n") != 0)
            continue;
        snprintf(name, sizeof(name), "%s/%.20s/schedstat", path, task->d_name);
        file = fopen(name, "r");
        if (file && fscanf(file, "%llu", &ns) == 1)
            sum += (double)ns / 1e6;
        if (file)
            fclose(file);
    }
    if (tasks)
        closedir(tasks);
    return sum;
}

static double private_kb(pid_t pid)
{
    char path[64], line[256];
    double sum = 0, kb;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
    file = fopen(path, "r");
    while (file && fgets(line, sizeof(line), file))
        if (sscanf(line, "Private_Dirty: %lf", &kb) == 1)
            sum += kb;
    if (file)
        fclose(file);
    return sum;
}

static void list(pid_t pid)
{
    char target[16];
    char *argv[] = {(char *)"hotpatch", (char *)"slots", (char *)"--timeout=600000", target, NULL};
    posix_spawn_file_actions_t actions;
    pid_t command;
    int status;

    snprintf(target, sizeof(target), "%d", (int)pid);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    errno = posix_spawn(&command, built("hotpatch"), &actions, NULL, argv, environ);
    if (errno != 0 || waitpid(command, &status, 0) < 0)
        give_up("hotpatch slots");
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fprintf(stderr, "slots: hotpatch slots: status %d\n", status);
        exit(1);
    }
}

static void measure(const char *name, const char *program, char *const argv[], double budget)
{
    pid_t pid =
        start_program(program, argv, environment_with(built("libhotpatch_preload.so"), NULL));
    struct samples again = {0};
    double first, memory;
    char what[64];

    close(open_fifo(pid));
    memory = private_kb(pid);
    list(pid);
    first = run_time(pid);
    for (int i = 0; i < ROUNDS; i++) {
        double before = run_time(pid);

        list(pid);
        sample(&again, run_time(pid) - before);
    }
    snprintf(what, sizeof(what), "slots of %s, the program's processor time", name);
    row(what, first, "ms", budget, "the first list, engine cold; the next ones %.1f ms",
        median(&again));
    snprintf(what, sizeof(what), "slots of %s, private memory that stays", name);
    row(what, private_kb(pid) - memory, "kB", NO_BUDGET, "after %d lists, the engine in it",
        ROUNDS + 1);
    end_program(pid);
}

int main(void)
{
    static const char node[] = "/usr/bin/node";
    char *node_argv[] = {(char *)"node", (char *)"-e", (char *)"setInterval(() => {}, 1e6)", NULL};
    char *bulk_argv[] = {(char *)"bulk-host", NULL};

    measure("10,000 functions", built("bench/bulk-host"), bulk_argv, NO_BUDGET);
    if (access(node, X_OK) == 0)
        measure("node", node, node_argv, 300);
    return 0;
}
