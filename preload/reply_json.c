/* reply_json.c - see reply_json.h. */
#include "preload/reply_json.h"

#include <stdlib.h>
#include <string.h>

#include "base/sys.h"
#include "base/wall_time.h"

/* ---- pieces ---- */

static void put_time(struct json *json, const char *key, const struct timespec *when)
{
    char text[40];

    if (when->tv_sec == 0) {
        json_string(json, key, NULL);
        return;
    }
    wall_time_text(when, text, sizeof(text));
    json_string(json, key, text);
}

static void put_empty_array(struct json *json, const char *key)
{
    json_array_begin(json, key);
    json_array_end(json);
}

static void put_name(void *json, const char *name)
{
    json_string(json, NULL, name);
}

static void put_names(struct json *json, const char *key, const struct reported_names *names)
{
    json_array_begin(json, key);
    names->each(names->of, put_name, json);
    json_array_end(json);
}

/* ---- slots ---- */

static void put_layer(void *context, const struct reported_layer *layer)
{
    struct json *json = context;

    json_object_begin(json, NULL);
    json_string(json, "module", layer->module);
    json_string(json, "version", layer->version);
    json_string(json, "build_id", layer->build_id);
    json_string(json, "sha256", layer->sha256);
    json_string(json, "path", layer->path);
    put_time(json, "since", &layer->since);
    json_address(json, "old", layer->old);
    json_address(json, "new", layer->new);
    if (layer->strikes)
        json_unsigned(json, "strikes", *layer->strikes);
    json_boolean(json, "live", layer->live);
    json_object_end(json);
}

static void put_import(struct json *json, const struct reported_import *import)
{
    json_string(json, "definition", import->definition);
    put_names(json, "importers", &import->importers);
    json_unsigned(json, "words_live", import->words_live);
}

static void put_damage(struct json *json, const struct reported_damage *damage)
{
    json_boolean(json, "damaged", damage != NULL);
    if (!damage)
        return;
    json_object_begin(json, "damage");
    json_string(json, "object", damage->object);
    json_unsigned(json, "offset", damage->offset);
    json_address(json, "address", damage->address);
    json_string(json, "expected", damage->expected);
    json_string(json, "found", damage->found);
    json_string(json, "by", damage->by);
    json_string(json, "text", damage->text);
    json_object_end(json);
}

static void put_entry(struct json *json, const struct reported_entry *entry)
{
    if (entry->same_code)
        json_string(json, "same_code", entry->same_code);
    if (entry->clones)
        json_string(json, "clones", entry->clones);
    json_unsigned(json, "offset", entry->offset);
    json_string(json, "file", entry->file);
    json_boolean(json, "armed", entry->armed);
    json_string(json, "technique", entry->technique);
    json_string(json, "stub", entry->stub);
    put_names(json, "keeps", &entry->keeps);
    put_damage(json, entry->damage);
    if (entry->armed)
        json_boolean(json, "uprobe_safe", entry->uprobe_safe);
    else
        json_string(json, "uprobe_safe", NULL);
    if (entry->no_hits)
        json_string(json, "entered", NULL);
    else
        json_boolean(json, "entered", entry->hit);
}

static void put_slot(struct json *json, const struct reported_slot *slot)
{
    json_object_begin(json, NULL);
    json_string(json, "name", slot->name);
    json_string(json, "kind", slot->kind);
    json_string(json, "type", slot->type);
    json_string(json, "object", slot->object);
    json_string(json, "object_path", slot->object_path);
    json_string(json, "namespace", slot->name_space);
    json_string(json, "signature", slot->signature);
    json_string(json, "symbol_version", slot->symbol_version);
    json_unsigned(json, "version", slot->version);
    json_address(json, "fallback", slot->fallback);
    json_address(json, "live", slot->live);
    json_string(json, "live_module", slot->live_module);
    json_string(json, "provider", slot->provider);
    put_time(json, "since", &slot->since);
    json_unsigned(json, "words", slot->words);
    json_unsigned(json, "unfilled", slot->unfilled);
    json_boolean(json, "patchable", true);
    json_string(json, "why", NULL);
    if (slot->import)
        put_import(json, slot->import);
    if (slot->entry)
        put_entry(json, slot->entry);
    json_array_begin(json, "layers");
    slot->each_layer(slot->of, put_layer, json);
    json_array_end(json);
    json_object_end(json);
}

