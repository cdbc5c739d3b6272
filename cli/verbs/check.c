/*
 * check.c - hotpatch check: would a patch fit? Of a process the process itself is asked;
 * of a file the manifest is held against what the file declares, its functions and its imports.
 */
#include "cli/verbs/check.h"

#include <elf.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/request.h"
#include "cli/debug/file_functions.h"
#include "cli/debug/file_image.h"
#include "cli/debug/file_slots.h"
#include "cli/debug/lookup.h"
#include "cli/output/output.h"
#include "cli/session/reply.h"
#include "cli/session/request_run.h"
#include "cli/verbs/usage.h"
#include "elf/manifest.h"
#include "elf/protection.h"
#include "elf/slot_table.h"
#include "include/hotpatch.h"
#include "resolve/elf_refusal.h"
#include "resolve/fit.h"
#include "resolve/symbol_spec.h"

static const char help[] =
    "hotpatch check [OPTION...] PID|@NAME|FILE PATCH\n"
    "\n"
    "Says whether PATCH can be loaded, and lists all that is wrong. A process is asked\n"
    "itself (load --dry-run). Of a FILE, what the patch replaces is looked up among what the\n"
    "file declares, its functions, whose first bytes are judged, and what it imports; undefined\n"
    "symbols and other libraries are judged at the load.\n"
    "\n"
    "    --debug FILE  debug information of an object of the target, beside what is installed;\n"
    "                  may be given several times\n"
    "    --json        print as JSON\n";

static const struct option options[] = {
    COMMON_OPTIONS,
    {"debug", required_argument, NULL, OPTION_DEBUG},
    END_OF_OPTIONS,
};

#define INLINED_TIME 5000 /* ms for one target's copies */

struct check_options {
    const char **debug; /* files */
    size_t debug_count;
    bool json;
};

struct check {
    const char *host_path;
    struct file_image host;
    struct file_slots slots;
    struct file_functions functions;
    const char *patch_path;
    struct file_image patch;
    struct manifest manifest;
    struct slot_table own; /* slots that the patch itself declares */
    struct refusal why;
    struct lookup *lookup;
    struct json_object *warnings;
    size_t fits; /* entries that have exactly one slot */
};

static bool names_host(const struct check *check, const struct symbol_spec *target)
{
    return symbol_spec_object_matches(target, true, check->host_path,
                                      image_soname(check->host.image), check->slots.name_space);
}

static bool names_needed(const struct check *check, const struct symbol_spec *target)
{
    const char *needed;

    for (size_t i = 0; (needed = image_needed(check->host.image, i)); i++)
        if (strcmp(needed, target->object) == 0)
            return true;
    return false;
}

/* An import belongs to the importing file and to the library that defines it; which of the
 * needed ones that is, only a process tells. */
static bool is_match(const struct check *check, const struct file_slot *slot,
                     const struct symbol_spec *target)
{
    if (slot->why || strcmp(slot->name, target->name) != 0)
        return false;
    if (slot->declared)
        return !*target->version && names_host(check, target);
    if (*target->version && (!slot->version || strcmp(slot->version, target->version) != 0))
        return false;
    return names_host(check, target) || names_needed(check, target);
}

static size_t find(const struct check *check, const struct symbol_spec *target, bool declared,
                   const struct file_slot **found)
{
    size_t count = 0;

    for (size_t i = 0; i < check->slots.count; i++)
        if (check->slots.list[i].declared == declared &&
            is_match(check, &check->slots.list[i], target)) {
            *found = &check->slots.list[i];
            count++;
        }
    return count;
}

static bool patch_declares(const struct check *check, const char *name)
{
    for (size_t i = 0; i < check->own.count; i++)
        if (strcmp(check->own.slots[i].name, name) == 0)
            return true;
    return false;
}

