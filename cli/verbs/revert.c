/* revert.c - hotpatch revert: takes a patch's layers out again. */
#include "cli/verbs/revert.h"

#include <stdlib.h>
#include <string.h>

#include "base/request.h"
#include "cli/output/output.h"
#include "cli/output/wire_name.h"
#include "cli/session/request_run.h"
#include "cli/verbs/usage.h"

static const char help[] =
    "hotpatch revert TARGET [OPTION...] NAME|last|all\n"
    "\n"
    "Takes out the patch NAME, the last one applied, or all of them, in every process of\n"
    "TARGET (a PID or @NAME). A patch that is itself named last or all: name=last.\n"
    "\n"
    "    --when=MOMENT    as for load\n"
    "    --timeout=MS     how long to wait for that moment (default 500)\n"
    "    --json           print the replies as JSON\n";

static const struct option options[] = {
    COMMON_OPTIONS,
    {"when", required_argument, NULL, OPTION_WHEN},
    {"timeout", required_argument, NULL, OPTION_TIMEOUT},
    {"unload", no_argument, NULL, OPTION_UNLOAD},
    END_OF_OPTIONS,
};

static int revert(const char *target, const char *what, const struct moment *moment, bool unload,
                  bool json)
{
    bool named = strcmp(what, "last") != 0 && strcmp(what, "all") != 0;
    char *moment_text = moment_keys(moment);
    const char *name = strncmp(what, "name=", 5) == 0 ? what + 5 : what;
    char *spelled = wire_encode(name);
    char *keys = format_text("%s%s%s%s", moment_text, unload ? " unload=1" : "",
                             named ? " name=" : "", named ? spelled : "");
    struct client_request client_request = {
        .verb = "revert",
        .keys = keys + strspn(keys, " "),
        .operand = named ? NULL : what,
        .timeout = moment->timeout_given ? moment->timeout : REQUEST_TIMEOUT_DEFAULT,
        .changes = true,
    };
    int exit_code = request_run_on(target, &client_request, json, print_reverted);

    free(keys);
    free(spelled);
    free(moment_text);
    return exit_code;
}

int verb_revert(int argc, char **argv)
{
    struct moment moment = {0};
    bool unload = false, json = false;
    int option, exit_code = -1;

    options_begin(argc, argv, "", options);
    while ((option = option_next(argc, argv, options, help, &exit_code)) != -1) {
        if (option == OPTION_JSON)
            json = true;
        else if (option == OPTION_UNLOAD)
            unload = true;
        else if (moment_option(&moment, "revert", option, optarg) != 0)
            return 2;
    }
    if (exit_code >= 0)
        return exit_code;
    if (argc - optind != 2)
        return usage_error("revert", "revert takes a target and NAME, last or all");
    if (!wire_name(argv[optind + 1]))
        return usage_error("revert", "the name of a patch has no control characters");
    return revert(argv[optind], argv[optind + 1], &moment, unload, json);
}
