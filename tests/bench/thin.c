/*
 * thin.c - from the write of a request to its reply for thin objects of one function, engine warm: contents that the
 * process has not seen (linked, written, mapped, switched), and contents that it has; without debug information and with
 * much; the bytes of the copy that stays in the runtime directory for each.
 */
#include "bench.h"

#include "tests/support/thin_made.h"

enum { VERSIONS = 60 };

static char work[64];

static void run(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void run(const char *format, ...)
{
    char command[800], line[1000];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(command, sizeof(command), format, arguments);
    va_end(arguments);
    snprintf(line, sizeof(line), "cd %s && { %s; }", work, command);
    if (system(line) != 0)
        give_up(command);
}

static const char source[] =
    "#include <arpa/inet.h>\n#include <dirent.h>\n#include <netdb.h>\n"
    "#include <poll.h>\n#include <pthread.h>\n#include <signal.h>\n"
    "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n"
    "#include <sys/stat.h>\n#include <unistd.h>\n"
    "#ifndef VERSION\n#define VERSION 0\n#endif\n"
    "static int calls[4];\n"
    "int answer(int n);\n"
    "__attribute__((noinline)) int answer(int n)\n"
    "{ printf(\"%d %d\\n\", n, VERSION); return calls[n & 3] += VERSION; }\n"
    "int main(void) { for (;;) pause(); }\n";

static const char *in_work(const char *format, unsigned number)
{
    static char paths[4][128];
    static unsigned next;
    char name[32], *path = paths[next++ % 4];

    snprintf(name, sizeof(name), format, number);
    snprintf(path, sizeof(paths[0]), "%s/%s", work, name);
    return path;
}

/* Make VERSIONS thin objects; their debug information has also what `flags` adds. */
static void make_versions(const char *flags)
{
    static const char *const functions[] = {"answer", NULL};

    for (unsigned i = 0; i < VERSIONS; i++) {
        run("gcc -O2 %s -ffunction-sections -fdata-sections -DVERSION=%u -c -o new.o host.c", flags,
            i + 1);
        thin_make(in_work("v%u.hpo", i), "answer", in_work("host", 0), in_work("new.o", 0),
                  functions);
    }
}

/* Return the bytes of files in the runtime directory's objects. */
static double copies(void)
{
    FILE *pipe;
    double bytes = 0;
    char line[300];

    snprintf(line, sizeof(line), "du -sb %s/objects | cut -f 1", getenv("HOTPATCH_DIR"));
    pipe = popen(line, "r");
    if (!pipe || fscanf(pipe, "%lf", &bytes) != 1)
        bytes = 0;
    if (pipe)
        pclose(pipe);
    return bytes;
}

static void measure(const char *flags, const char *what, double budget, double known_budget)
{
    static struct wire wire;
    struct samples fresh = {0}, engine = {0}, known = {0}, revert = {0};
    char *argv[] = {(char *)"host", NULL};
    pid_t host;

    make_versions(flags);
    host = start_program(in_work("host", 0), argv,
                         environment_with(built("libhotpatch_preload.so"), NULL));
    wire_open(&wire, host);
    ask(&wire, "load", in_work("v%u.hpo", 0));
    for (unsigned i = 1; i < VERSIONS; i++) {
        sample(&fresh, ask(&wire, "load", in_work("v%u.hpo", i)));
        sample(&engine, replied_us(&wire));
    }
    for (unsigned i = 0; i < 10 * VERSIONS; i++)
        sample(&known, ask(&wire, "load", in_work("v%u.hpo", i % 2)));
    for (unsigned i = 0; i < VERSIONS; i++) {
        sample(&revert, ask(&wire, "revert", "last"));
        ask(&wire, "load", in_work("v%u.hpo", i % 2));
    }
    row(what, median(&fresh), "us", budget,
        "median of %zu; in the engine %.0f us; 90 %% below %.0f us; %.1f kB of copies for each",
        fresh.count, median(&engine), quantile(&fresh, 0.9), copies() / 1024 / VERSIONS);
    row("  contents that it had before", median(&known), "us", known_budget,
        "median of %zu; a revert %.0f us", known.count, median(&revert));
    wire_close(&wire);
    end_program(host);
}

int main(void)
{
    FILE *file;

    strcpy(work, "/tmp/hotpatch-bench-XXXXXX");
    if (!mkdtemp(work))
        give_up(work);
    file = fopen(in_work("host.c", 0), "w");
    if (!file || fputs(source, file) < 0 || fclose(file) != 0)
        give_up("host.c");
    run("gcc -O2 -g -Wl,--build-id -o host host.c");
    measure("-g0", "a thin object of one function, new contents", 1000, 300);
    measure("-g3", "  with debug information of macros too", NO_BUDGET, NO_BUDGET);
    run("rm -rf %s", work);
    return 0;
}
