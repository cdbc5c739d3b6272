/* reload.c - hotpatch reload: every patch whose file has changed. */
#include "cli/verbs/reload.h"

#include "base/request.h"
#include "cli/session/request_run.h"
#include "cli/verbs/usage.h"

static const char help[] =
    "hotpatch reload TARGET\n"
    "\n"
    "Loads anew every patch whose file has changed since it was loaded, in every process\n"
    "of TARGET (a PID or @NAME). Before that it repairs armed entries where the bytes of the\n"
    "program's file are back, as when a uprobe is removed; an int3 or another tool's jump there\n"
    "is refused (HP-BREAKPOINT).\n"
    "\n"
    "    --json    print the replies as JSON\n";

static const struct option options[] = {COMMON_OPTIONS, END_OF_OPTIONS};

int verb_reload(int argc, char **argv)
{
    struct client_request client_request = {
        .verb = "reload", .keys = "", .timeout = REQUEST_TIMEOUT_DEFAULT, .changes = true};
    bool json = false;
    int exit_code = -1;

    options_begin(argc, argv, "", options);
    while (option_next(argc, argv, options, help, &exit_code) != -1)
        json = true;
    if (exit_code >= 0)
        return exit_code;
    if (argc - optind != 1)
        return usage_error("reload", "reload takes one target");
    return request_run_on(argv[optind], &client_request, json, print_reloaded);
}
