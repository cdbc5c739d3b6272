/* places.c - see places.h. */
#include "places.h"

#include <elf.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "file_image.h"
#include "hotpatch.h"
#include "lookup.h"
#include "output.h"
#include "request.h"
#include "slot_table.h"

#define INLINED_TIME 30 /* ms for one target's copies */

/* The targets of one line, each malloc'd. */
struct line {
    char **targets;
    size_t count;
};

struct warning {
    char *text;
    bool absent; /* says why there is no such function: of use where the process knows none */
};

struct places {
    struct line *lines; /* patches, then faults */
    size_t line_count;
    size_t process_count;
    struct warning *warnings;
    size_t warning_count;
};

static void add_target(struct line *line, const char *target)
{
    for (size_t i = 0; i < line->count; i++)
        if (strcmp(line->targets[i], target) == 0)
            return;
    line->targets = reallocate(line->targets, (line->count + 1) * sizeof(char *));
    line->targets[line->count++] = format_text("%s", target);
}

/* What is wrong with a patch is the process's to say. */
static void add_manifest(struct line *line, const char *path)
{
    struct refusal ignored = {0};
    struct elf_fault fault = {0};
    struct file_image file;
    struct manifest manifest;

    if (file_image_open(&file, path, ET_DYN, &ignored) == 0) {
        if (manifest_read(file.image, &manifest, &fault) == 0) {
            for (size_t i = 0; i < manifest.entry_count; i++)
                if (manifest.entries[i].kind != HOTPATCH_KIND_DATA)
                    add_target(line, manifest.entries[i].target);
            manifest_free(&manifest);
        }
        file_image_close(&file);
    }
    refusal_clear(&ignored);
}

static struct places *places_new(const struct order *order, size_t process_count)
{
    struct places *places = allocate(sizeof(*places));

    *places = (struct places){
        .line_count = order->patch_count + order->fault_count,
        .process_count = process_count,
    };
    places->lines = allocate((places->line_count + 1) * sizeof(*places->lines));
    memset(places->lines, 0, places->line_count * sizeof(*places->lines));
    for (size_t i = 0; i < order->patch_count; i++) {
        add_manifest(&places->lines[i], order->patches[i]);
        for (size_t j = 0; j < order->patch_target_count; j++)
            add_target(&places->lines[i], order->patch_targets[j]);
    }
    for (size_t i = 0; i < order->fault_count; i++)
        add_target(&places->lines[order->patch_count + i], order->fault_targets[i]);
    return places;
}

/* Takes over `text`; of a thousand equal processes it is said once. */
static void add_warning(struct places *places, char *text, bool absent)
{
    for (size_t i = 0; text && i < places->warning_count; i++)
        if (strcmp(places->warnings[i].text, text) == 0) {
            free(text);
            return;
        }
    if (!text)
        return;
    places->warnings =
        reallocate(places->warnings, (places->warning_count + 1) * sizeof(*places->warnings));
    places->warnings[places->warning_count++] = (struct warning){text, absent};
}

static void warn_of_copies(struct places *places, struct lookup *lookup, const char *target)
{
    add_warning(places, lookup_inlined(lookup, target, INLINED_TIME), false);
    add_warning(places, lookup_absent(lookup, target, INLINED_TIME), true);
}

/* "at=.. at=..", malloc'd, or NULL. */
static char *find_line(struct places *places, const struct line *line, struct lookup *lookup,
                       struct refusal *why)
{
    char *keys = NULL;
    size_t count = 0;

    for (size_t i = 0; i < line->count; i++) {
        char *key, *longer;

        warn_of_copies(places, lookup, line->targets[i]);
        if (lookup_target(lookup, line->targets[i], &key, why) != 1)
            continue;
        longer = format_text("%s%s%s", keys ? keys : "", keys ? " " : "", key);
        free(keys);
        free(key);
        keys = longer;
        count++;
    }
    if (count > REQUEST_PLACE_MAX)
        refuse(why, HP_LINE_TOO_LONG,
               "%zu functions of one patch are named by debug information alone, %d are possible",
               count, REQUEST_PLACE_MAX);
    return keys;
}

/* What was found for the last process; in a thousand equal ones it is looked for once. */
struct found {
    char *const *lines;
    struct refusal why;
};

static void find_in(struct places *places, struct exchange *exchange, const struct order *order,
                    struct found *last)
{
    bool same;

    exchange->places = allocate((places->line_count + 1) * sizeof(char *));
    if (exchange->process->maps_readable && !exchange->process->shim)
        return; /* which is what is said of it */
    same = lookup_process(order->lookup, exchange->process) && last->lines;
    if (!same)
        refusal_clear(&last->why);
    for (size_t i = 0; i < places->line_count; i++) {
        if (!same)
            exchange->places[i] = find_line(places, &places->lines[i], order->lookup, &last->why);
        else if (last->lines[i])
            exchange->places[i] = format_text("%s", last->lines[i]);
    }
    last->lines = exchange->places;
    if (last->why.count)
        exchange->answer = answer_refused(exchange->process->pid, order->verb, &last->why);
}

struct places *places_find(struct exchange *exchanges, size_t count, const struct order *order)
{
    struct refusal why = {0};
    struct found last = {0};
    struct places *places;

    if (!order->lookup)
        return NULL;
    places = places_new(order, count);
    for (size_t i = 0; i < count; i++)
        find_in(places, &exchanges[i], order, &last);
    refusal_clear(&last.why);
    if (lookup_debug_files_fit(order->lookup, &why) != 0)
        for (size_t i = 0; i < count; i++)
            if (!exchanges[i].answer)
                exchanges[i].answer = answer_refused(exchanges[i].process->pid, order->verb, &why);
    refusal_clear(&why);
    return places;
}

void places_free(struct places *places, struct exchange *exchanges)
{
    if (!places)
        return;
    for (size_t i = 0; i < places->process_count; i++) {
        for (size_t j = 0; j < places->line_count; j++)
            free(exchanges[i].places[j]);
        free(exchanges[i].places);
    }
    for (size_t i = 0; i < places->line_count; i++) {
        for (size_t j = 0; j < places->lines[i].count; j++)
            free(places->lines[i].targets[j]);
        free(places->lines[i].targets);
    }
    for (size_t i = 0; i < places->warning_count; i++)
        free(places->warnings[i].text);
    free(places->warnings);
    free(places->lines);
    free(places);
}

void places_warn(const struct places *places, struct json_object *answer)
{
    struct json_object *list = json_list(answer, "warnings");
    bool failed = answer_exit(answer) != 0;

    for (size_t i = 0; places && list && i < places->warning_count; i++)
        if (places->warnings[i].absent == failed)
            json_object_array_add(list, json_object_new_string(places->warnings[i].text));
}

void places_warn_group(const struct places *places, bool failed)
{
    for (size_t i = 0; places && i < places->warning_count; i++) {
        if (places->warnings[i].absent && !failed)
            continue;
        fputs("hotpatch: warning: ", stderr);
        text_print(stderr, places->warnings[i].text);
        fputc('\n', stderr);
    }
}