static void check_missing(struct check *check, const struct symbol_spec *target, const char *text)
{
    char *absent = lookup_absent(check->lookup, text, INLINED_TIME);

    if (absent)
        refuse(&check->why, HP_NO_TARGET, "%s: %s", check->patch_path, absent);
    else if (*target->object && !names_host(check, target))
        refuse(&check->why, HP_NO_TARGET, "%s: %s is not in %s itself; check it against a process",
               check->patch_path, text, check->host_path);
    else
        refuse(&check->why, HP_NO_TARGET, "%s: %s has nothing of the name %s", check->patch_path,
               check->host_path, text);
    free(absent);
}

static void refuse_kind(struct check *check, const struct manifest_entry *entry, uint32_t slot_kind,
                        const char *slot_signature)
{
    char replacement[400], replaced[400];

    fit_describe(entry->kind, entry->signature, replacement, sizeof(replacement));
    fit_describe(slot_kind, slot_signature, replaced, sizeof(replaced));
    refuse(&check->why, HP_KIND, "%s: the replacement of %s is %s, the slot is %s",
           check->patch_path, entry->target, replacement, replaced);
}

static void check_fit(struct check *check, const struct manifest_entry *entry,
                      const struct file_slot *slot)
{
    switch (fit_judge(entry->kind, entry->signature, slot->kind, slot->signature)) {
    case FIT_OTHER_KIND:
        refuse_kind(check, entry, slot->kind, slot->signature);
        break;
    case FIT_OTHER_SIGNATURE:
        refuse(&check->why, HP_SIGNATURE, "%s: the replacement of %s is `%s`, the slot is `%s`",
               check->patch_path, entry->target, entry->signature, slot->signature);
        break;
    case FIT_AGREES:
        check->fits++;
        break;
    }
}

static void add_warning(struct check *check, char *text)
{
    if (text)
        json_object_array_add(check->warnings, json_object_new_string(text));
    free(text);
}

/* By the names that a process finds by itself, else by what debug information tells. False: there
 * is none, or it is refused. */
static bool find_function(struct check *check, const struct symbol_spec *target, const char *text,
                          struct function *function)
{
    uint64_t address;

    if (file_functions_named(&check->functions, target, function) == 1)
        return true;
    return lookup_address(check->lookup, text, &address, &check->why) == 1 &&
           file_function_at(&check->functions, address, function);
}

/* What changes with the function, and that a clone is not what it is called. */
static void warn_of_copies(struct check *check, const struct symbol_spec *target,
                           const struct function *function)
{
    const struct function_copies *copies = file_function_copies(&check->functions);
    const char *name = target->by_offset ? function->name : target->name;
    char list[200] = "";

    if (copies)
        function_copies_list(copies, function->address, name, false, list, sizeof(list));
    if (*list)
        add_warning(check, format_text(FUNCTION_SAME_CODE, name ? name : "it", list));
    if (name && function_is_clone(name))
        add_warning(check, format_text(FUNCTION_IS_CLONE, name));
}

/* What cannot be patched at its entry may be switched where the file itself imports it. */
static void judge_function(struct check *check, const struct symbol_spec *target,
                           const struct manifest_entry *entry, const struct function *function)
{
    const struct file_slot *import;
    struct function_code code;

    if (entry->kind == HOTPATCH_KIND_DATA) {
        refuse_kind(check, entry, HOTPATCH_KIND_FUNCTION, NULL);
        return;
    }
    file_function_code(&check->functions, function, &code);
    if (!code.problem) {
        check->fits++;
        add_warning(check, lookup_inlined(check->lookup, entry->target, INLINED_TIME));
        if (!function->ifunc)
            warn_of_copies(check, target, function);
    } else if (find(check, target, false, &import) == 1) {
        check->fits++;
        add_warning(check, format_text("%s: only calls through imports switch: %s", entry->target,
                                       code.problem));
    } else {
        refuse(&check->why, HP_NOT_PATCHABLE, "%s: %s: %s", check->patch_path, entry->target,
               code.problem);
    }
}