static void put_slot_row(void *json, const struct reported_slot *slot, struct reported_text *text)
{
    struct json own = {0};

    if (slot && text) {
        put_slot(&own, slot);
        text->length = own.length;
        text->text = json_take(&own);
    }
    if (text && text->text)
        json_bytes(json, NULL, text->text, text->length);
    else
        put_slot(json, slot);
}

static void put_refused_import(void *context, const struct reported_refused_import *import)
{
    struct json *json = context;

    json_object_begin(json, NULL);
    json_string(json, "name", import->name);
    json_string(json, "kind", import->kind);
    json_string(json, "type", import->type);
    json_string(json, "object", import->importer);
    json_string(json, "object_path", import->importer_path);
    json_string(json, "symbol_version", import->symbol_version);
    json_boolean(json, "patchable", false);
    json_string(json, "why", import->why);
    json_string(json, "definition", NULL);
    json_array_begin(json, "importers");
    json_string(json, NULL, import->importer);
    json_array_end(json);
    put_empty_array(json, "layers");
    json_object_end(json);
}

static void put_function(void *context, const struct reported_function *function)
{
    struct json *json = context;

    json_object_begin(json, NULL);
    json_string(json, "name", function->name);
    json_string(json, "kind", function->kind);
    json_string(json, "type", function->type);
    json_string(json, "object", function->object);
    json_string(json, "object_path", function->object_path);
    json_string(json, "file", function->file);
    json_string(json, "symbol_version", function->symbol_version);
    json_unsigned(json, "offset", function->offset);
    json_unsigned(json, "size", function->size);
    json_boolean(json, "armed", false);
    json_string(json, "technique", function->technique);
    json_boolean(json, "patchable", function->patchable);
    json_string(json, "why", function->why);
    if (*function->same_code)
        json_string(json, "same_code", function->same_code);
    if (*function->clones)
        json_string(json, "clones", function->clones);
    put_empty_array(json, "layers");
    json_object_end(json);
}

static void put_written(void *json, uint64_t offset, size_t size)
{
    json_unsigned(json, NULL, offset);
    json_unsigned(json, NULL, size);
}

/* ---- modules and changes ---- */

static void put_identity(struct json *json, const struct reported_module *module)
{
    json_string(json, "name", module->name);
    json_string(json, "version", module->version);
    json_string(json, "path", module->path);
    json_string(json, "sha256", module->sha256);
    if (module->fault) {
        json_string(json, "fault", module->fault);
        json_unsigned(json, "calls", module->calls);
        json_unsigned(json, "strikes", module->strikes);
    }
}

/* Write a module for the status document. */
static void put_status_module(void *context, const struct reported_module *module)
{
    struct json *json = context;

    json_object_begin(json, NULL);
    put_identity(json, module);
    json_string(json, "build_id", module->build_id);
    put_time(json, "since", &module->since);
    json_string(json, "snapshot", module->snapshot);
    json_boolean(json, "mapped", true);
    json_boolean(json, "reused", module->reused);
    json_boolean(json, "live", module->live);
    json_object_end(json);
}

/* Write a module for the reply to a transaction. */
static void put_done_module(void *context, const struct reported_module *module)
{
    struct json *json = context;

    json_object_begin(json, NULL);
    put_identity(json, module);
    json_boolean(json, "live", module->live);
    json_boolean(json, "reused", module->reused);
    json_boolean(json, "unchanged", module->unchanged);
    json_object_end(json);
}

static void put_modules(struct json *json, const struct reported_transaction *transaction)
{
    json_array_begin(json, "modules");
    transaction->each_module(transaction->of, put_done_module, json);
    json_array_end(json);
    json_boolean(json, "unchanged", transaction->unchanged);
}

