/* request_lookup.c - see request_lookup.h. */
#include "cli/session/request_lookup.h"

#include <elf.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/request.h"
#include "cli/debug/file_image.h"
#include "cli/debug/lookup.h"
#include "cli/debug/texts.h"
#include "cli/output/clock.h"
#include "cli/output/output.h"
#include "cli/session/reply.h"
#include "elf/manifest.h"
#include "elf/slot_table.h"
#include "include/hotpatch.h"
#include "resolve/injection_result.h"

#define INLINED_TIME 30 /* ms for one target's copies */
#define COPIES_TIME 400 /* ms for those of all targets */

struct request_lookup {
    struct texts *lines; /* the targets of patches, then of injections */
    size_t line_count;
    size_t process_count;
    struct texts warnings;
    unsigned spent;      /* ms, of COPIES_TIME */
    struct texts absent; /* why there is no such function: of use where the process knows none */
};

/* What is wrong with a patch is the process's to say. */
static void add_manifest(struct texts *line, const char *path)
{
    struct refusal ignored = {0};
    struct elf_error ignored_error = {0};
    struct file_image file;
    struct manifest manifest;

    if (file_image_open(&file, path, ET_DYN, &ignored) == 0) {
        if (manifest_read(file.image, &manifest, &ignored_error) == 0) {
            for (size_t i = 0; i < manifest.entry_count; i++)
                if (manifest.entries[i].kind != HOTPATCH_KIND_DATA)
                    texts_add(line, manifest.entries[i].target);
            manifest_free(&manifest);
        }
        file_image_close(&file);
    }
    refusal_clear(&ignored);
}

static struct request_lookup *request_lookup_new(const struct client_request *client_request,
                                                 size_t process_count)
{
    struct request_lookup *found = allocate(sizeof(*found));

    *found = (struct request_lookup){
        .line_count = client_request->patch_count + client_request->injection_count,
        .process_count = process_count,
    };
    found->lines = allocate((found->line_count + 1) * sizeof(*found->lines));
    memset(found->lines, 0, found->line_count * sizeof(*found->lines));
    for (size_t i = 0; i < client_request->patch_count; i++) {
        add_manifest(&found->lines[i], client_request->patches[i]);
        for (size_t j = 0; j < client_request->patch_target_count; j++)
            texts_add(&found->lines[i], client_request->patch_targets[j]);
    }
    for (size_t i = 0; i < client_request->injection_count; i++)
        texts_add(&found->lines[client_request->patch_count + i],
                  client_request->injection_targets[i]);
    return found;
}

/* Takes over `text`; of a thousand equal processes it is said once. */
static void warning_add(struct texts *warnings, char *text)
{
    if (text)
        texts_add(warnings, text);
    free(text);
}

/* Whatever the number of targets, their copies are looked for no longer than COPIES_TIME in all. */
static void find_warnings(struct request_lookup *found, struct lookup *lookup, const char *target)
{
    uint64_t begun = now_ms();
    unsigned left = COPIES_TIME - found->spent, budget = left < INLINED_TIME ? left : INLINED_TIME;

    warning_add(&found->warnings, lookup_inlined(lookup, target, budget));
    warning_add(&found->warnings, lookup_self_calls(lookup, target));
    warning_add(&found->absent, lookup_absent(lookup, target, budget));
    found->spent += (unsigned)(now_ms() - begun);
    if (found->spent > COPIES_TIME)
        found->spent = COPIES_TIME;
}

/* A growing line of words. */
struct key_line {
    char *text; /* or NULL */
    size_t length, room, count;
};

static void key_line_add(struct key_line *words, const char *word)
{
    size_t size = strlen(word);

    if (words->length + size + 2 > words->room) {
        words->room = (words->length + size + 2) * 2;
        words->text = reallocate(words->text, words->room);
    }
    if (words->count++)
        words->text[words->length++] = ' ';
    memcpy(words->text + words->length, word, size + 1);
    words->length += size;
}

/* "at=.. at=..", malloc'd, or NULL. */
static char *find_line(struct request_lookup *found, const struct texts *line,
                       struct lookup *lookup, struct refusal *why)
{
    struct key_line keys = {0};

