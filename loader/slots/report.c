/* report.c - see report.h. */
#include "loader/slots/report.h"

#include <elf.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/services.h"
#include "base/text.h"
#include "base/wall_time.h"
#include "loader/slots/entry_arm.h"
#include "loader/slots/fault.h"
#include "loader/slots/import.h"
#include "loader/slots/keep_slot.h"
#include "loader/slots/limit.h"
#include "loader/text/damage.h"
#include "loader/text/site.h"
#include "resolve/keep_rules.h"

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

static const char *layer_name(const struct layer *layer)
{
    return layer->module ? layer->module->name : "(program)";
}

static void put_layer(struct json *json, const struct layer *layer, bool live)
{
    const struct module *module = layer->module;

    json_object_begin(json, NULL);
    json_string(json, "module", layer_name(layer));
    json_string(json, "version", module ? module->version : NULL);
    json_string(json, "build_id", module ? module->build_id : NULL);
    json_string(json, "sha256", module ? module->sha256 : NULL);
    json_string(json, "path", module ? module->path : NULL);
    put_time(json, "since", &layer->since);
    json_address(json, "old", layer->replaced);
    json_address(json, "new", layer->function);
    if (module && module->fault)
        json_unsigned(json, "strikes", __atomic_load_n(&module->fault->strikes, __ATOMIC_RELAXED));
    json_boolean(json, "live", live);
    json_object_end(json);
}

static bool is_first_of_object(const struct slot *slot, size_t word)
{
    for (size_t i = 0; i < word; i++)
        if (slot->words[i].object == slot->words[word].object)
            return false;
    return true;
}

/* Saved copies of a word (a pointer that the program keeps) are nobody's to know. */
static void put_importers(struct json *json, const struct slot *slot)
{
    json_string(json, "definition", object_name(slot->object));
    json_array_begin(json, "importers");
    for (size_t i = 0; i < slot->word_count; i++) {
        const struct module *module = slot->words[i].object->module;

        if (is_first_of_object(slot, i) && (!module || module->live))
            json_string(json, NULL, object_name(slot->words[i].object));
    }
    json_array_end(json);
    json_unsigned(json, "words_live", slot->words_live);
}

static void put_kept(const char *name, void *json)
{
    json_string(json, NULL, name);
}

/* Through which stub calls reach the replacement. */
static void put_keeps(struct json *json, const struct slot *slot)
{
    const struct arch_kept *kept = keep_of(slot);

    json_string(json, "stub", !slot->layer_count ? NULL : kept ? "keeping" : "jump");
    json_array_begin(json, "keeps");
    if (kept)
        keep_each(kept, put_kept, json);
    json_array_end(json);
}

static const struct damage *damage_of(const struct slot *slot)
{
    return slot->ops->kind == SLOT_ENTRY && site_is_armed(slot->site) ? site_damage(slot->site)
                                                                      : NULL;
}

static void put_damage(struct json *json, const struct slot *slot)
{
    const struct damage *damage = damage_of(slot);
    char text[200], bytes[DAMAGE_BYTES_TEXT];

    json_boolean(json, "damaged", damage != NULL);
    if (!damage)
        return;
    damage_text(damage, text, sizeof(text));
    json_object_begin(json, "damage");
    json_string(json, "object", slot_object_name(slot));
    json_unsigned(json, "offset", damage->piece.at - slot->object->bias);
    json_address(json, "address", damage->piece.at);
    damage_bytes_text(damage->piece.written, damage->piece.size, bytes);
    json_string(json, "expected", bytes);
    damage_bytes_text(damage->found, damage->piece.size, bytes);
    json_string(json, "found", bytes);
    json_string(json, "by", damage_by(damage));
    json_string(json, "text", text);
    json_object_end(json);
}

static void put_entry(struct json *json, const struct slot *slot)
{
    if (slot->same_code)
        json_string(json, "same_code", slot->same_code);
    if (slot->clones)
        json_string(json, "clones", slot->clones);
    bool armed = site_is_armed(slot->site);

    json_unsigned(json, "offset", slot->definition);
    json_string(json, "file", slot->file);
    json_boolean(json, "armed", armed);
    json_string(json, "technique", site_technique(slot->site));
    put_keeps(json, slot);
    put_damage(json, slot);
    if (armed)
        json_boolean(json, "uprobe_safe", site_survives_restore(slot->site));
    else
        json_string(json, "uprobe_safe", NULL);
    if (slot->unseen)
        json_string(json, "entered", NULL);
    else
        json_boolean(json, "entered", slot->entered);
}