static void put_change(void *context, const struct reported_change *change)
{
    struct json *json = context;

    json_object_begin(json, NULL);
    json_string(json, "name", change->name);
    json_string(json, "object", change->object);
    json_string(json, "kind", change->kind);
    json_address(json, "old", change->old);
    json_address(json, "new", change->new);
    json_string(json, "module", change->module);
    json_object_end(json);
}

/* ---- how a request ended ---- */

static void put_errors(struct json *json, const struct refusal *why)
{
    json_array_begin(json, "errors");
    for (size_t i = 0; i < why->count; i++) {
        json_object_begin(json, NULL);
        json_string(json, "code", error_info(why->items[i].code)->code);
        json_string(json, "text", refusal_text(why, i));
        json_string(json, "remedy", error_info(why->items[i].code)->remedy);
        json_object_end(json);
    }
    json_array_end(json);
}

static void put_end(struct json *head, const struct refusal *why)
{
    int exit_code = refusal_exit_code(why);

    json_string(head, "result", error_result(exit_code));
    json_number(head, "exit", exit_code);
    put_errors(head, why);
}

static void record_end(struct json *record, const struct refusal *why)
{
    int exit_code = refusal_exit_code(why);

    json_string(record, "result", error_result(exit_code));
    json_number(record, "exit", exit_code);
    json_string(record, "code", why->count ? error_info(why->items[0].code)->code : NULL);
    json_string(record, "text", why->count ? refusal_text(why, 0) : NULL);
}

/* Write the record's members for a request that changed no slot. */
static void record_no_change(struct json *record)
{
    put_empty_array(record, "modules");
    json_unsigned(record, "slots", 0);
}

static void begin_head(struct reply_json *reply)
{
    json_object_begin(&reply->head, NULL);
    json_number(&reply->head, "hotpatch", 1);
    json_number(&reply->head, "pid", sys_getpid());
    json_string(&reply->head, "id", reply->id);
    json_string(&reply->head, "verb", reply->verb);
}

void reply_json_begin(struct reply_json *reply, const char *id, const char *verb)
{
    *reply = (struct reply_json){.id = id, .verb = verb};
    begin_head(reply);
}

void reply_json_own_result(struct reply_json *reply, const struct refusal *why)
{
    const struct refusal none = {0};

    put_end(&reply->head, why ? why : &none);
    record_end(&reply->record, why ? why : &none);
    record_no_change(&reply->record);
}

/* ---- results of the engine ---- */

static void put_result(struct json *head, const struct refusal *why, uint64_t microseconds)
{
    put_end(head, why);
    json_unsigned(head, "microseconds", microseconds);
}

static void put_transaction(struct reply_json *reply,
                            const struct reported_transaction *transaction)
{
    json_boolean(&reply->head, "dry_run", transaction->dry_run);
    put_modules(&reply->rest, transaction);
    json_array_begin(&reply->rest, "changes");
    transaction->each_change(transaction->of, put_change, &reply->rest);
    json_array_end(&reply->rest);
    put_modules(&reply->record, transaction);
    json_unsigned(&reply->record, "slots", transaction->committed);
}

/* Write the end of a reply to a request that is no transaction: it has no modules and changes. */
static void put_no_transaction(struct json *json)
{
    json_boolean(json, "dry_run", false);
    put_empty_array(json, "modules");
    put_empty_array(json, "changes");
}

/* Write the reply to `slots`. The status file is not written before it, so that only warnings of the engine are in
 * the reply. Return 0, or -1: the list is incomplete. */
static int put_list(struct json *head, const struct reported_result *result,
                    struct refusal *refused)
{
    const struct reported_list *list = result->list;
    const struct reported_rows rows = {.context = head,
                                       .slot = put_slot_row,
                                       .refused_import = put_refused_import,
                                       .function = put_function};

    put_result(head, result->why, result->microseconds);
    put_names(head, "warnings", &result->warnings);
    json_array_begin(head, "slots");
    if (list->each(list->of, &rows, refused) != 0)
        return -1;
    json_array_end(head);
    if (list->each_written) {
        json_array_begin(head, "written");
        list->each_written(put_written, head);
        json_array_end(head);
    }
    put_no_transaction(head);
    return 0;
}