    for (size_t i = 0; i < line->count; i++) {
        char *key;

        find_warnings(found, lookup, line->list[i]);
        if (lookup_target(lookup, line->list[i], &key, why) != 1)
            continue;
        key_line_add(&keys, key);
        free(key);
    }
    if (keys.count > REQUEST_PLACE_MAX)
        refuse(why, HP_LINE_TOO_LONG,
               "%zu functions of one patch are named by debug information alone, %d are possible",
               keys.count, REQUEST_PLACE_MAX);
    return keys.text;
}

/* The process knows the type of a slot alone that is declared. */
static void check_injection(const struct texts *line, struct lookup *lookup, struct refusal *why)
{
    char *returned = line->count ? lookup_unfit_result(lookup, line->list[0]) : NULL;

    if (returned)
        refuse(why, HP_SIGNATURE, INJECTION_UNFIT_RESULT, line->list[0], returned);
    free(returned);
}

/* What was found for the last process; in a thousand equal ones it is looked for once. */
struct last_found {
    char *const *lines;
    struct refusal why;
};

static void find_lines(struct request_lookup *found, struct session_request *request,
                       const struct client_request *client_request, struct refusal *why)
{
    for (size_t i = 0; i < found->line_count; i++) {
        request->places[i] = find_line(found, &found->lines[i], client_request->lookup, why);
        if (i >= client_request->patch_count)
            check_injection(&found->lines[i], client_request->lookup, why);
    }
}

static void find_in_process(struct request_lookup *found, struct session_request *request,
                            const struct client_request *client_request, struct last_found *last)
{
    bool same;

    request->places = allocate((found->line_count + 1) * sizeof(char *));
    if (request->process->maps_readable && !request->process->shim)
        return; /* which is what is said of it */
    same = lookup_process(client_request->lookup, request->process) && last->lines;
    if (!same) {
        refusal_clear(&last->why);
        find_lines(found, request, client_request, &last->why);
    }
    for (size_t i = 0; same && i < found->line_count; i++)
        if (last->lines[i])
            request->places[i] = format_text("%s", last->lines[i]);
    last->lines = request->places;
    if (last->why.count)
        request->reply = reply_refused(request->process->pid, client_request->verb, &last->why);
}

struct request_lookup *request_lookup_run(struct session_request *requests, size_t count,
                                          const struct client_request *client_request)
{
    struct refusal why = {0};
    struct last_found last = {0};
    struct request_lookup *found;

    if (!client_request->lookup)
        return NULL;
    found = request_lookup_new(client_request, count);
    for (size_t i = 0; i < count; i++)
        find_in_process(found, &requests[i], client_request, &last);
    refusal_clear(&last.why);
    if (lookup_debug_files_fit(client_request->lookup, &why) != 0)
        for (size_t i = 0; i < count; i++)
            if (!requests[i].reply)
                requests[i].reply =
                    reply_refused(requests[i].process->pid, client_request->verb, &why);
    refusal_clear(&why);
    return found;
}

void request_lookup_free(struct request_lookup *found, struct session_request *requests)
{
    if (!found)
        return;
    for (size_t i = 0; i < found->process_count; i++) {
        for (size_t j = 0; j < found->line_count; j++)
            free(requests[i].places[j]);
        free(requests[i].places);
    }
    for (size_t i = 0; i < found->line_count; i++)
        texts_free(&found->lines[i]);
    texts_free(&found->warnings);
    texts_free(&found->absent);
    free(found->lines);
    free(found);
}

void request_lookup_warn(const struct request_lookup *found, struct json_object *reply)
{
    struct json_object *list = json_list(reply, "warnings");
    const struct texts *texts;

    if (!found || !list)
        return;
    texts = reply_exit(reply) != 0 ? &found->absent : &found->warnings;
    for (size_t i = 0; i < texts->count; i++)
        json_object_array_add(list, json_object_new_string(texts->list[i]));
}

static void print_all(const struct texts *texts)
{
    for (size_t i = 0; i < texts->count; i++)
        warning_print(texts->list[i]);
}

void request_lookup_warn_group(const struct request_lookup *found, bool failed)
{
    if (!found)
        return;
    print_all(&found->warnings);
    if (failed)
        print_all(&found->absent);
}
