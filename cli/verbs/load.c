/* load.c - hotpatch load: patches into processes, as one transaction each. */
#include "cli/verbs/load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/request.h"
#include "cli/debug/lookup.h"
#include "cli/output/output.h"
#include "cli/output/results.h"
#include "cli/output/wire_name.h"
#include "cli/session/reply.h"
#include "cli/session/request_run.h"
#include "cli/verbs/follow.h"
#include "cli/verbs/usage.h"

static const char help[] =
    "hotpatch load TARGET [OPTION...] PATCH...\n"
    "hotpatch load TARGET --fail NAME=RETVAL[:ERRNO] [OPTION...] [PATCH...]\n"
    "\n"
    "Loads the patches into every process of TARGET (a PID or @NAME). Several patches are\n"
    "one transaction: all are applied, or none. Returns after the switch.\n"
    "\n"
    "    --when=call          each function switches at its next call (default)\n"
    "    --when=safe-point    at the program's next hotpatch_safe_point()\n"
    "    --timeout=MS         how long to wait for that moment (default 500)\n"
    "    --replace NAME=SYM   use the patch's SYM for NAME; for patches without a manifest\n"
    "    --debug FILE         debug information of an object of the target, beside what is\n"
    "                         installed; may be given several times\n"
    "    --fail NAME=RETVAL[:ERRNO]\n"
    "                         NAME returns RETVAL and sets errno, as in rename=-1:ENOSPC; may be\n"
    "                         given several times, with the options below for all of them\n"
    "    --nth=N              only at every Nth call\n"
    "    --probability=P      only at so many of all calls, 0.25 being every fourth\n"
    "    --times=N            only N times\n"
    "    --caller=OBJECT      only in calls from OBJECT: a library's name, or exe\n"
    "    --for=SECONDS        reverted by itself after that time\n"
    "    --no-seen            do not note whether the new code is entered, which status tells\n"
    "    --dry-run            check everything, change nothing\n"
    "    --follow             stay, and reload a patch whenever its file has been rebuilt\n"
    "    --json               print the replies as JSON\n";

static const struct option options[] = {
    COMMON_OPTIONS,
    {"when", required_argument, NULL, OPTION_WHEN},
    {"timeout", required_argument, NULL, OPTION_TIMEOUT},
    {"replace", required_argument, NULL, OPTION_REPLACE},
    {"dry-run", no_argument, NULL, OPTION_DRY_RUN},
    {"follow", no_argument, NULL, OPTION_FOLLOW},
    {"fail", required_argument, NULL, OPTION_FAIL},
    {"nth", required_argument, NULL, OPTION_NTH},
    {"probability", required_argument, NULL, OPTION_PROBABILITY},
    {"times", required_argument, NULL, OPTION_TIMES},
    {"caller", required_argument, NULL, OPTION_CALLER},
    {"for", required_argument, NULL, OPTION_FOR},
    {"debug", required_argument, NULL, OPTION_DEBUG},
    {"no-seen", no_argument, NULL, OPTION_NO_SEEN},
    END_OF_OPTIONS,
};

struct load_options {
    struct moment moment;
    char *replace;   /* "replace=A=B replace=..." */
    char **replaced; /* the NAMEs of `replace` */
    size_t replaced_count;
    const char **debug; /* files */
    size_t debug_count;
    char **failing;    /* the NAME of each injection */
    char **injections; /* "fail=NAME=RETVAL", the terms behind it */
    size_t injection_count;
    char *terms; /* " nth=2 for=9", of all injections */
    bool dry_run;
    bool unseen;
    bool follow;
    bool json;
};

static void list_append(char ***list, size_t *count, char *text)
{
    *list = reallocate(*list, (*count + 1) * sizeof(**list));
    (*list)[(*count)++] = text;
}

/* Split "NAME=REST" into malloc'd parts. NAME may be a C++ name with '='; REST has none. */
static bool split_name(const char *value, char **name, char **rest)
{
    const char *equals = strrchr(value, '=');

    if (!wire_name(value) || !equals || equals == value || !wire_word(equals + 1))
        return false;
    *name = format_text("%.*s", (int)(equals - value), value);
    *rest = format_text("%s", equals + 1);
    return true;
}