static void put_list_result(struct reply_json *reply, const struct reported_result *result,
                            struct refusal *refused)
{
    reply->complete = put_list(&reply->head, result, refused) == 0;
    if (!reply->complete) {
        json_discard(&reply->head);
        begin_head(reply);
        put_result(&reply->head, refused, result->microseconds);
        put_no_transaction(&reply->rest);
    }
    record_end(&reply->record, reply->complete ? result->why : refused);
    record_no_change(&reply->record);
}

/* Write the result of a reload that loaded no file. */
static void put_repair(struct reply_json *reply)
{
    put_empty_array(&reply->rest, "modules");
    put_empty_array(&reply->rest, "changes");
    record_no_change(&reply->record);
}

void reply_json_result(struct reply_json *reply, const struct reported_result *result,
                       struct refusal *refused)
{
    if (result->list) {
        put_list_result(reply, result, refused);
        return;
    }
    put_result(&reply->head, result->why, result->microseconds);
    record_end(&reply->record, result->why);
    result->warnings.each(result->warnings.of, put_name, &reply->warnings);
    if (result->transaction)
        put_transaction(reply, result->transaction);
    else
        put_repair(reply);
    if (result->repaired)
        put_names(&reply->rest, "repaired", result->repaired);
    if (!result->transaction)
        json_boolean(&reply->rest, "dry_run", false);
}

/* ---- the whole reply ---- */

static void put_part(struct json *json, const struct json *part)
{
    json->failed = json->failed || part->failed;
    if (part->length > 0)
        json_bytes(json, NULL, part->text, part->length);
}

static void put_missing(struct reply_json *reply, const char *warning, uint64_t microseconds)
{
    json_array_begin(&reply->head, "warnings");
    if (warning)
        json_string(&reply->head, NULL, warning);
    put_part(&reply->head, &reply->warnings);
    json_array_end(&reply->head);
    if (reply->rest.length > 0 || reply->rest.failed) {
        put_part(&reply->head, &reply->rest);
    } else {
        put_no_transaction(&reply->head);
        json_unsigned(&reply->head, "microseconds", microseconds);
    }
}

void reply_json_end(struct reply_json *reply, const char *warning, uint64_t microseconds)
{
    if (!reply->complete)
        put_missing(reply, warning, microseconds);
    json_object_end(&reply->head);
}

void reply_json_discard(struct reply_json *reply)
{
    json_discard(&reply->head);
    json_discard(&reply->warnings);
    json_discard(&reply->rest);
    json_discard(&reply->record);
}

/* ---- the status document ---- */

static void put_old_call(void *context, const struct reported_old_call *call)
{
    struct json *json = context;

    json_object_begin(json, NULL);
    json_string(json, "slot", call->slot);
    json_string(json, "object", call->object);
    json_string(json, "module", call->module);
    json_boolean(json, "entry", call->entry);
    json_unsigned(json, "tid", call->tid);
    json_string(json, "thread", call->thread);
    put_time(json, "since", &call->since);
    json_object_end(json);
}

static void put_running(void *context, const struct reported_old_call *call)
{
    struct json *json = context;

    json_object_begin(json, NULL);
    json_unsigned(json, "tid", call->tid);
    json_string(json, "thread", call->thread);
    json_object_end(json);
}

void reply_json_status(struct json *json, const struct reported_status *status, bool threads)
{
    json_unsigned(json, "damaged", status->damaged);
    json_array_begin(json, "slots");
    status->each_slot(put_slot_row, json);
    json_array_end(json);
    json_array_begin(json, "modules");
    status->each_module(put_status_module, json);
    json_array_end(json);
    if (!threads)
        return;
    json_array_begin(json, "old_calls");
    status->each_old_call(put_old_call, json);
    json_array_end(json);
    json_array_begin(json, "running");
    status->each_running(put_running, json);
    json_array_end(json);
}
