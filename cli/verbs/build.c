/*
 * build.c - hotpatch build: from a diff, or two trees, to a thin object (cli/build/build.h has the pipeline).
 */
#include "cli/verbs/build.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base_name.h"
#include "cli/build/build.h"
#include "cli/build/diff_edit.h"
#include "cli/build/file_bytes.h"
#include "cli/build/tree_edit.h"
#include "cli/output/output.h"
#include "cli/session/reply.h"
#include "cli/verbs/usage.h"

static const char help[] =
    "hotpatch build --target BIN --build-dir DIR [OPTION...] [-pN] DIFF... -o FILE.hpo\n"
    "hotpatch build --target BIN --build-dir DIR --from DIR --to DIR [OPTION...] -o FILE.hpo\n"
    "hotpatch build --target BIN --cc 'gcc -O2 -g' SOURCE... DIFF...\n"
    "\n"
    "Makes a thin object of an edit of the sources that BIN was built from: a file with the\n"
    "functions that change, for `hotpatch load` into each process of that build. The sources are\n"
    "not changed. The edit is one diff or several (`-`: the standard input), or the difference of\n"
    "two trees.\n"
    "\n"
    "    --target BIN     the program or library, with symbols\n"
    "    --build-dir DIR  has compile_commands.json (cmake, meson, bear)\n"
    "    --source DIR     the paths of the diffs begin here; default: the build directory\n"
    "    -pN              take N components off these paths; default: 1\n"
    "    -o FILE          the thin object; default: the name of the first diff, with .hpo\n"
    "    --from DIR, --to DIR  the sources of BIN, and the edited ones\n"
    "    --cc COMMAND     the compiler with its options, where there is no compile_commands.json\n"
    "    --debug FILE     symbols and types of BIN: of its build-id, or of an unstripped rebuild\n"
    "    --name NAME      of the module; default: the name of FILE\n"
    "    --explain        say of each function where it is, and why it is in the patch\n"
    "    --force-types    do not refuse types and prototypes that changed\n"
    "    --json           print as JSON\n";

enum { OPTION_TARGET = 1024, OPTION_FROM, OPTION_TO, OPTION_EXPLAIN, OPTION_NAME };

static const struct option options[] = {
    COMMON_OPTIONS,
    {"target", required_argument, NULL, OPTION_TARGET},
    {"build-dir", required_argument, NULL, OPTION_BUILD_DIR},
    {"source", required_argument, NULL, OPTION_SOURCE},
    {"from", required_argument, NULL, OPTION_FROM},
    {"to", required_argument, NULL, OPTION_TO},
    {"debug", required_argument, NULL, OPTION_DEBUG},
    {"explain", no_argument, NULL, OPTION_EXPLAIN},
    {"force-types", no_argument, NULL, OPTION_FORCE_TYPES},
    {"cc", required_argument, NULL, OPTION_CC},
    {"name", required_argument, NULL, OPTION_NAME},
    END_OF_OPTIONS,
};

static const char letters[] = "p:o:";

struct build_request {
    struct build_options with;
    const char *from, *to; /* trees */
    const char *output, *name;
    const char **diffs;
    size_t diff_count;
    const char **sources; /* --cc */
    unsigned strip;
    bool explain, json;
};

/* -------------------------------------------------------- command line --- */

static int take_strip(struct build_request *request, const char *text)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);

    if (end == text || *end || number > 100)
        return usage_error("build", "-p takes a number of path components, not %s", text);
    request->strip = (unsigned)number;
    return 0;
}

static int take_build_option(struct build_request *request, int option)
{
    switch (option) {
    case 'p':
        return take_strip(request, optarg);
    case 'o':
        request->output = optarg;
        break;
    case OPTION_TARGET:
        request->with.target = optarg;
        break;
    case OPTION_BUILD_DIR:
        request->with.build_dir = optarg;
        break;
    case OPTION_SOURCE:
        request->with.source_dir = optarg;
        break;
    case OPTION_FROM:
        request->from = optarg;
        break;
    case OPTION_TO:
        request->to = optarg;
        break;
    case OPTION_DEBUG:
        request->with.debug = optarg;
        break;
    case OPTION_EXPLAIN:
        request->explain = request->with.explain = true;
        break;
    case OPTION_FORCE_TYPES:
        request->with.force_types = true;
        break;
    case OPTION_CC:
        request->with.compiler = optarg;
        break;
    case OPTION_NAME:
        request->name = optarg;
        break;
    default:
        request->json = request->with.explain = true;
    }
    return 0;
}