static int add_replace(struct load_options *load, const char *value)
{
    char *longer, *name, *symbol, *spelled, *word;

    if (load->replaced_count == REQUEST_REPLACE_MAX) {
        usage_error("load", "--replace can be given %d times", REQUEST_REPLACE_MAX);
        return -1;
    }
    if (!split_name(value, &name, &symbol)) {
        usage_error("load", "--replace is NAME=SYMBOL, not %s", value);
        return -1;
    }
    spelled = wire_encode(name);
    word = wire_encode(symbol);
    longer = format_text("%s%sreplace=%s=%s", load->replace ? load->replace : "",
                         load->replace ? " " : "", spelled, word);
    free(load->replace);
    free(symbol);
    free(spelled);
    free(word);
    load->replace = longer;
    list_append(&load->replaced, &load->replaced_count, name);
    return 0;
}

static int add_injection(struct load_options *load, const char *value)
{
    size_t count = load->injection_count;
    char *name, *rest, *spelled;

    if (!split_name(value, &name, &rest)) {
        usage_error("load", "--fail is NAME=RETVAL[:ERRNO], not %s", value);
        return -1;
    }
    spelled = wire_encode(name);
    list_append(&load->injections, &load->injection_count,
                format_text("fail=%s=%s", spelled, rest));
    list_append(&load->failing, &count, name);
    free(spelled);
    free(rest);
    return 0;
}

static void add_debug(struct load_options *load, const char *path)
{
    load->debug = reallocate(load->debug, (load->debug_count + 1) * sizeof(*load->debug));
    load->debug[load->debug_count++] = path;
}

/* Add a term of the injections. The process checks the value; here it must be one word. */
static int add_term(struct load_options *load, const char *key, const char *value)
{
    char *longer;

    if (!*value || !wire_word(value)) {
        usage_error("load", "--%s cannot be \"%s\"", key, value);
        return -1;
    }
    longer = format_text("%s %s=%s", load->terms ? load->terms : "", key, value);
    free(load->terms);
    load->terms = longer;
    return 0;
}

static void add_terms_to_injections(struct load_options *load)
{
    for (size_t i = 0; load->terms && i < load->injection_count; i++) {
        char *longer = format_text("%s%s", load->injections[i], load->terms);

        free(load->injections[i]);
        load->injections[i] = longer;
    }
}

static void load_options_free(struct load_options *load)
{
    for (size_t i = 0; i < load->injection_count; i++) {
        free(load->injections[i]);
        free(load->failing[i]);
    }
    for (size_t i = 0; i < load->replaced_count; i++)
        free(load->replaced[i]);
    free(load->injections);
    free(load->failing);
    free(load->replaced);
    free(load->debug);
    free(load->terms);
    free(load->replace);
}

static int take_option(struct load_options *load, int option)
{
    switch (option) {
    case OPTION_JSON:
        load->json = true;
        return 0;
    case OPTION_WHEN:
    case OPTION_TIMEOUT:
        return moment_option(&load->moment, "load", option, optarg);
    case OPTION_REPLACE:
        return add_replace(load, optarg);
    case OPTION_FAIL:
        return add_injection(load, optarg);
    case OPTION_NTH:
        return add_term(load, "nth", optarg);
    case OPTION_PROBABILITY:
        return add_term(load, "probability", optarg);
    case OPTION_TIMES:
        return add_term(load, "times", optarg);
    case OPTION_CALLER:
        return add_term(load, "caller", optarg);
    case OPTION_FOR:
        return add_term(load, "for", optarg);
    case OPTION_DEBUG:
        add_debug(load, optarg);
        return 0;
    case OPTION_NO_SEEN:
        load->unseen = true;
        return 0;
    case OPTION_DRY_RUN:
        load->dry_run = true;
        return 0;
    default:
        load->follow = true;
        return 0;
    }
}

static char *keys_make(const struct load_options *load)
{
    char *moment = moment_keys(&load->moment);
    char *keys = format_text("%s%s%s", moment, load->dry_run ? " dry-run=1" : "",
                             load->unseen ? " seen=0" : "");

    free(moment);
    return keys;
}

