/* main.c - the command hotpatch: finds the verb and calls it. */
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output/fatal.h"
#include "cli/output/output.h"
#include "cli/output/results.h"
#include "cli/session/reply.h"
#include "cli/verbs/build.h"
#include "cli/verbs/check.h"
#include "cli/verbs/doctor.h"
#include "cli/verbs/explain.h"
#include "cli/verbs/load.h"
#include "cli/verbs/ps.h"
#include "cli/verbs/reload.h"
#include "cli/verbs/revert.h"
#include "cli/verbs/run.h"
#include "cli/verbs/slots.h"
#include "cli/verbs/status.h"
#include "cli/verbs/usage.h"
#include "cli/verbs/watch.h"
#include "include/hotpatch.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary; /* NULL: not listed */
} verbs[] = {
    {"run", verb_run, "run [--patch FILE]... [--] PROGRAM [ARG...]"},
    {"ps", verb_ps, "ps"},
    {"slots", verb_slots, "slots PID|@NAME|FILE [--timeout=MS] [GLOB]"},
    {"load", verb_load,
     "load TARGET [--when=MOMENT] [--timeout=MS] [--dry-run] [--follow] PATCH..."},
    {"revert", verb_revert, "revert TARGET [--when=MOMENT] [--timeout=MS] NAME|last|all"},
    {"reload", verb_reload, "reload TARGET"},
    {"status", verb_status, "status TARGET [--history]"},
    {"check", verb_check, "check PID|FILE PATCH"},
    {"doctor", verb_doctor, "doctor PID|@NAME|FILE"},
    {"explain", verb_explain, "explain [CODE]"},
    {"build", verb_build, "build --target BIN --build-dir DIR [-pN] DIFF... -o FILE.hpo"},
    {"watch", verb_watch, "watch TARGET|-- PROGRAM --build-dir DIR|--cc COMMAND [FILE...]"},
};

static char *usage_text(void)
{
    char *text =
        format_text("hotpatch " HOTPATCH_VERSION ": exchange functions of running programs\n\n");

    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        char *longer =
            verbs[i].summary ? format_text("%s    hotpatch %s\n", text, verbs[i].summary) : NULL;

        if (!longer)
            continue;
        free(text);
        text = longer;
    }
    return text;
}

static int usage_print(FILE *out)
{
    static const char more[] =
        "\nTARGET is a PID, or @NAME for all processes of a program that have the library.\n"
        "Every verb takes --json and --help. hotpatch(1) has the rest.\n";
    char *list = usage_text(), *text = format_text("%s%s", list, more);
    int exit_code = out == stdout ? 0 : 2;

    if (out == stdout)
        help_print(text);
    else
        fputs(text, out);
    free(list);
    free(text);
    return exit_code;
}

static int version_print(void)
{
    if (fatal_json())
        document_print_text(NULL, "version", HOTPATCH_VERSION);
    else
        puts("hotpatch " HOTPATCH_VERSION);
    return 0;
}

/* Handle SIGBUS: a file that is mapped, by libdw too, became shorter while it was read (mmap(2)). */
static void file_shrank(int signal_number)
{
    (void)signal_number;
    fatal(HP_CHANGED, "a file became shorter while it was read");
}

/* Return whether --json is among the words before "--", for a verb that there is not. */
static bool has_json(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--json") == 0)
            return true;
    return false;
}

static int command(int argc, char **argv)
{
    const char *first = argc > 1 ? argv[1] : NULL;
    struct refusal why = {0};

    for (size_t i = 0; first && i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(first, verbs[i].name) != 0)
            continue;
        fatal_set_json(verbs[i].run != verb_run && has_json(argc, argv));
        /* The stdout of `run` is the program's, and `watch` looks whether it is its own. */
        if (verbs[i].run != verb_run && verbs[i].run != verb_watch && results_check(&why) != 0)
            return refused(verbs[i].name, 0, &why, false);
        return verbs[i].run(argc - 1, argv + 1);
    }
    fatal_set_json(has_json(argc, argv));
    if (!first)
        return usage_print(stderr);
    if (strcmp(first, "--json") == 0)
        return usage_error(NULL, "--json comes after a verb");
    if (strcmp(first, "--help") == 0 || strcmp(first, "-h") == 0 || strcmp(first, "help") == 0)
        return usage_print(stdout);
    if (strcmp(first, "--version") == 0)
        return version_print();
    return usage_error(NULL, "%s is not a verb", first);
}

int main(int argc, char **argv)
{
    results_begin();
    signal(SIGBUS, file_shrank);
    return results_end(command(argc, argv));
}