static bool is_source_name(const char *name)
{
    const char *dot = strrchr(base_name(name), '.');

    return dot && (strcmp(dot, ".c") == 0 || strcmp(dot, ".cc") == 0 || strcmp(dot, ".cpp") == 0 ||
                   strcmp(dot, ".cxx") == 0);
}

/* Part the operands: with --cc those that are sources are what the program is made of. */
static void part_operands(struct build_request *request, int argc, char **argv)
{
    for (int i = optind; i < argc; i++)
        if (request->with.compiler && is_source_name(argv[i]))
            request->sources[request->with.file_count++] = argv[i];
        else
            request->diffs[request->diff_count++] = argv[i];
    request->with.files = request->sources;
}

static int check_request(const struct build_request *request)
{
    if (!request->with.target)
        return usage_error("build", "build needs --target");
    if (!request->with.build_dir == !request->with.compiler)
        return usage_error("build",
                           "build needs --build-dir, --cc, or a --from with compile commands");
    if (request->with.compiler && !request->with.file_count)
        return usage_error("build", "--cc needs the sources of the program");
    if (!request->from != !request->to)
        return usage_error("build", "--from and --to come together");
    if (request->from && request->diff_count)
        return usage_error("build", "an edit is diffs or two trees, not both");
    if (request->name && !*request->name)
        return usage_error("build", "--name takes a name");
    if (!request->from && !request->diff_count)
        return usage_error("build", "build needs a diff, or --from and --to");
    return 0;
}

/* ------------------------------------------------------------- results --- */

static char *without_suffix(const char *path)
{
    const char *name = base_name(path), *dot = strrchr(name, '.');

    return format_text("%.*s", dot && dot > name ? (int)(dot - name) : (int)strlen(name), name);
}

/* Return the path of the thin object, malloc'd: -o, or the first diff's name in the working directory. */
static char *output_path(const struct build_request *request)
{
    char *stem, *path;

    if (request->output)
        return format_text("%s", request->output);
    stem = without_suffix(request->diff_count && strcmp(request->diffs[0], "-") != 0
                              ? request->diffs[0]
                              : request->with.target);
    path = format_text("%s.hpo", stem);
    free(stem);
    return path;
}

/* Return the module's name, malloc'd: a word that can stand in a request. */
static char *name_of_module(const struct build_request *request, const char *output)
{
    char *name = request->name ? format_text("%s", request->name) : without_suffix(output);

    for (char *at = name; *at; at++)
        if (*at <= ' ' || *at == '/' || *at == 0x7f)
            *at = '-';
    return name;
}

static void print_function(const struct build_function *function, bool explain)
{
    text_print(stdout, function->name);
    if (explain) {
        fputs("  ", stdout);
        text_print(stdout, function->source);
        if (function->line)
            printf(":%u", function->line);
        fputs(": ", stdout);
        text_print(stdout, function->why);
    }
    putchar('\n');
}

static void print_build_notes(FILE *out, const struct build_result *result)
{
    for (size_t i = 0; i < result->note_count; i++) {
        fputs("note: ", out);
        text_print(out, result->notes[i]);
        fputc('\n', out);
    }
}

static void print_result(const struct build_request *request, const struct build_result *result)
{
    printf("%zu functions\n", result->function_count);
    for (size_t i = 0; i < result->function_count; i++)
        print_function(&result->functions[i], request->explain);
    print_build_notes(stdout, result);
}

static struct json_object *function_row(const struct build_function *function)
{
    struct json_object *row = json_object_new_object();

    document_add_text(row, "name", function->name);
    document_add_text(row, "source", function->source);
    document_add_number(row, "line", function->line);
    document_add_text(row, "why", function->why);
    document_add_bool(row, "replaces", function->replaces);
    return row;
}

static void add_build_results(struct json_object *document, const struct build_result *result)
{
    struct json_object *functions = json_object_new_array(), *notes = json_object_new_array();
    struct json_object *times = json_object_new_object();

    for (size_t i = 0; i < result->function_count; i++)
        json_object_array_add(functions, function_row(&result->functions[i]));
    for (size_t i = 0; i < result->note_count; i++)
        json_object_array_add(notes, json_object_new_string(result->notes[i]));
    json_object_object_add(document, "functions", functions);
    json_object_object_add(document, "notes", notes);
    json_object_object_add(times, "compile", json_object_new_double(result->times.compile));
    json_object_object_add(times, "compare", json_object_new_double(result->times.compare));
    json_object_object_add(times, "select", json_object_new_double(result->times.select));
    json_object_object_add(times, "write", json_object_new_double(result->times.write));
    json_object_object_add(document, "milliseconds", times);
    if (result->compiler_words)
        document_add_text(document, "compiler", result->compiler_words);
}

