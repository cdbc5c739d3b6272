/* watch_options.c - see watch_options.h. */
#include "cli/verbs/watch_options.h"

#include <stdlib.h>
#include <string.h>

#include "cli/output/output.h"
#include "cli/process/process_targets.h"
#include "cli/verbs/usage.h"

static const char help[] =
    "hotpatch watch TARGET --build-dir DIR [OPTION...]\n"
    "hotpatch watch TARGET --cc 'gcc -O2 -g' [OPTION...] FILE...\n"
    "hotpatch watch --build-dir DIR|--cc COMMAND [OPTION...] [FILE...] -- PROGRAM [ARG...]\n"
    "\n"
    "Makes each save of a source file live in the processes of TARGET (a PID or @NAME), or in\n"
    "PROGRAM, which it starts with the library and ends with. A save that cannot be compiled, or\n"
    "is refused, leaves the code as it is. Ends with the last process of a PID, or at SIGINT; the\n"
    "patches stay.\n"
    "\n"
    "    --build-dir DIR     the directory of compile_commands.json (cmake, meson, bear)\n"
    "    --source DIR        where the sources lie, if not below the build directory\n"
    "    --cc COMMAND        the compiler and its flags, for a program of a few FILEs\n"
    "    --debug FILE        symbols and types of a stripped program\n"
    "    --force-types       accept changed types and prototypes\n"
    "    --revert-at-exit    revert the patches when the command ends\n"
    "    --log FILE          append the lines to FILE; without it they go to stdout, and to\n"
    "                        stderr beside a PROGRAM\n"
    "    --json              print an event a line, as JSON\n";

static const struct option options[] = {
    COMMON_OPTIONS,
    {"build-dir", required_argument, NULL, OPTION_BUILD_DIR},
    {"source", required_argument, NULL, OPTION_SOURCE},
    {"cc", required_argument, NULL, OPTION_CC},
    {"debug", required_argument, NULL, OPTION_DEBUG},
    {"force-types", no_argument, NULL, OPTION_FORCE_TYPES},
    {"revert-at-exit", no_argument, NULL, OPTION_REVERT_AT_EXIT},
    {"log", required_argument, NULL, OPTION_LOG},
    END_OF_OPTIONS,
};

static void take_watch_option(struct watch_options *watch, int option)
{
    switch (option) {
    case OPTION_JSON:
        watch->json = true;
        break;
    case OPTION_BUILD_DIR:
        watch->build_dir = optarg;
        break;
    case OPTION_SOURCE:
        watch->source_dir = optarg;
        break;
    case OPTION_CC:
        watch->compiler = optarg;
        break;
    case OPTION_DEBUG:
        watch->debug = optarg;
        break;
    case OPTION_FORCE_TYPES:
        watch->force_types = true;
        break;
    case OPTION_REVERT_AT_EXIT:
        watch->revert_at_exit = true;
        break;
    default:
        watch->log = optarg;
        break;
    }
}

/* Return the place of "--" in argv, or argc. */
static int program_begins(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--") == 0)
            return i;
    return argc;
}

/* Take the operands: TARGET, unless there is a PROGRAM, and then FILEs. */
static int take_operands(struct watch_options *watch, char **operands, int count)
{
    if (!watch->program) {
        if (count == 0)
            return usage_error("watch", "watch takes a PID, @NAME or -- PROGRAM");
        watch->target = *operands++;
        count--;
        if (process_target_is_file(watch->target))
            return usage_error("watch",
                               "%s is neither a PID nor @NAME; a program that is to be "
                               "started stands after --",
                               watch->target);
    }
    watch->files = (const char *const *)operands;
    watch->file_count = (size_t)count;
    if (watch->build_dir && watch->compiler)
        return usage_error("watch", "--build-dir and --cc exclude each other");
    if (!watch->build_dir && !watch->compiler)
        return usage_error("watch", "watch needs --build-dir DIR, or --cc COMMAND and the sources");
    if (watch->compiler && count == 0)
        return usage_error("watch", "--cc needs the sources of the program");
    if (watch->build_dir && count > 0)
        return usage_error("watch", "%s: sources are given with --cc alone", operands[0]);
    return 0;
}

int watch_options_read(int argc, char **argv, struct watch_options *watch_options, int *exit_code)
{
    int program = program_begins(argc, argv), option;

    *watch_options = (struct watch_options){0};
    *exit_code = -1;
    if (program < argc && argv[program + 1])
        watch_options->program = argv + program + 1;
    options_begin(program, argv, "", options);
    while ((option = option_next(program, argv, options, help, exit_code)) != -1)
        take_watch_option(watch_options, option);
    if (*exit_code >= 0)
        return -1;
    if (program < argc && !watch_options->program)
        *exit_code = usage_error("watch", "-- needs a program after it");
    else
        *exit_code = take_operands(watch_options, argv + optind, program - optind);
    return *exit_code == 0 ? 0 : -1;
}