static void put_slot(struct json *json, const struct slot *slot)
{
    const struct layer *top = slot->layer_count ? &slot->layers[slot->layer_count - 1] : NULL;

    json_object_begin(json, NULL);
    json_string(json, "name", slot->name);
    json_string(json, "kind", slot_kind_name(slot->ops->kind));
    json_string(json, "type", slot_type_name(slot->type));
    json_string(json, "object", slot_object_name(slot));
    json_string(json, "object_path", slot_object_path(slot));
    json_string(json, "namespace", slot_name_space(slot));
    json_string(json, "signature", slot->signature);
    json_string(json, "symbol_version", slot->version_name);
    json_unsigned(json, "version", slot->version);
    json_address(json, "fallback", slot->fallback);
    json_address(json, "live", slot->live);
    json_string(json, "live_module", top ? layer_name(top) : NULL);
    json_string(json, "provider", slot->provider ? slot_object_name(slot->provider) : NULL);
    put_time(json, "since", &slot->since);
    json_unsigned(json, "words", slot->word_count);
    json_unsigned(json, "unfilled", slot->unfilled);
    json_boolean(json, "patchable", true);
    json_string(json, "why", NULL);
    if (slot->ops->kind == SLOT_IMPORT)
        put_importers(json, slot);
    if (slot->ops->kind == SLOT_ENTRY)
        put_entry(json, slot);
    json_array_begin(json, "layers");
    for (size_t i = 0; i < slot->layer_count; i++)
        put_layer(json, &slot->layers[i], &slot->layers[i] == top && !damage_of(slot));
    json_array_end(json);
    json_object_end(json);
}

static void put_module_identity(struct json *json, const struct module *module)
{
    json_string(json, "name", module->name);
    json_string(json, "version", module->version);
    json_string(json, "path", module->path);
    json_string(json, "sha256", module->sha256);
    if (module->fault) {
        json_string(json, "fault", module->path + strlen(MODULE_FAULT_PATH));
        json_unsigned(json, "calls", __atomic_load_n(&module->fault->calls, __ATOMIC_RELAXED));
        json_unsigned(json, "strikes", __atomic_load_n(&module->fault->strikes, __ATOMIC_RELAXED));
    }
}

static void put_module(struct json *json, const struct module *module)
{
    json_object_begin(json, NULL);
    put_module_identity(json, module);
    json_string(json, "build_id", module->build_id);
    put_time(json, "since", &module->since);
    json_string(json, "snapshot", module->snapshot);
    json_boolean(json, "mapped", true);
    json_boolean(json, "reused", module->reused);
    json_boolean(json, "live", module->live);
    json_object_end(json);
}

static void put_done(struct json *json, const struct module *module, bool live)
{
    json_object_begin(json, NULL);
    put_module_identity(json, module);
    json_boolean(json, "live", live);
    json_boolean(json, "reused", module->reused);
    json_boolean(json, "unchanged", module->unchanged != NULL);
    json_object_end(json);
}

static void put_modules(const struct transaction *transaction, struct json *json)
{
    json_array_begin(json, "modules");
    for (size_t i = 0; i < transaction->revert_count; i++)
        put_done(json, transaction->reverts[i], false);
    for (size_t i = 0; i < transaction->load_count; i++)
        put_done(json, transaction->loads[i], true);
    for (size_t i = 0; i < transaction->unchanged_count; i++)
        put_done(json, transaction->unchanged[i], true);
    json_array_end(json);
    json_boolean(json, "unchanged",
                 transaction->unchanged_count > 0 && transaction->load_count == 0 &&
                     transaction->revert_count == 0);
}

static void put_changes(const struct transaction *transaction, struct json *json)
{
    json_array_begin(json, "changes");
    for (const struct change *c = transaction->changes; c; c = c->next) {
        const struct slot *slot = c->slot;

        if (!slot->object || slot->gone)
            continue;
        json_object_begin(json, NULL);
        json_string(json, "name", slot->name);
        json_string(json, "object", slot_object_name(slot));
        json_string(json, "kind", slot_kind_name(slot->ops->kind));
        json_address(json, "old", c->before);
        json_address(json, "new", c->after);
        json_string(json, "module",
                    slot->layer_count ? layer_name(&slot->layers[slot->layer_count - 1]) : NULL);
        json_object_end(json);
    }
    json_array_end(json);
}

static void put_errors(const struct refusal *why, struct json *json)
{
    json_array_begin(json, "errors");
    for (size_t i = 0; i < why->count; i++) {
        const struct error_info *info = error_info(why->items[i].code);

        json_object_begin(json, NULL);
        json_string(json, "code", info->code);
        json_string(json, "text", why->items[i].text ? why->items[i].text : info->meaning);
        json_string(json, "remedy", info->remedy);
        json_object_end(json);
    }
    json_array_end(json);
}

