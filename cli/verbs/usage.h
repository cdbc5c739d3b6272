/*
 * usage.h - what the verbs share in reading their command lines, and how they refuse bad usage.
 */
#ifndef HOTPATCH_USAGE_H
#define HOTPATCH_USAGE_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/refusal.h"

/* Values of long options that have no letter. */
enum option_value {
    OPTION_HELP = 256,
    OPTION_JSON,
    OPTION_WHEN,
    OPTION_TIMEOUT,
    OPTION_REPLACE,
    OPTION_DRY_RUN,
    OPTION_FOLLOW,
    OPTION_UNLOAD,
    OPTION_PATCH,
    OPTION_HISTORY,
    OPTION_KIND,
    OPTION_FAIL,
    OPTION_NTH,
    OPTION_PROBABILITY,
    OPTION_TIMES,
    OPTION_CALLER,
    OPTION_FOR,
    OPTION_DEBUG,
    OPTION_NO_SEEN,
    OPTION_BUILD_DIR,
    OPTION_SOURCE,
    OPTION_CC,
    OPTION_FORCE_TYPES,
    OPTION_REVERT_AT_EXIT,
    OPTION_LOG
};

/* The two that every verb has. */
#define COMMON_OPTIONS                         \
    {"help", no_argument, NULL, OPTION_HELP},  \
    {                                          \
        "json", no_argument, NULL, OPTION_JSON \
    }
#define END_OF_OPTIONS   \
    {                    \
        NULL, 0, NULL, 0 \
    }

/* Begin, before a verb reads its options with getopt_long(3), to which the same is given: note whether --json is
 * among them, which usage errors before and after it have to know. */
void options_begin(int argc, char **argv, const char *letters, const struct option *options);
/* Print HP-USAGE on stderr, or as JSON on stdout. Return the exit code 2. */
int usage_error(const char *verb, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Report an option that getopt_long(3) does not know. `argv` is what getopt_long(3) got. */
int usage_unknown(const char *verb, char **argv);
/* Return the next option, as getopt_long(3) without letters. --help and unknown options end the verb: then return
 * -1 with the exit code in *exit_code, which stays as it was otherwise. */
int option_next(int argc, char **argv, const struct option *options, const char *help,
                int *exit_code);
/* Print the help of the verb that options_begin() was called for, or the command's. Return 0. */
int help_print(const char *text);

/* --when and --timeout, for load and revert. */
struct moment {
    const char *when; /* NULL: not given */
    unsigned timeout; /* ms */
    bool timeout_given;
};
/* Take the option. Return 0, or -1 where `value` cannot be its value, with a message on stderr. */
int moment_option(struct moment *moment, const char *verb, int option, const char *value);
/* Return the keys of the request for it, malloc'd: "when=quiet timeout=9", or "". */
char *moment_keys(const struct moment *moment);

/* Return `path` from the root, malloc'd, since another process opens it. NULL where the working directory has no
 * path (it was removed). */
char *absolute_path(const char *path, struct refusal *why);

#endif