static void print_json(const struct build_result *result, const char *output,
                       const struct refusal *why)
{
    struct json_object *document = reply_refused(0, "build", why);

    if (!why->count)
        document_add_text(document, "output", output);
    add_build_results(document, result);
    document_print(document, refusal_exit_code(why));
    json_object_put(document);
}

/* Print what happened. Return the exit code. */
static int report_build(const struct build_request *request, const struct build_result *result,
                        const char *output, struct refusal *why)
{
    int exit_code = refusal_exit_code(why);

    if (request->json) {
        print_json(result, output, why);
        refusal_clear(why);
        return exit_code;
    }
    if (!why->count) {
        print_result(request, result);
        return 0;
    }
    if (result->compiler_words)
        fputs(result->compiler_words, stderr);
    print_build_notes(stderr, result);
    return refused("build", 0, why, false);
}

/* ---------------------------------------------------------------- build --- */

static int read_diffs(const struct build_request *request, struct build *build,
                      struct edit_list *list, struct refusal *why)
{
    int result = 0;

    for (size_t i = 0; i < request->diff_count && result == 0; i++) {
        char *text;
        size_t size;

        if (file_bytes_read_stream(request->diffs[i], &text, &size) != 0)
            return refuse(why, HP_OPEN, "open %s: %s", request->diffs[i], strerror(errno));
        result = diff_edit(list, build, text, size, request->diffs[i], request->strip, why);
        free(text);
    }
    return result;
}

static void add_list_notes(struct build_result *result, const struct edit_list *list)
{
    for (size_t i = 0; i < list->notes.count; i++) {
        result->notes =
            reallocate(result->notes, (result->note_count + 1) * sizeof(*result->notes));
        result->notes[result->note_count++] = format_text("%s", list->notes.list[i]);
    }
}

static int read_trees(const struct build_request *request, struct build *build,
                      struct edit_list *list, struct refusal *why)
{
    char *from = absolute_path(request->from, why), *to = absolute_path(request->to, why);
    int result = -1;

    if (from && to)
        result = tree_edit(list, build, from, to, why);
    free(from);
    free(to);
    return result;
}

static void build_edit(const struct build_request *request, struct build *build,
                       const struct build_output *output, struct build_result *result,
                       struct refusal *why)
{
    struct edit_list list = {0};
    struct edit edit;

    if ((request->from ? read_trees(request, build, &list, why)
                       : read_diffs(request, build, &list, why)) == 0) {
        edit = (struct edit){list.files, list.count};
        build_patch(build, &edit, output, result, why);
    }
    add_list_notes(result, &list);
    edit_list_free(&list);
}

static int run_build(const struct build_request *request)
{
    struct build_result result = {0};
    struct refusal why = {0};
    struct build *build = NULL;
    char *path = output_path(request), *name = name_of_module(request, path);
    const struct build_output output = {.path = path, .name = name};
    int exit_code;

    if (build_open(&build, &request->with, &why) == 0)
        build_edit(request, build, &output, &result, &why);
    build_close(build);
    exit_code = report_build(request, &result, path, &why);
    build_result_free(&result);
    free(path);
    free(name);
    return exit_code;
}

int verb_build(int argc, char **argv)
{
    struct build_request request = {.strip = 1};
    int option, exit_code = 0;

    options_begin(argc, argv, letters, options);
    request.diffs = allocate((size_t)argc * sizeof(*request.diffs));
    request.sources = allocate((size_t)argc * sizeof(*request.sources));
    while (exit_code == 0 && (option = getopt_long(argc, argv, letters, options, NULL)) != -1) {
        if (option == OPTION_HELP) {
            free(request.diffs);
            free(request.sources);
            return help_print(help);
        }
        exit_code =
            option == '?' ? usage_unknown("build", argv) : take_build_option(&request, option);
    }
    if (exit_code == 0) {
        part_operands(&request, argc, argv);
        if (request.from && !request.with.compiler && !request.with.build_dir)
            request.with.build_dir = request.from; /* a build in place */
        exit_code = check_request(&request);
    }
    if (exit_code == 0)
        exit_code = run_build(&request);
    free(request.diffs);
    free(request.sources);
    return exit_code;
}