static const char *result_name(int exit_code)
{
    return exit_code == 0 ? "done" : exit_code == 4 ? "timed-out" : "refused";
}

static void put_result(const struct refusal *why, uint64_t microseconds, struct engine_reply *reply)
{
    const struct error_info *first = why->count ? error_info(why->items[0].code) : NULL;

    reply->exit_code = refusal_exit_code(why);
    json_string(reply->json, "result", result_name(reply->exit_code));
    json_number(reply->json, "exit", reply->exit_code);
    put_errors(why, reply->json);
    json_unsigned(reply->json, "microseconds", microseconds);
    json_string(reply->record, "result", result_name(reply->exit_code));
    json_number(reply->record, "exit", reply->exit_code);
    json_string(reply->record, "code", first ? first->code : NULL);
    json_string(reply->record, "text",
                !first               ? NULL
                : why->items[0].text ? why->items[0].text
                                     : first->meaning);
}

/* ---- the whole ---- */

void report_transaction(const struct transaction *transaction, uint64_t microseconds,
                        struct engine_reply *reply)
{
    size_t changes = 0;

    put_result(transaction->why, microseconds, reply);
    json_boolean(reply->json, "dry_run", transaction->dry_run);
    json_array_begin(reply->json, "warnings");
    for (size_t i = 0; i < transaction->warning_count; i++)
        json_string(reply->json, NULL, transaction->warnings[i]);
    json_array_end(reply->json);
    put_modules(transaction, reply->json);
    put_changes(transaction, reply->json);
    for (const struct change *c = transaction->changes; c; c = c->next)
        changes++;
    put_modules(transaction, reply->record);
    json_unsigned(reply->record, "slots", transaction->committed ? changes : 0);
    reply->status_stale = true;
}

void report_repaired(const struct mend *mend, struct engine_reply *reply)
{
    json_array_begin(reply->json, "repaired");
    for (size_t i = 0; i < mend->count; i++)
        json_string(reply->json, NULL, mend->repaired[i]->name);
    json_array_end(reply->json);
}

void report_mended(const struct mend *mend, struct engine_reply *reply)
{
    put_result(&mend->why, 0, reply);
    json_array_begin(reply->json, "warnings");
    if (mend->count == 0 && mend->why.count == 0)
        json_string(reply->json, NULL, "no patch's file has changed");
    json_array_end(reply->json);
    json_raw(reply->json, "modules", "[]");
    json_raw(reply->json, "changes", "[]");
    report_repaired(mend, reply);
    json_raw(reply->record, "modules", "[]");
    json_unsigned(reply->record, "slots", 0);
    reply->status_stale = true;
}

/* Inside objects_locked(): what is read lies in objects that may be unmapped at any moment. */
static int read_live(void *damaged)
{
    entries_read_hits();
    *(size_t *)damaged = damage_look();
    for (struct slot *slot = slots_of(SLOT_DECLARED); slot; slot = slot->next_of_kind)
        if (slot->declared && slot->object && slot->type == HOTPATCH_KIND_REQUIRED)
            slot->unfilled = __atomic_load_n(&slot->declared->unfilled, __ATOMIC_RELAXED);
    for (struct slot *slot = slots_of(SLOT_IMPORT); slot; slot = slot->next_of_kind) {
        slot->words_live = 0;
        for (size_t i = 0; i < slot->word_count; i++)
            slot->words_live += __atomic_load_n(slot->words[i].address, __ATOMIC_ACQUIRE) ==
                                slot_word_value(slot, &slot->words[i]);
    }
    return 0;
}

static bool is_wanted(const struct slot *slot, const struct request *request)
{
    if (slot->owner && !slot->owner->live && slot->layer_count == 0)
        return false;
    if (slot->ops->kind == SLOT_IMPORT && !import_is_used(slot))
        return false;
    if (request->kind && strcmp(request->kind, slot_kind_name(slot->ops->kind)) != 0)
        return false;
    return !request->match || fnmatch(request->match, slot->name, 0) == 0;
}

struct refused_imports {
    const struct request *request;
    struct json *json;
};

static void put_unpatchable(const struct object *importer, const struct image_symbol *symbol,
                            const char *why, void *context)
{
    const struct refused_imports *to = context;
    bool function = symbol->type != STT_OBJECT && symbol->type != STT_TLS;

    if (to->request->match && fnmatch(to->request->match, symbol->name, 0) != 0)
        return;
    json_object_begin(to->json, NULL);
    json_string(to->json, "name", symbol->name);
    json_string(to->json, "kind", slot_kind_name(SLOT_IMPORT));
    json_string(to->json, "type",
                slot_type_name(function ? HOTPATCH_KIND_FUNCTION : HOTPATCH_KIND_DATA));
    json_string(to->json, "object", object_name(importer));
    json_string(to->json, "object_path", importer->path);
    json_string(to->json, "symbol_version", symbol->version);
    json_boolean(to->json, "patchable", false);
    json_string(to->json, "why", why);
    json_string(to->json, "definition", NULL);
    json_array_begin(to->json, "importers");
    json_string(to->json, NULL, object_name(importer));
    json_array_end(to->json);
    json_array_begin(to->json, "layers");
    json_array_end(to->json);
    json_object_end(to->json);
}

