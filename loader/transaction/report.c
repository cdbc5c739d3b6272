/* report.c - see report.h. */
#include "loader/transaction/report.h"

#include <elf.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "loader/module/module.h"
#include "loader/slots/entry_arm.h"
#include "loader/slots/function_list.h"
#include "loader/slots/import.h"
#include "loader/slots/injection_decide.h"
#include "loader/slots/limit.h"
#include "loader/slots/slot_report.h"
#include "loader/text/damage.h"
#include "loader/text/site.h"
#include "loader/transaction/old_calls.h"

/* ---- modules ---- */

static void report_module(const struct module *module, bool live, reported_module_fn *put,
                          void *context)
{
    struct reported_module report = {.name = module->name,
                                     .version = module->version,
                                     .path = module->path,
                                     .sha256 = module->sha256,
                                     .build_id = module->build_id,
                                     .since = module->since,
                                     .snapshot = module->snapshot,
                                     .live = live,
                                     .reused = module->reused,
                                     .unchanged = module->unchanged != NULL};

    if (module->injection) {
        report.fault = module->path + strlen(MODULE_INJECTION_PATH);
        report.calls = __atomic_load_n(&module->injection->calls, __ATOMIC_RELAXED);
        report.strikes = __atomic_load_n(&module->injection->strikes, __ATOMIC_RELAXED);
    }
    put(context, &report);
}

/* ---- transactions ---- */

static void each_warning(const void *of, reported_name_fn *put, void *context)
{
    const struct transaction *transaction = of;

    for (size_t i = 0; i < transaction->warning_count; i++)
        put(context, transaction->warnings[i]);
}

static void each_module(const void *of, reported_module_fn *put, void *context)
{
    const struct transaction *transaction = of;

    for (size_t i = 0; i < transaction->revert_count; i++)
        report_module(transaction->reverts[i], false, put, context);
    for (size_t i = 0; i < transaction->load_count; i++)
        report_module(transaction->loads[i], true, put, context);
    for (size_t i = 0; i < transaction->unchanged_count; i++)
        report_module(transaction->unchanged[i], true, put, context);
}

static void each_change(const void *of, reported_change_fn *put, void *context)
{
    const struct transaction *transaction = of;

    for (const struct change *c = transaction->changes; c; c = c->next) {
        const struct slot *slot = c->slot;

        if (!slot->object || slot->gone)
            continue;
        put(context, &(struct reported_change){.name = slot->name,
                                               .object = slot_object_name(slot),
                                               .kind = slot_kind_name(slot->ops->kind),
                                               .old = c->before,
                                               .new = c->after,
                                               .module = slot_live_module(slot)});
    }
}

static uint64_t count_changes(const struct transaction *transaction)
{
    uint64_t count = 0;

    for (const struct change *c = transaction->changes; c; c = c->next)
        count++;
    return count;
}

static void each_repaired(const void *of, reported_name_fn *put, void *context)
{
    const struct mend *mend = of;

    for (size_t i = 0; i < mend->count; i++)
        put(context, mend->repaired[i]->name);
}

void report_transaction(const struct transaction *transaction, uint64_t microseconds,
                        const struct mend *mend, reported_result_fn *put, void *context)
{
    const struct reported_transaction done = {
        .dry_run = transaction->dry_run,
        .unchanged = transaction->unchanged_count > 0 && transaction->load_count == 0 &&
                     transaction->revert_count == 0,
        .committed = transaction->committed ? count_changes(transaction) : 0,
        .each_module = each_module,
        .each_change = each_change,
        .of = transaction};
    const struct reported_names repaired = {each_repaired, mend};

    put(context, &(struct reported_result){.why = transaction->why,
                                           .microseconds = microseconds,
                                           .warnings = {each_warning, transaction},
                                           .transaction = &done,
                                           .repaired = mend ? &repaired : NULL,
                                           .status_stale = true});
}

static void warn_of_nothing(const void *of, reported_name_fn *put, void *context)
{
    const struct mend *mend = of;

    if (mend->count == 0 && mend->why.count == 0)
        put(context, "no patch's file has changed");
}

void report_mended(const struct mend *mend, reported_result_fn *put, void *context)
{
    const struct reported_names repaired = {each_repaired, mend};

    put(context, &(struct reported_result){.why = &mend->why,
                                           .warnings = {warn_of_nothing, mend},
                                           .repaired = &repaired,
                                           .status_stale = true});
}

/* ---- the list of slots ---- */

/* Read the current values of words and of armed entries. Called inside objects_locked(): at any other time the objects
 * may be unmapped. */
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

static bool is_asked_for(const struct slot *slot, const struct request *request)
{
    if (slot->owner && !slot->owner->live && slot->layer_count == 0)
        return false;
    if (slot->ops->is_listed && !slot->ops->is_listed(slot))
        return false;
    if (!slot_kind_asked(request->kind, slot->ops->kind))
        return false;
    return !request->match || fnmatch(request->match, slot->name, 0) == 0;
}

struct slot_list {
    const struct request *request;
    struct limit limit;
    const struct reported_rows *rows;
};

