/* slot_report.c - see slot_report.h. */
#include "loader/slots/slot_report.h"

#include "loader/slots/injection_decide.h"
#include "loader/slots/module_state.h"

const char *slot_layer_name(const struct layer *layer)
{
    return layer->module ? layer->module->name : "(program)";
}

const char *slot_live_module(const struct slot *slot)
{
    return slot->layer_count ? slot_layer_name(&slot->layers[slot->layer_count - 1]) : NULL;
}

bool slot_is_damaged(const struct slot *slot)
{
    return slot->ops->damage && slot->ops->damage(slot);
}

/* ---- layers ---- */

static void report_layer(const struct layer *layer, bool live, reported_layer_fn *put,
                         void *context)
{
    const struct module *module = layer->module;
    struct reported_layer report = {.module = slot_layer_name(layer),
                                    .since = layer->since,
                                    .old = layer->replaced,
                                    .new = layer->function,
                                    .live = live};
    uint64_t strikes;

    if (module) {
        report.version = module->version;
        report.build_id = module->build_id;
        report.sha256 = module->sha256;
        report.path = module->path;
    }
    if (module && module->injection) {
        strikes = __atomic_load_n(&module->injection->strikes, __ATOMIC_RELAXED);
        report.strikes = &strikes;
    }
    put(context, &report);
}

static void each_layer(const void *of, reported_layer_fn *put, void *context)
{
    const struct slot *slot = of;
    bool damaged = slot_is_damaged(slot);

    for (size_t i = 0; i < slot->layer_count; i++)
        report_layer(&slot->layers[i], i + 1 == slot->layer_count && !damaged, put, context);
}

/* ---- the whole slot ---- */

static struct reported_slot report_common(const struct slot *slot)
{
    return (struct reported_slot){.name = slot->name,
                                  .kind = slot_kind_name(slot->ops->kind),
                                  .type = slot_type_name(slot->type),
                                  .object = slot_object_name(slot),
                                  .object_path = slot_object_path(slot),
                                  .name_space = slot_name_space(slot),
                                  .signature = slot->signature,
                                  .symbol_version = slot->version_name,
                                  .version = slot->version,
                                  .fallback = slot->fallback,
                                  .live = slot->live,
                                  .live_module = slot_live_module(slot),
                                  .provider =
                                      slot->provider ? slot_object_name(slot->provider) : NULL,
                                  .since = slot->since,
                                  .words = slot->word_count,
                                  .unfilled = slot->unfilled,
                                  .each_layer = each_layer,
                                  .of = slot};
}

void slot_report(const struct slot *slot, reported_slot_fn *put, struct reported_text *text,
                 void *context)
{
    struct reported_slot report = report_common(slot);

    if (slot->ops->report)
        slot->ops->report(slot, &report, put, text, context);
    else
        put(context, &report, text);
}
