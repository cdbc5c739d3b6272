/* usage.c - see usage.h. */
#include "cli/verbs/usage.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/request.h"
#include "cli/output/fatal.h"
#include "cli/output/output.h"
#include "cli/output/results.h"
#include "cli/session/reply.h"

#define TIMEOUT_MAX 3600000 /* ms; what the shim takes */

static const char *verb_begun; /* or NULL */

/* A --json after the program that `run` starts belongs to that program. A --json that an option took as its value
 * counts. */
void options_begin(int argc, char **argv, const char *letters, const struct option *options)
{
    char **copy = allocate(((size_t)argc + 1) * sizeof(*copy));
    bool json = false;
    int option;

    memcpy(copy, argv, (size_t)argc * sizeof(*copy)); /* which getopt_long(3) puts in order */
    opterr = 0;
    optind = 0;
    while ((option = getopt_long(argc, copy, letters, options, NULL)) != -1)
        json |= option == OPTION_JSON || (optarg && strcmp(optarg, "--json") == 0);
    optind = 0;
    free(copy);
    fatal_set_json(json);
    verb_begun = argv[0];
}

int usage_error(const char *verb, const char *format, ...)
{
    char *text, *remedy = format_text("see hotpatch %s%s--help", verb ? verb : "", verb ? " " : "");
    va_list arguments;

    va_start(arguments, format);
    text = format_list(format, arguments);
    va_end(arguments);
    if (fatal_json()) {
        struct json_object *reply = reply_usage(verb, text, remedy);

        json_print(reply);
        json_object_put(reply);
    } else {
        refusal_line_print("HP-USAGE", text, remedy);
    }
    free(text);
    free(remedy);
    return 2;
}

int usage_unknown(const char *verb, char **argv)
{
    const char *word = optind > 1 ? argv[optind - 1] : "";

    if (optopt && optopt < 256)
        return usage_error(verb, "there is no option -%c", optopt);
    if (optopt)
        return usage_error(verb, "the option %s lacks its value, or takes none", word);
    return usage_error(verb, "there is no option %s", word);
}

int help_print(const char *text)
{
    if (fatal_json())
        document_print_text(verb_begun, "help", text);
    else
        fputs(text, stdout);
    return 0;
}

int option_next(int argc, char **argv, const struct option *options, const char *help,
                int *exit_code)
{
    int option = getopt_long(argc, argv, "", options, NULL);

    if (option != OPTION_HELP && option != '?')
        return option;
    *exit_code = option == OPTION_HELP ? help_print(help) : usage_unknown(verb_begun, argv);
    return -1;
}

int moment_option(struct moment *moment, const char *verb, int option, const char *value)
{
    char *end;
    unsigned long number;

    if (option == OPTION_WHEN) {
        moment->when = value;
        if (strcmp(value, "call") == 0 || strcmp(value, "quiet") == 0 ||
            strcmp(value, "safe-point") == 0)
            return 0;
        usage_error(verb, "--when is call or safe-point, not %s", value);
        return -1;
    }
    errno = 0;
    number = strtoul(value, &end, 10);
    if (errno || end == value || *end || *value == '-' || number > TIMEOUT_MAX) {
        usage_error(verb, "--timeout is a number of milliseconds up to %d, not %s", TIMEOUT_MAX,
                    value);
        return -1;
    }
    moment->timeout = (unsigned)number;
    moment->timeout_given = true;
    return 0;
}

char *moment_keys(const struct moment *moment)
{
    char timeout[32] = "";

    if (moment->timeout_given)
        snprintf(timeout, sizeof(timeout), "timeout=%u", moment->timeout);
    return format_text("%s%s%s%s", moment->when ? "when=" : "", moment->when ? moment->when : "",
                       moment->when && *timeout ? " " : "", timeout);
}

char *absolute_path(const char *path, struct refusal *why)
{
    char *here, *whole;

    if (*path == '/')
        return format_text("%s", path);
    here = getcwd(NULL, 0);
    if (!here) {
        refuse(why, HP_PATH, "%s is relative, and the working directory has no path: %s", path,
               errno == ENOENT ? "it was removed" : strerror(errno));
        return NULL;
    }
    while (path[0] == '.' && path[1] == '/')
        path += 2 + strspn(path + 2, "/");
    whole = format_text("%s/%s", strcmp(here, "/") != 0 ? here : "", path);
    free(here);
    return whole;
}
