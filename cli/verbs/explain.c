/* explain.c - hotpatch explain: what a refusal's code means and what helps. */
#include "cli/verbs/explain.h"

#include <json-c/json.h>
#include <string.h>

#include "cli/output/output.h"
#include "cli/session/reply.h"
#include "cli/verbs/usage.h"

static const char help[] =
    "hotpatch explain [CODE]\n"
    "\n"
    "Says what a refusal's code (HP-...) means and what helps; without one, lists them all.\n"
    "\n"
    "    --json    print as JSON\n";

static const struct option options[] = {COMMON_OPTIONS, END_OF_OPTIONS};

static void explain_add(struct json_object *list, const struct error_info *info)
{
    struct json_object *entry = json_object_new_object();

    document_add_text(entry, "code", info->code);
    document_add_number(entry, "exit", info->exit_code);
    document_add_text(entry, "text", info->meaning);
    document_add_text(entry, "remedy", info->remedy);
    json_object_array_add(list, entry);
}

static void print_code(const struct error_info *info)
{
    printf("%s (exit code %d): %s\n  %s\n", info->code, info->exit_code, info->meaning,
           info->remedy);
}

int verb_explain(int argc, char **argv)
{
    struct json_object *document, *codes;
    const struct error_info *only = NULL;
    bool json = false;
    int exit_code = -1;

    options_begin(argc, argv, "", options);
    while (option_next(argc, argv, options, help, &exit_code) != -1)
        json = true;
    if (exit_code >= 0)
        return exit_code;
    if (argc - optind > 1)
        return usage_error("explain", "explain takes one code");
    if (optind < argc && !(only = error_find(argv[optind])))
        return usage_error("explain", "there is no code %s", argv[optind]);
    document = document_new("explain");
    codes = json_object_new_array();
    for (int i = HP_NONE + 1; i < ERROR_CODE_COUNT; i++) {
        const struct error_info *info = error_info((enum error_code)i);

        if (only && info != only)
            continue;
        if (json)
            explain_add(codes, info);
        else
            print_code(info);
    }
    json_object_object_add(document, "codes", codes);
    if (json)
        document_print(document, 0);
    json_object_put(document);
    return 0;
}
