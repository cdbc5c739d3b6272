/* run.c - hotpatch run: starts a program with the library in it. */
#include "cli/verbs/run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/debug/first_library.h"
#include "cli/output/fatal.h"
#include "cli/output/output.h"
#include "cli/output/results.h"
#include "cli/process/preload_path.h"
#include "cli/session/reply.h"
#include "cli/verbs/preload_check.h"
#include "cli/verbs/usage.h"

static const char help[] =
    "hotpatch run [--patch FILE]... [--] PROGRAM [ARG...]\n"
    "\n"
    "Runs PROGRAM, in the same process, with libhotpatch_preload.so added to LD_PRELOAD.\n"
    "Says in words why a program cannot be patched, and does not start it then.\n"
    "\n"
    "    --patch FILE    apply the patch before the program's main(); where it is refused the\n"
    "                    program does not start\n"
    "    --json          print a refusal as JSON\n";

static const struct option options[] = {
    COMMON_OPTIONS,
    {"patch", required_argument, NULL, OPTION_PATCH},
    END_OF_OPTIONS,
};

/* Add to HOTPATCH_PATCH. It and LD_PRELOAD are lists whose separators no path in them may hold; ld.so(8). */
static int add_patch(char **list, const char *file)
{
    struct refusal why = {0};
    char *path, *longer;

    if (strchr(file, ':'))
        return usage_error("run", "the name of a patch cannot hold a colon here: %s", file);
    path = absolute_path(file, &why);
    if (!path)
        return refused("run", 0, &why, fatal_json());
    if (strchr(path, ':')) {
        free(path);
        return usage_error("run", "the directory of %s has a colon in its name", file);
    }
    longer = format_text("%s%s%s", *list ? *list : "", *list ? ":" : "", path);
    free(path);
    free(*list);
    *list = longer;
    return 0;
}

static void put_first(const char *library)
{
    const char *before = getenv("LD_PRELOAD");
    char *all;

    if (before && strstr(before, library))
        return;
    all = format_text("%s%s%s", library, before && *before ? ":" : "", before ? before : "");
    setenv("LD_PRELOAD", all, 1);
    free(all);
}

static void set_preload(const char *shim, const char *linker)
{
    const char *before = getenv("LD_PRELOAD");
    char *spelled = preload_spelled(shim, linker), *all;

    if (!before || (!strstr(before, shim) && !strstr(before, spelled))) {
        all = format_text("%s%s%s", before ? before : "", before && *before ? ":" : "", spelled);
        setenv("LD_PRELOAD", all, 1);
        free(all);
    }
    free(spelled);
}

/* HOTPATCH_RUN_PID makes the shim end this process where a patch is refused, and no process that inherits the
 * variable. */
static void set_patches(const char *patches)
{
    char pid[16];

    if (!patches)
        return;
    snprintf(pid, sizeof(pid), "%d", getpid());
    setenv("HOTPATCH_PATCH", patches, 1);
    setenv("HOTPATCH_RUN_PID", pid, 1);
}

int program_start(char **argv, const char *patches, bool json)
{
    struct refusal why = {0};
    struct verdict *verdict = allocate(sizeof(*verdict));
    char *shim = NULL, *first;

    if (preload_check(argv[0], verdict, &why) == 0 && (shim = preload_find(&why)) &&
        strpbrk(shim, ": "))
        refuse(&why, HP_USAGE, "LD_PRELOAD cannot hold %s: there is a blank or colon in it", shim);
    if (shim && why.count == 0) {
        if (verdict->interpreter[0])
            fprintf(stderr,
                    "hotpatch: %s is a script: its interpreter %s is what gets the "
                    "library, and what it starts\n",
                    verdict->path, verdict->interpreter);
        set_preload(shim, verdict->linker);
        first = first_library(verdict->interpreter[0] ? verdict->interpreter : verdict->path);
        if (first)
            put_first(first);
        free(first);
        set_patches(patches);
        results_leave();
        execvp(argv[0], argv);
        refuse(&why, HP_NO_PROGRAM, "run %s: %s", argv[0], strerror(errno));
    }
    free(shim);
    free(verdict);
    return refused("run", 0, &why, json);
}

int verb_run(int argc, char **argv)
{
    char *patches = NULL;
    bool json = false;
    int option, exit_code;

    options_begin(argc, argv, "+", options);
    /* "+": the program's own options are not this command's. */
    while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
        if (option == OPTION_HELP)
            return help_print(help);
        if (option == '?')
            return usage_unknown("run", argv);
        if (option == OPTION_JSON)
            json = true;
        else if ((exit_code = add_patch(&patches, optarg)) != 0)
            return exit_code;
    }
    if (optind == argc)
        return usage_error("run", "run takes a program");
    exit_code = program_start(argv + optind, patches, json);
    free(patches);
    return exit_code;
}