/* Refuse patches that do not exist. What does not exist here does not exist for a process that sees the same
 * files. */
static int patches_exist(char *const *paths, size_t count, struct refusal *why)
{
    struct stat st;

    for (size_t i = 0; i < count; i++)
        if (stat(paths[i], &st) != 0 && (errno == ENOENT || errno == ENOTDIR))
            refuse(why, HP_OPEN, "open %s: %s", paths[i], strerror(errno));
    return why->count ? -1 : 0;
}

static int load_into(const char *target, const struct load_options *load, char *const *paths,
                     size_t count)
{
    struct refusal why = {0};
    struct process_targets targets;
    char *keys = keys_make(load);
    struct client_request client_request = {
        .verb = "load",
        .keys = keys + strspn(keys, " "),
        .patches = (const char *const *)paths,
        .patch_count = count,
        .patch_keys = load->replace,
        .injections = (const char *const *)load->injections,
        .injection_count = load->injection_count,
        .patch_targets = (const char *const *)load->replaced,
        .patch_target_count = load->replaced_count,
        .injection_targets = (const char *const *)load->failing,
        .timeout = load->moment.timeout_given ? load->moment.timeout : REQUEST_TIMEOUT_DEFAULT,
        .changes = !load->dry_run,
    };
    struct follow *follow = NULL;
    int exit_code;

    if (process_targets_find(target, &targets, &why) != 0 ||
        patches_exist(paths, count, &why) != 0 ||
        !(client_request.lookup = lookup_open(load->debug, load->debug_count, &why))) {
        exit_code = refused("load", 0, &why, load->json);
    } else {
        if (load->follow)
            follow = follow_begin(client_request.patches, count);
        exit_code = request_run(&targets, &client_request, load->json, print_applied);
    }
    if (exit_code == 0 && follow && results_flush())
        exit_code = follow_run(follow, &targets, &client_request, load->json);
    follow_end(follow);
    lookup_close(client_request.lookup);
    process_targets_close(&targets);
    free(keys);
    return exit_code;
}

/* Return 0, or the exit code of a combination that makes no sense. */
static int check_usage(const struct load_options *load, size_t operands)
{
    size_t patches = operands ? operands - 1 : 0;

    if (operands == 0 || patches + load->injection_count == 0)
        return usage_error("load", "load takes a target and at least one patch or --fail");
    if (load->replace && patches > 1)
        return usage_error("load", "--replace says nothing about several patches; load them one "
                                   "after the other");
    if (load->replace && patches == 0)
        return usage_error("load", "--replace needs a patch that has the symbol");
    if (load->terms && load->injection_count == 0)
        return usage_error("load", "--nth, --probability, --times, --caller and --for go with "
                                   "--fail");
    if (load->follow && load->dry_run)
        return usage_error("load", "--follow and --dry-run exclude each other");
    if (load->follow && load->injection_count)
        return usage_error("load", "--follow reloads files, and --fail has none");
    return 0;
}

static int load_operands(struct load_options *load, char *const *operands, size_t count)
{
    struct refusal why = {0};
    char **paths;
    int exit_code = check_usage(load, count);

    if (exit_code != 0)
        return exit_code;
    add_terms_to_injections(load);
    paths = allocate(count * sizeof(*paths));
    for (size_t i = 1; i < count; i++)
        paths[i - 1] = absolute_path(operands[i], &why);
    if (why.count > 0)
        exit_code = refused("load", 0, &why, load->json);
    else
        exit_code = load_into(operands[0], load, paths, count - 1);
    for (size_t i = 1; i < count; i++)
        free(paths[i - 1]);
    free(paths);
    return exit_code;
}

int verb_load(int argc, char **argv)
{
    struct load_options load = {0};
    int option, exit_code = 0;

    options_begin(argc, argv, "", options);
    while (exit_code == 0 && (option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == OPTION_HELP)
            return help_print(help);
        if (option == '?')
            exit_code = usage_unknown("load", argv);
        else if (take_option(&load, option) != 0)
            exit_code = 2;
    }
    if (exit_code == 0)
        exit_code = load_operands(&load, argv + optind, (size_t)(argc - optind));
    load_options_free(&load);
    return exit_code;
}