static void report_refused_import(const struct object *importer, const struct image_symbol *symbol,
                                  const char *why, void *context)
{
    const struct slot_list *list = context;
    bool function = symbol->type != STT_OBJECT && symbol->type != STT_TLS;

    if (list->request->match && fnmatch(list->request->match, symbol->name, 0) != 0)
        return;
    list->rows->refused_import(
        list->rows->context,
        &(struct reported_refused_import){
            .name = symbol->name,
            .kind = slot_kind_name(SLOT_IMPORT),
            .type = slot_type_name(function ? HOTPATCH_KIND_FUNCTION : HOTPATCH_KIND_DATA),
            .importer = object_name(importer),
            .importer_path = importer->path,
            .symbol_version = symbol->version,
            .why = why});
}

static int report_refused_imports(void *list)
{
    imports_unpatchable(report_refused_import, list);
    return 0;
}

/* Warn of objects whose slot table cannot be used. */
static void each_problem(const void *nothing, reported_name_fn *put, void *context)
{
    (void)nothing;
    for (const struct object *o = objects_first(); o; o = o->next) {
        char *text;

        if (!o->problem || o->is_ours || !(text = text_format("%s: %s", o->path, o->problem)))
            continue;
        put(context, text);
        free(text);
    }
}

static int each_row(void *of, const struct reported_rows *rows, struct refusal *why)
{
    struct slot_list *list = of;
    const struct request *request = list->request;
    size_t damaged;

    list->rows = rows;
    objects_locked(read_live, &damaged);
    for (const struct slot *slot = slots_first(); slot; slot = slot->next) {
        if (limit_reached(&list->limit))
            return limit_refuse(&list->limit, why);
        if (is_asked_for(slot, request))
            slot_report(slot, rows->slot, NULL, rows->context);
    }
    if (slot_kind_asked(request->kind, SLOT_IMPORT))
        objects_locked(report_refused_imports, list);
    return function_list(request, &list->limit, rows, why);
}

struct written_list {
    reported_written_fn *put;
    void *context;
};

static void report_written(uintptr_t at, size_t size, void *context)
{
    const struct written_list *list = context;

    list->put(list->context, at - object_program()->bias, size);
}

static int report_all_written(void *list)
{
    const struct object *program = object_program();

    sites_each_written(program->begin, program->end, report_written, list);
    return 0;
}

/* Report the ranges of code that the engine has written. A command that reads the program's functions in its file must
 * know which bytes differ from the file. */
static void each_written(reported_written_fn *put, void *context)
{
    struct written_list list = {put, context};

    objects_locked(report_all_written, &list);
}

void report_slots(const struct request *request, reported_result_fn *put, void *context)
{
    const struct refusal none = {0};
    struct slot_list slots = {.request = request, .limit = limit_of(request)};
    const struct reported_list list = {
        .each = each_row, .each_written = request->slots_alone ? each_written : NULL, .of = &slots};

    put(context,
        &(struct reported_result){.why = &none, .warnings = {each_problem, NULL}, .list = &list});
}

/* ---- the status document ---- */

/* The status document is written after each request that changes a slot or a module. If there are at least this many
 * slots, the text of unchanged slots is kept and written again. */
enum { KEEP_TEXT_FROM = 256 };

static void report_kept(struct slot *slot, reported_slot_fn *put, void *context)
{
    uint64_t stamp = slot_stamp(slot);

    if (slot->text.text && slot->text_stamp == stamp) {
        put(context, NULL, &slot->text);
        return;
    }
    free(slot->text.text);
    slot->text = (struct reported_text){0};
    slot->text_stamp = stamp;
    slot_report(slot, put, &slot->text, context);
}

static bool is_in_status(const struct slot *slot)
{
    return slot->layer_count > 0 || slot->provider || slot_is_damaged(slot);
}

static void forget_text(struct slot *slot)
{
    free(slot->text.text);
    slot->text = (struct reported_text){0};
}

static void each_status_slot(reported_slot_fn *put, void *context)
{
    size_t count = 0;

    for (const struct slot *slot = slots_first(); slot; slot = slot->next)
        count += is_in_status(slot);
    for (struct slot *slot = slots_first(); slot; slot = slot->next) {
        if (slot->text.text && (!is_in_status(slot) || count < KEEP_TEXT_FROM))
            forget_text(slot);
        if (!is_in_status(slot))
            continue;
        if (count < KEEP_TEXT_FROM)
            slot_report(slot, put, NULL, context);
        else
            report_kept(slot, put, context);
    }
}

static void each_status_module(reported_module_fn *put, void *context)
{
    for (const struct module *m = module_first(); m; m = m->next)
        if (m->live || m->placed)
            report_module(m, m->live, put, context);
}

struct reported_status report_status(void)
{
    size_t damaged = 0;

    objects_locked(read_live, &damaged);
    return (struct reported_status){.damaged = damaged,
                                    .each_slot = each_status_slot,
                                    .each_module = each_status_module,
                                    .each_old_call = old_calls_each,
                                    .each_running = old_calls_each_running};
}