static int put_all_unpatchable(void *context)
{
    imports_unpatchable(put_unpatchable, context);
    return 0;
}

static void put_problems(struct json *json)
{
    json_array_begin(json, "warnings");
    for (const struct object *o = objects_first(); o; o = o->next) {
        char *text;

        if (!o->problem || o->is_ours || !(text = text_format("%s: %s", o->path, o->problem)))
            continue;
        json_string(json, NULL, text);
        free(text);
    }
    json_array_end(json);
}

static void put_written(uintptr_t at, size_t size, void *json)
{
    json_unsigned(json, NULL, at - object_program()->bias);
    json_unsigned(json, NULL, size);
}

/* Who looks at the program's functions elsewhere knows which bytes are not the file's. */
static int put_all_written(void *json)
{
    const struct object *program = object_program();

    sites_each_written(program->begin, program->end, put_written, json);
    return 0;
}

/* False: the limit was reached, and the list is not whole. */
static bool put_slots(const struct request *request, struct limit *limit, struct json *json)
{
    struct refused_imports refused = {request, json};
    size_t damaged;

    objects_locked(read_live, &damaged);
    json_array_begin(json, "slots");
    for (const struct slot *slot = slots_first(); slot; slot = slot->next) {
        if (limit_reached(limit))
            return false;
        if (is_wanted(slot, request))
            put_slot(json, slot);
    }
    if (!request->kind || strcmp(request->kind, "import") == 0)
        objects_locked(put_all_unpatchable, &refused);
    if (!report_functions(request, limit, json))
        return false;
    json_array_end(json);
    if (request->slots_alone) {
        json_array_begin(json, "written");
        objects_locked(put_all_written, json);
        json_array_end(json);
    }
    return true;
}

void report_slots(const struct request *request, struct engine_reply *reply)
{
    struct limit limit = limit_of(request);
    const struct json_mark mark = json_mark(reply->json), record = json_mark(reply->record);
    struct refusal why = {0};

    put_result(&why, 0, reply);
    put_problems(reply->json);
    if (!put_slots(request, &limit, reply->json)) {
        json_rewind(reply->json, &mark);
        json_rewind(reply->record, &record);
        limit_refuse(&limit, &why);
        put_result(&why, 0, reply);
        refusal_clear(&why);
    }
    json_raw(reply->record, "modules", "[]");
    json_unsigned(reply->record, "slots", 0);
}

/* Of a process with thousands of live slots what has not changed is not written anew: the status is
 * written after every request. */
enum { TOLD_FROM = 256 };

static void tell_slot(struct json *json, struct slot *slot)
{
    uint64_t stamp = slot_stamp(slot);

    if (!slot->told || slot->told_of != stamp) {
        struct json own = {0};

        put_slot(&own, slot);
        free(slot->told);
        slot->told_length = own.length;
        slot->told_of = stamp;
        slot->told = json_take(&own);
    }
    if (slot->told)
        json_bytes(json, NULL, slot->told, slot->told_length);
    else
        put_slot(json, slot);
}

static bool is_told(const struct slot *slot)
{
    return slot->layer_count > 0 || slot->provider || damage_of(slot);
}

static void forget_told(struct slot *slot)
{
    free(slot->told);
    slot->told = NULL;
}

static void put_live_slots(struct json *json)
{
    size_t count = 0;

    for (const struct slot *slot = slots_first(); slot; slot = slot->next)
        count += is_told(slot);
    for (struct slot *slot = slots_first(); slot; slot = slot->next) {
        if (slot->told && (!is_told(slot) || count < TOLD_FROM))
            forget_told(slot);
        if (!is_told(slot))
            continue;
        if (count < TOLD_FROM)
            put_slot(json, slot);
        else
            tell_slot(json, slot);
    }
}

void report_status(struct json *json)
{
    size_t damaged = 0;

    objects_locked(read_live, &damaged);
    json_unsigned(json, "damaged", damaged);
    json_array_begin(json, "slots");
    put_live_slots(json);
    json_array_end(json);
    json_array_begin(json, "modules");
    for (const struct module *m = module_first(); m; m = m->next)
        if (m->live || m->placed)
            put_module(json, m);
    json_array_end(json);
}
