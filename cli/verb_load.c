/* verb_load.c - hotpatch load: patches into processes, as one transaction each. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "answer.h"
#include "ask.h"
#include "follow.h"
#include "output.h"
#include "request.h"
#include "verbs.h"

static const char help[] =
    "hotpatch load TARGET [OPTION...] PATCH...\n"
    "\n"
    "Loads the patches into every process of TARGET (a PID or @NAME). Several patches are\n"
    "one transaction: all are applied, or none. Returns after the switch.\n"
    "\n"
    "    --when=call          each function switches at its next call (default)\n"
    "    --when=quiet         when no thread is inside a function that switches\n"
    "    --when=safe-point    at the program's next hotpatch_safe_point()\n"
    "    --timeout=MS         how long to wait for that moment (default 500)\n"
    "    --replace NAME=SYM   use the patch's SYM for NAME; for patches without a manifest\n"
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
    END_OF_OPTIONS,
};

struct load {
    struct moment moment;
    char *replace; /* " replace=A=B replace=..." */
    size_t replace_count;
    bool dry_run;
    bool follow;
    bool json;
};

static int add_replace(struct load *load, const char *value)
{
    const char *equals = strchr(value, '=');
    char *longer;

    if (!wire_word(value) || !equals || equals == value || !equals[1]) {
        usage_error("load", "--replace is NAME=SYMBOL without blanks, not %s", value);
        return -1;
    }
    longer = format_text("%s replace=%s", load->replace ? load->replace : "", value);
    free(load->replace);
    load->replace = longer;
    load->replace_count++;
    return 0;
}

static int take_option(struct load *load, int option)
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
    case OPTION_DRY_RUN:
        load->dry_run = true;
        return 0;
    default:
        load->follow = true;
        return 0;
    }
}

static char *keys_make(const struct load *load)
{
    char *moment = moment_keys(&load->moment);
    char *keys = format_text("%s%s%s", moment, load->replace ? load->replace : "",
                             load->dry_run ? " dry-run=1" : "");

    free(moment);
    return keys;
}

/* What is not there for the command is not there for a target that sees the same files. */
static int patches_exist(char *const *paths, size_t count, struct refusal *why)
{
    struct stat st;

    for (size_t i = 0; i < count; i++)
        if (stat(paths[i], &st) != 0 && (errno == ENOENT || errno == ENOTDIR))
            refuse(why, HP_OPEN, "open %s: %s", paths[i], strerror(errno));
    return why->count ? -1 : 0;
}

static int load_into(const char *target, const struct load *load, char *const *paths, size_t count)
{
    struct refusal why = {0};
    struct targets targets;
    char *keys = keys_make(load);
    struct order order = {
        .verb = "load",
        .keys = keys + strspn(keys, " "),
        .patches = (const char *const *)paths,
        .patch_count = count,
        .timeout = load->moment.timeout_given ? load->moment.timeout : REQUEST_TIMEOUT_DEFAULT,
        .changes = !load->dry_run,
    };
    struct follow *follow = NULL;
    int exit_code;

    if (targets_find(target, &targets, &why) != 0 || patches_exist(paths, count, &why) != 0 ||
        (load->follow && !(follow = follow_begin(order.patches, count, &why))))
        exit_code = refused("load", 0, &why, load->json);
    else
        exit_code = order_run(&targets, &order, load->json, print_applied);
    if (exit_code == 0 && follow)
        exit_code = follow_run(follow, &targets, &order, load->json);
    follow_end(follow);
    targets_close(&targets);
    free(keys);
    return exit_code;
}

int verb_load(int argc, char **argv)
{
    struct load load = {0};
    size_t count;
    char **paths;
    int option, exit_code;

    opterr = 0;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == OPTION_HELP)
            return help_print(help);
        if (option == '?')
            return usage_unknown("load", argv);
        if (take_option(&load, option) != 0)
            return 2;
    }
    if (argc - optind < 2)
        return usage_error("load", "load takes a target and at least one patch");
    count = (size_t)(argc - optind - 1);
    if (load.replace_count && count > 1)
        return usage_error("load", "--replace says nothing about several patches; load them one "
                                   "after the other");
    if (load.follow && load.dry_run)
        return usage_error("load", "--follow and --dry-run exclude each other");
    paths = allocate(count * sizeof(*paths));
    for (size_t i = 0; i < count; i++)
        paths[i] = absolute_path(argv[optind + 1 + (int)i]);
    exit_code = load_into(argv[optind], &load, paths, count);
    for (size_t i = 0; i < count; i++)
        free(paths[i]);
    free(paths);
    free(load.replace);
    return exit_code;
}