/* A function of the file. True: judged. */
static bool check_function(struct check *check, const struct symbol_spec *target,
                           const struct manifest_entry *entry)
{
    size_t before = check->why.count;
    struct function function;

    if (!names_host(check, target) || !find_function(check, target, entry->target, &function))
        return check->why.count > before;
    judge_function(check, target, entry, &function);
    return true;
}

static void check_entry(struct check *check, const struct manifest_entry *entry)
{
    const struct file_slot *slot = NULL;
    struct symbol_spec target;
    size_t count;

    if (symbol_spec_parse(entry->target, &target) != 0) {
        refuse(&check->why, HP_TARGET, "%s: `%s` is no target", check->patch_path, entry->target);
        return;
    }
    count = target.by_offset ? 0 : find(check, &target, true, &slot);
    if (count == 0 && check_function(check, &target, entry))
        return;
    if (count == 0 && !*target.file)
        count = find(check, &target, false, &slot);
    if (count > 1)
        refuse(&check->why, HP_AMBIGUOUS, "%s: %s matches %zu slots of %s", check->patch_path,
               entry->target, count, check->host_path);
    else if (count == 1)
        check_fit(check, entry, slot);
    else if (patch_declares(check, target.name))
        check->fits++;
    else
        check_missing(check, &target, entry->target);
}

/* HOTPATCH_TARGET of another object than the file cannot be judged here. */
static void check_build(struct check *check, const struct manifest_target *wanted)
{
    const char *id = image_build_id(check->host.image);
    struct symbol_spec target = {0};

    if (snprintf(target.object, sizeof(target.object), "%s", wanted->object) >=
        (int)sizeof(target.object)) {
        refuse(&check->why, HP_TARGET, "%s: the object of HOTPATCH_TARGET is too long",
               check->patch_path);
        return;
    }
    if (names_host(check, &target) && strcasecmp(id, wanted->build_id) != 0)
        refuse(&check->why, HP_BUILD_ID, "%s is for build %s of %s, and %s is build %s",
               check->patch_path, wanted->build_id, wanted->object, check->host_path,
               *id ? id : "(without id)");
}

static void check_clashes(struct check *check)
{
    const struct manifest *manifest = &check->manifest;

    for (size_t i = 0; i < manifest->entry_count; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(manifest->entries[i].target, manifest->entries[j].target) == 0)
                refuse(&check->why, HP_NAME_CLASH, "%s replaces %s twice", check->patch_path,
                       manifest->entries[i].target);
}

/* As the engine judges it before dlopen(3). */
static void check_protection(struct check *check)
{
    const char *stack = image_executable_stack(check->patch.image);
    uint64_t address;

    if (stack)
        refuse(&check->why, HP_WX, "%s: %s", check->patch_path, stack);
    if (image_writable_code(check->patch.image, &address))
        refuse(&check->why, HP_WX, "%s: its segment at 0x%llx is writable and executable",
               check->patch_path, (unsigned long long)address);
}

static int check_open(struct check *check, const struct check_options *with)
{
    struct elf_error error = {0};

    if (file_image_open(&check->host, check->host_path, 0, &check->why) != 0)
        return -1;
    if (image_is_static(check->host.image))
        return refuse(&check->why, HP_STATIC, "%s is statically linked", check->host_path);
    if (file_slots_read(check->host.image, check->host_path, &check->slots, &check->why) != 0 ||
        file_functions_open(&check->functions, &check->host, check->host_path, &check->why) != 0 ||
        file_image_open(&check->patch, check->patch_path, ET_DYN, &check->why) != 0 ||
        !(check->lookup = lookup_open(with->debug, with->debug_count, &check->why)))
        return -1;
    lookup_file(check->lookup, check->host_path);
    if (lookup_debug_files_fit(check->lookup, &check->why) != 0)
        return -1;
    if (manifest_read(check->patch.image, &check->manifest, &error) != 0 ||
        slot_table_read(check->patch.image, &check->own, &error) < 0)
        return refuse(&check->why, elf_refusal_code(&error), "%s: %s", check->patch_path,
                      error.text);
    return 0;
}

