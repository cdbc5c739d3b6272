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
#include "cli/verbs/check_thin.h"
#include "cli/verbs/usage.h"
#include "elf/manifest.h"
#include "elf/protection.h"
#include "elf/slot_table.h"
#include "include/hotpatch.h"
#include "resolve/elf_refusal.h"
#include "resolve/fit.h"
#include "resolve/resolver.h"
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

struct file_check {
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

static bool names_host(const struct file_check *check, const struct symbol_spec *target)
{
    return symbol_spec_object_matches(target, true, check->host_path,
                                      image_soname(check->host.image), check->slots.name_space);
}

/* Return whether OBJECT names the patch itself. */
static bool names_patch(const struct file_check *check, const struct symbol_spec *target)
{
    return symbol_spec_object_matches(target, false, check->patch_path, check->manifest.name,
                                      check->own.name_space);
}

/* Return whether OBJECT names a library that the file needs; without OBJECT each is meant. */
static bool names_needed(const struct file_check *check, const struct symbol_spec *target)
{
    const char *needed;

    if (!*target->object)
        return true;
    for (size_t i = 0; (needed = image_needed(check->host.image, i)); i++)
        if (strcmp(needed, target->object) == 0)
            return true;
    return false;
}

static void check_missing(struct file_check *check, const struct symbol_spec *target,
                          const char *text)
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

/* One declared slot or import that a target could mean. */
struct slot_candidate {
    uint32_t kind; /* enum hotpatch_kind */
    const char *signature;
};

static void refuse_kind(struct file_check *check, const struct manifest_entry *entry,
                        uint32_t slot_kind, const char *slot_signature)
{
    char replacement[400], replaced[400];

    fit_describe(entry->kind, entry->signature, replacement, sizeof(replacement));
    fit_describe(slot_kind, slot_signature, replaced, sizeof(replaced));
    refuse(&check->why, HP_KIND, "%s: the replacement of %s is %s, the slot is %s",
           check->patch_path, entry->target, replacement, replaced);
}

static void check_fit(struct file_check *check, const struct manifest_entry *entry,
                      const struct slot_candidate *slot)
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

static void add_check_warning(struct file_check *check, char *text)
{
    if (text)
        json_object_array_add(check->warnings, json_object_new_string(text));
    free(text);
}

/* Warn of functions that change with this one, and of a clone, whose parameters are the compiler's choice. */
static void warn_of_same_code(struct file_check *check, const struct symbol_spec *target,
                              const struct function *function)
{
    const struct function_copies *copies = file_function_copies(&check->functions);
    const char *name = target->by_offset ? function->name : target->name;
    char list[200] = "";

    if (copies)
        function_copies_list(copies, function->address, name, false, list, sizeof(list));
    if (*list)
        add_check_warning(check, format_text(FUNCTION_SAME_CODE, name ? name : "it", list));
    if (name && function_is_clone(name))
        add_check_warning(check, format_text(FUNCTION_IS_CLONE, name));
}

/* ------------------------------------------------------- what a target means --- */

struct file_search {
    struct file_check *check;
    const struct manifest_entry *entry;
    struct slot_candidate slot; /* the last declared slot or import that was found */
    struct function function;   /* the last that was found */
    struct function_code code;
};

/* Those of the file, and those of the patch itself. */
static size_t file_declared(const struct symbol_spec *target, void *context)
{
    struct file_search *search = context;
    const struct file_check *check = search->check;
    size_t count = 0;

    for (size_t i = 0; names_host(check, target) && i < check->slots.count; i++) {
        const struct file_slot *slot = &check->slots.list[i];

        if (slot->declared && strcmp(slot->name, target->name) == 0) {
            search->slot = (struct slot_candidate){slot->kind, slot->signature};
            count++;
        }
    }
    for (size_t i = 0; names_patch(check, target) && i < check->own.count; i++) {
        const struct table_slot *slot = &check->own.slots[i];

        if (strcmp(slot->name, target->name) == 0) {
            search->slot = (struct slot_candidate){slot->kind, slot->signature};
            count++;
        }
    }
    return count;
}

/* Only a process tells which needed library defines an import: each may. */
static size_t file_imports(const struct symbol_spec *target, enum resolver_side side, void *context)
{
    struct file_search *search = context;
    const struct file_check *check = search->check;
    bool meant = side == RESOLVER_DEFINER ? names_needed(check, target) : names_host(check, target);
    size_t count = 0;

    for (size_t i = 0; meant && i < check->slots.count; i++) {
        const struct file_slot *slot = &check->slots.list[i];

        if (!slot->declared && !slot->why && strcmp(slot->name, target->name) == 0 &&
            resolver_version_matches(target, slot->version)) {
            search->slot = (struct slot_candidate){slot->kind, slot->signature};
            count++;
        }
    }
    return count;
}

/* Look in debug information for what the file's own symbols do not name, as the command does before it
 * sends a request to a process. Refuses here what could be several functions. */
static bool file_place(const struct symbol_spec *target, size_t *count, void *context)
{
    struct file_search *search = context;
    struct file_check *check = search->check;
    uint64_t address;

    *count = 0;
    if (!names_host(check, target) ||
        file_functions_named(&check->functions, target, &search->function) == 1)
        return false;
    *count = lookup_address(check->lookup, search->entry->target, &address, &check->why);
    if (*count == 1 && !file_function_at(&check->functions, address, &search->function))
        *count = 0;
    return *count > 0;
}

static size_t file_functions_meant(const struct symbol_spec *target, void *context)
{
    struct file_search *search = context;

    if (!names_host(search->check, target))
        return 0;
    return file_functions_named(&search->check->functions, target, &search->function);
}

static bool is_patchable(void *context)
{
    struct file_search *search = context;

    file_function_code(&search->check->functions, &search->function, &search->code);
    return !search->code.problem;
}

static const struct resolver_source file_source = {
    .declared = file_declared,
    .place = file_place,
    .functions = file_functions_meant,
    .patchable = is_patchable,
    .imports = file_imports,
};

static void check_function(struct file_check *check, const struct symbol_spec *target,
                           const struct file_search *search)
{
    if (search->entry->kind == HOTPATCH_KIND_DATA) {
        refuse_kind(check, search->entry, HOTPATCH_KIND_FUNCTION, NULL);
        return;
    }
    check->fits++;
    add_check_warning(check, lookup_inlined(check->lookup, search->entry->target, INLINED_TIME));
    if (!search->function.ifunc)
        warn_of_same_code(check, target, &search->function);
}

static void check_slot(struct file_check *check, const struct file_search *search)
{
    const char *problem = search->code.problem;

    if (problem)
        add_check_warning(check, format_text("%s: only calls through imports switch: %s",
                                             search->entry->target, problem));
    check_fit(check, search->entry, &search->slot);
}

static void check_chosen(struct file_check *check, const struct symbol_spec *target,
                         const struct file_search *search, const struct resolver_choice *choice)
{
    const char *text = search->entry->target;

    if (choice->count > 1)
        refuse(&check->why, HP_AMBIGUOUS, "%s: %s matches %zu slots of %s", check->patch_path, text,
               choice->count, check->host_path);
    else if (choice->kind == RESOLVER_FUNCTION)
        check_function(check, target, search);
    else if (choice->count == 1)
        check_slot(check, search);
    else if (search->code.problem)
        refuse(&check->why, HP_NOT_PATCHABLE, "%s: %s: %s", check->patch_path, text,
               search->code.problem);
    else
        check_missing(check, target, text);
}

static void check_entry(struct file_check *check, const struct manifest_entry *entry)
{
    struct file_search search = {.check = check, .entry = entry};
    size_t before = check->why.count;
    struct resolver_choice choice;
    struct symbol_spec target;

    if (symbol_spec_parse(entry->target, &target) != 0) {
        refuse(&check->why, HP_TARGET, "%s: `%s` is no target", check->patch_path, entry->target);
        return;
    }
    choice = resolver_choose(&target, &file_source, &search);
    if (check->why.count == before)
        check_chosen(check, &target, &search, &choice);
}

/* Check HOTPATCH_TARGET of the file. That of another object cannot be checked here. */
static void check_build(struct file_check *check, const struct manifest_target *wanted)
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

static void check_clashes(struct file_check *check)
{
    const struct manifest *manifest = &check->manifest;

    for (size_t i = 0; i < manifest->entry_count; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(manifest->entries[i].target, manifest->entries[j].target) == 0)
                refuse(&check->why, HP_NAME_CLASH, "%s replaces %s twice", check->patch_path,
                       manifest->entries[i].target);
}

/* Refuse what the engine refuses before dlopen(3). */
static void check_patch_protection(struct file_check *check)
{
    const char *stack = image_executable_stack(check->patch.image);
    uint64_t address;

    if (stack)
        refuse(&check->why, HP_WX, "%s: %s", check->patch_path, stack);
    if (image_writable_code(check->patch.image, &address))
        refuse(&check->why, HP_WX, "%s: its segment at 0x%llx is writable and executable",
               check->patch_path, (unsigned long long)address);
}

static int check_open(struct file_check *check, const struct check_options *with)
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

static void check_close(struct file_check *check)
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

static void warn(const struct file_check *check)
{
    for (size_t i = 0; i < json_length(check->warnings); i++) {
        fputs("hotpatch: warning: ", stderr);
        text_print(stderr, json_object_get_string(json_item(check->warnings, i)));
        fputc('\n', stderr);
    }
}

static void print_fits(const struct file_check *check, bool json)
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

static int check_in_file(const char *host, const char *patch, const struct check_options *with)
{
    struct file_check check = {
        .host_path = host, .patch_path = patch, .warnings = json_object_new_array()};
    int exit_code = 0;

    if (check_open(&check, with) == 0) {
        for (size_t i = 0; i < check.manifest.target_count; i++)
            check_build(&check, &check.manifest.targets[i]);
        for (size_t i = 0; i < check.manifest.entry_count; i++)
            check_entry(&check, &check.manifest.entries[i]);
        check_clashes(&check);
        check_patch_protection(&check);
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
    if (process_target_is_file(argv[optind])) {
        char *host = process_target_path(argv[optind]);
        const char *patch = argv[optind + 1];
        int exit_code = check_thin_is(patch) ? check_thin(host, patch, with->json)
                                             : check_in_file(host, patch, with);

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
