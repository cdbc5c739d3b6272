/*
 * loops.c - what an idle shim costs programs that others wrote, in a loop of what they do most: forks and
 * reads of a shell, xxd's getc and putc, hexdump's fread and printf. Each runs with an empty preloaded library,
 * with it again, and with the shim, in turn; what the first two differ by is noise.
 */
#include "bench.h"

enum { EMPTY, AGAIN, SHIM, VARIANTS };
enum { ROUNDS = 15 };

static double run_once(char *const argv[], char *const environment[])
{
    posix_spawn_file_actions_t actions;
    double begun = now_us();
    int status;
    pid_t pid;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    errno = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environment);
    posix_spawn_file_actions_destroy(&actions);
    if (errno != 0)
        give_up(argv[0]);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (status != 0)
        give_up(argv[0]);
    return now_us() - begun;
}

static void compare(const char *what, const char *program, const char *first, const char *second)
{
    char *argv[] = {(char *)program, (char *)first, (char *)second, NULL};
    char **environment[VARIANTS] = {
        [EMPTY] = environment_with(built("bench/libempty.so"), NULL),
        [AGAIN] = environment_with(built("bench/libempty.so"), NULL),
        [SHIM] = environment_with(built("libhotpatch_preload.so"), NULL),
    };
    struct samples times[VARIANTS] = {{0}};
    double empty, again, shim;

    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < VARIANTS; i++)
            sample(&times[i], run_once(argv, environment[i]));
    empty = median(&times[EMPTY]);
    again = median(&times[AGAIN]);
    shim = median(&times[SHIM]);
    row(what, shim / empty, "times", as_without(empty, again),
        "%.1f ms against %.1f ms with an empty library, and %.1f ms again; fastest tenth %.3f "
        "times",
        shim / 1000, empty / 1000, again / 1000,
        quantile(&times[SHIM], 0.1) / quantile(&times[EMPTY], 0.1));
}

static const char *make_input(void)
{
    const char *path = in_directory("input");
    static char bytes[1 << 20];
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)(i * 2654435761u >> 24);
    if (fd < 0 || write(fd, bytes, sizeof(bytes)) != (ssize_t)sizeof(bytes))
        give_up(path);
    close(fd);
    return strdup(path);
}

int main(void)
{
    const char *input = make_input();

    compare("500 subshells of sh", "sh", "-c",
            "i=0; while [ $i -lt 500 ]; do (exit 0); i=$((i + 1)); done");
    compare("20,000 turns of a loop in sh", "sh", "-c",
            "i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); echo $i; done");
    compare("xxd of 1 MB", "xxd", input, NULL);
    compare("hexdump of 1 MB", "hexdump", "-C", input);
    unlink(input);
    return 0;
}
