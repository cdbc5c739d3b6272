/* places.c - see places.h. */
#include "cli/session/places.h"

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
#include "resolve/fault_result.h"

#define INLINED_TIME 30 /* ms for one target's copies */
#define COPIES_TIME 400 /* ms for those of all targets */

struct places {
    struct texts *lines; /* the targets of patches, then of faults */
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
    struct elf_error fault = {0};
    struct file_image file;
    struct manifest manifest;

    if (file_image_open(&file, path, ET_DYN, &ignored) == 0) {
        if (manifest_read(file.image, &manifest, &fault) == 0) {
            for (size_t i = 0; i < manifest.entry_count; i++)
                if (manifest.entries[i].kind != HOTPATCH_KIND_DATA)
                    texts_add(line, manifest.entries[i].target);
            manifest_free(&manifest);
        }
        file_image_close(&file);
    }
    refusal_clear(&ignored);
}

static struct places *places_new(const struct client_request *client_request, size_t process_count)
{
    struct places *places = allocate(sizeof(*places));

    *places = (struct places){
        .line_count = client_request->patch_count + client_request->fault_count,
        .process_count = process_count,
    };
    places->lines = allocate((places->line_count + 1) * sizeof(*places->lines));
    memset(places->lines, 0, places->line_count * sizeof(*places->lines));
    for (size_t i = 0; i < client_request->patch_count; i++) {
        add_manifest(&places->lines[i], client_request->patches[i]);
        for (size_t j = 0; j < client_request->patch_target_count; j++)
            texts_add(&places->lines[i], client_request->patch_targets[j]);
    }
    for (size_t i = 0; i < client_request->fault_count; i++)
        texts_add(&places->lines[client_request->patch_count + i],
                  client_request->fault_targets[i]);
    return places;
}

/* Takes over `text`; of a thousand equal processes it is said once. */
static void add_warning(struct texts *warnings, char *text)
{
    if (text)
        texts_add(warnings, text);
    free(text);
}

/* Whatever the number of targets, their copies are looked for no longer than COPIES_TIME in all. */
static void warn_of_copies(struct places *places, struct lookup *lookup, const char *target)
{
    uint64_t begun = now_ms();
    unsigned left = COPIES_TIME - places->spent, budget = left < INLINED_TIME ? left : INLINED_TIME;

    add_warning(&places->warnings, lookup_inlined(lookup, target, budget));
    add_warning(&places->warnings, lookup_self_calls(lookup, target));
    add_warning(&places->absent, lookup_absent(lookup, target, budget));
    places->spent += (unsigned)(now_ms() - begun);
    if (places->spent > COPIES_TIME)
        places->spent = COPIES_TIME;
}

/* A growing line of words. */
struct words {
    char *text; /* or NULL */
    size_t length, room, count;
};

static void add_word(struct words *words, const char *word)
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
static char *find_line(struct places *places, const struct texts *line, struct lookup *lookup,
                       struct refusal *why)
{
    struct words keys = {0};

    for (size_t i = 0; i < line->count; i++) {
        char *key;

        warn_of_copies(places, lookup, line->list[i]);
        if (lookup_target(lookup, line->list[i], &key, why) != 1)
            continue;
        add_word(&keys, key);
        free(key);
    }
    if (keys.count > REQUEST_PLACE_MAX)
        refuse(why, HP_LINE_TOO_LONG,
               "%zu functions of one patch are named by debug information alone, %d are possible",
               keys.count, REQUEST_PLACE_MAX);
    return keys.text;
}

/* The process knows the type of a slot alone that is declared. */
static void check_fault(const struct texts *line, struct lookup *lookup, struct refusal *why)
{
    char *returned = line->count ? lookup_unfit_result(lookup, line->list[0]) : NULL;

    if (returned)
        refuse(why, HP_SIGNATURE, FAULT_UNFIT_RESULT, line->list[0], returned);
    free(returned);
}

/* What was found for the last process; in a thousand equal ones it is looked for once. */
struct found {
    char *const *lines;
    struct refusal why;
};

static void find_all(struct places *places, struct session_request *request,
                     const struct client_request *client_request, struct refusal *why)
{
    for (size_t i = 0; i < places->line_count; i++) {
        request->places[i] = find_line(places, &places->lines[i], client_request->lookup, why);
        if (i >= client_request->patch_count)
            check_fault(&places->lines[i], client_request->lookup, why);
    }
}

static void find_in(struct places *places, struct session_request *request,
                    const struct client_request *client_request, struct found *last)
{
    bool same;

    request->places = allocate((places->line_count + 1) * sizeof(char *));
    if (request->process->maps_readable && !request->process->shim)
        return; /* which is what is said of it */
    same = lookup_process(client_request->lookup, request->process) && last->lines;
    if (!same) {
        refusal_clear(&last->why);
        find_all(places, request, client_request, &last->why);
    }
    for (size_t i = 0; same && i < places->line_count; i++)
        if (last->lines[i])
            request->places[i] = format_text("%s", last->lines[i]);
    last->lines = request->places;
    if (last->why.count)
        request->reply = reply_refused(request->process->pid, client_request->verb, &last->why);
}

struct places *places_find(struct session_request *requests, size_t count,
                           const struct client_request *client_request)
{
    struct refusal why = {0};
    struct found last = {0};
    struct places *places;

    if (!client_request->lookup)
        return NULL;
    places = places_new(client_request, count);
    for (size_t i = 0; i < count; i++)
        find_in(places, &requests[i], client_request, &last);
    refusal_clear(&last.why);
    if (lookup_debug_files_fit(client_request->lookup, &why) != 0)
        for (size_t i = 0; i < count; i++)
            if (!requests[i].reply)
                requests[i].reply =
                    reply_refused(requests[i].process->pid, client_request->verb, &why);
    refusal_clear(&why);
    return places;
}

void places_free(struct places *places, struct session_request *requests)
{
    if (!places)
        return;
    for (size_t i = 0; i < places->process_count; i++) {
        for (size_t j = 0; j < places->line_count; j++)
            free(requests[i].places[j]);
        free(requests[i].places);
    }
    for (size_t i = 0; i < places->line_count; i++)
        texts_free(&places->lines[i]);
    texts_free(&places->warnings);
    texts_free(&places->absent);
    free(places->lines);
    free(places);
}

void places_warn(const struct places *places, struct json_object *reply)
{
    struct json_object *list = json_list(reply, "warnings");
    const struct texts *texts;

    if (!places || !list)
        return;
    texts = reply_exit(reply) != 0 ? &places->absent : &places->warnings;
    for (size_t i = 0; i < texts->count; i++)
        json_object_array_add(list, json_object_new_string(texts->list[i]));
}

static void print_all(const struct texts *texts)
{
    for (size_t i = 0; i < texts->count; i++)
        warning_print(texts->list[i]);
}

void places_warn_group(const struct places *places, bool failed)
{
    if (!places)
        return;
    print_all(&places->warnings);
    if (failed)
        print_all(&places->absent);
}
