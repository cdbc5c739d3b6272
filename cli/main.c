/*
 * main.c - the command hotpatch: finds the verb and hands over.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "output.h"
#include "verbs.h"

#ifndef HOTPATCH_VERSION
#define HOTPATCH_VERSION "0.1.0"
#endif

static int verb_later(int argc, char **argv)
{
    struct refusal why = {0};
    int exit_code;

    (void)argc;
    refuse(&why, HP_LATER, "hotpatch %s is not part of version " HOTPATCH_VERSION, argv[0]);
    exit_code = refusal_exit_code(&why);
    refusal_print(&why);
    refusal_clear(&why);
    return exit_code;
}

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary; /* NULL: not listed */
} verbs[] = {
    {"run", verb_run, "run [--patch FILE]... [--] PROGRAM [ARG...]"},
    {"ps", verb_ps, "ps"},
    {"slots", verb_slots, "slots PID|@NAME|FILE [GLOB]"},
    {"load", verb_load,
     "load TARGET [--when=MOMENT] [--timeout=MS] [--dry-run] [--follow] PATCH..."},
    {"revert", verb_revert, "revert TARGET [--when=MOMENT] [--timeout=MS] NAME|last|all"},
    {"reload", verb_reload, "reload TARGET"},
    {"status", verb_status, "status TARGET [--history]"},
    {"check", verb_check, "check PID|FILE PATCH"},
    {"doctor", verb_doctor, "doctor PID|@NAME|FILE"},
    {"explain", verb_explain, "explain [CODE]"},
    {"build", verb_later, NULL},
    {"watch", verb_later, NULL},
};

static int usage_print(FILE *out)
{
    fputs("hotpatch " HOTPATCH_VERSION ": exchange functions of running programs\n\n", out);
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
        if (verbs[i].summary)
            fprintf(out, "    hotpatch %s\n", verbs[i].summary);
    fputs("\nTARGET is a PID, or @NAME for all processes of a program that have the library.\n"
          "Every verb takes --json and --help. hotpatch(1) has the rest.\n",
          out);
    return out == stdout ? 0 : 2;
}

/* A file that is mapped, by libdw too, became shorter while it was read (mmap(2)). */
static void file_shrank(int signal_number)
{
    static const char words[] = "hotpatch: HP-CHANGED: a file became shorter while it was read\n"
                                "  try again when it is whole\n";

    (void)signal_number;
    if (write(STDERR_FILENO, words, sizeof(words) - 1) < 0)
        _exit(1);
    _exit(1);
}

int main(int argc, char **argv)
{
    signal(SIGBUS, file_shrank);
    if (argc < 2)
        return usage_print(stderr);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0)
        return usage_print(stdout);
    if (strcmp(argv[1], "--version") == 0) {
        puts("hotpatch " HOTPATCH_VERSION);
        return 0;
    }
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
        if (strcmp(argv[1], verbs[i].name) == 0)
            return verbs[i].run(argc - 1, argv + 1);
    return usage_error(NULL, "%s is not a verb", argv[1]);
}