static void check_close(struct check *check)
{
    lookup_close(check->lookup);
    json_object_put(check->warnings);
    slot_table_free(&check->own);
    manifest_free(&check->manifest);
    file_image_close(&check->patch);
    file_functions_close(&check->functions);
    file_slots_free(&check->slots);
    file_image_close(&check->host);
}

static void warn(const struct check *check)
{
    for (size_t i = 0; i < json_length(check->warnings); i++) {
        fputs("hotpatch: warning: ", stderr);
        text_print(stderr, json_object_get_string(json_item(check->warnings, i)));
        fputc('\n', stderr);
    }
}

static void print_fits(const struct check *check, bool json)
{
    struct json_object *reply;

    if (!json) {
        warn(check);
        fputs("fits: ", stdout);
        text_print(stdout, check->manifest.name);
        fputc(' ', stdout);
        text_print(stdout, check->manifest.version);
        printf(", %zu slot%s of ", check->fits, check->fits == 1 ? "" : "s");
        text_print(stdout, check->host_path);
        fputc('\n', stdout);
        return;
    }
    reply = reply_refused(0, "check", &check->why);
    document_add_text(reply, "file", check->host_path);
    document_add_text(reply, "patch", check->patch_path);
    document_add_text(reply, "name", check->manifest.name);
    document_add_text(reply, "version", check->manifest.version);
    document_add_number(reply, "slots", (long long)check->fits);
    json_object_object_add(reply, "warnings", json_object_get(check->warnings));
    document_print(reply, 0);
    json_object_put(reply);
}

static int check_file(const char *host, const char *patch, const struct check_options *with)
{
    struct check check = {
        .host_path = host, .patch_path = patch, .warnings = json_object_new_array()};
    int exit_code = 0;

    if (check_open(&check, with) == 0) {
        for (size_t i = 0; i < check.manifest.target_count; i++)
            check_build(&check, &check.manifest.targets[i]);
        for (size_t i = 0; i < check.manifest.entry_count; i++)
            check_entry(&check, &check.manifest.entries[i]);
        check_clashes(&check);
        check_protection(&check);
    }
    if (check.why.count == 0)
        print_fits(&check, with->json);
    else
        exit_code = refused("check", 0, &check.why, with->json);
    check_close(&check);
    return exit_code;
}

static int check_process(const char *target, const char *patch, const struct check_options *with)
{
    struct refusal why = {0};
    char *path = absolute_path(patch, &why);
    const char *const paths[] = {path};
    struct client_request client_request = {
        .verb = "load",
        .keys = "dry-run=1",
        .patches = paths,
        .patch_count = 1,
        .lookup = path ? lookup_open(with->debug, with->debug_count, &why) : NULL,
        .timeout = REQUEST_TIMEOUT_DEFAULT,
    };
    int exit_code = client_request.lookup
                        ? request_run_on(target, &client_request, with->json, print_applied)
                        : refused("check", 0, &why, with->json);

    lookup_close(client_request.lookup);
    free(path);
    return exit_code;
}

static int check_operands(int argc, char **argv, const struct check_options *with)
{
    if (argc - optind != 2)
        return usage_error("check", "check takes a target and a patch");
    if (target_is_file(argv[optind])) {
        char *host = target_file(argv[optind]);
        int exit_code = check_file(host, argv[optind + 1], with);

        free(host);
        return exit_code;
    }
    return check_process(argv[optind], argv[optind + 1], with);
}

int verb_check(int argc, char **argv)
{
    struct check_options with = {0};
    int option, exit_code;

    options_begin(argc, argv, "", options);
    with.debug = allocate((size_t)argc * sizeof(*with.debug));
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == OPTION_HELP || option == '?') {
            free(with.debug);
            return option == '?' ? usage_unknown("check", argv) : help_print(help);
        }
        if (option == OPTION_DEBUG)
            with.debug[with.debug_count++] = optarg;
        else
            with.json = true;
    }
    exit_code = check_operands(argc, argv, &with);
    free(with.debug);
    return exit_code;
}
