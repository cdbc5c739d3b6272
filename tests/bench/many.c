/*
 * many.c - 1,000 and 4,000 injected processes, engines cold, patched by one command.
 *
 * They end with this process, however it ends. The processes run a copy of `idle` under a name of its own, so that no one else's are met.
 */
#include <signal.h>

#include "bench.h"

enum { MOST = 4000 };

static char name[32]; /* at most 15 characters: comm, proc(5) */

static const char *copy_program(void)
{
    static char bytes[1 << 20];
    const char *to;
    int in = open(built("bench/idle"), O_RDONLY | O_CLOEXEC), out;
    ssize_t got = in < 0 ? -1 : read(in, bytes, sizeof(bytes));

    snprintf(name, sizeof(name), "many%d", (int)getpid());
    to = strdup(in_directory("%s", name));
    out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
    if (got <= 0 || out < 0 || write(out, bytes, (size_t)got) != got)
        give_up(to);
    close(in);
    close(out);
    return to;
}

/* Seconds that `hotpatch load @NAME PATCH` took; its summary goes to a file. */
static double load_all(const char *patch)
{
    char target[40];
    char *argv[] = {(char *)"hotpatch", (char *)"load", target, (char *)patch, NULL};
    posix_spawn_file_actions_t actions;
    double begun;
    int status;
    pid_t pid;

    snprintf(target, sizeof(target), "@%s", name);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, in_directory("summary"),
                                     O_WRONLY | O_CREAT | O_TRUNC, 0600);
    begun = now_us();
    errno = posix_spawn(&pid, built("hotpatch"), &actions, NULL, argv, environ);
    if (errno != 0 || waitpid(pid, &status, 0) < 0)
        give_up("hotpatch load");
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fprintf(stderr, "many: hotpatch load @%s: exit status %d\n", name, WEXITSTATUS(status));
        exit(1);
    }
    return (now_us() - begun) / 1e6;
}

static void patch_many(const char *program, int count, double budget, const char *beside)
{
    char *argv[] = {name, NULL}, what[64];
    char **environment = environment_with(built("libhotpatch_preload.so"), NULL);
    static pid_t pids[MOST];
    double begun = now_us(), starting, cold, warm;

    for (int i = 0; i < count; i++)
        pids[i] = start_program(program, argv, environment);
    for (int i = 0; i < count; i++)
        close(open_fifo(pids[i]));
    starting = (now_us() - begun) / 1e6;
    cold = load_all(built("bench/libanswer1.so"));
    warm = load_all(built("bench/libanswer2.so"));
    snprintf(what, sizeof(what), "%d processes, one patch, one command, cold", count);
    row(what, cold, "s", budget, "%.2f ms a process; engines warm %.2f s; %s; %.1f s to start them",
        cold * 1000 / count, warm, beside, starting);
    for (int i = 0; i < count; i++)
        kill(pids[i], SIGKILL);
    for (int i = 0; i < count; i++)
        end_program(pids[i]);
}

int main(void)
{
    const char *program = copy_program();

    patch_many(program, 1000, 1, "libpulp 1.1 s, warm");
    patch_many(program, MOST, 4, "libpulp 4.3 s, warm");
    unlink(program);
    return 0;
}
