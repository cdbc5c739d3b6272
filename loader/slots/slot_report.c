/* slot_report.c - see slot_report.h. */
#include "loader/slots/slot_report.h"

#include "loader/slots/injection_decide.h"
#include "loader/slots/keep_slot.h"
#include "loader/slots/module_state.h"
#include "loader/text/damage.h"
#include "loader/text/site.h"
#include "resolve/keep_rules.h"

const char *slot_layer_name(const struct layer *layer)
{
    return layer->module ? layer->module->name : "(program)";
}

const char *slot_live_module(const struct slot *slot)
{
    return slot->layer_count ? slot_layer_name(&slot->layers[slot->layer_count - 1]) : NULL;
}

static const struct damage *damage_of(const struct slot *slot)
{
    return slot->ops->kind == SLOT_ENTRY && site_is_armed(slot->site) ? site_damage(slot->site)
                                                                      : NULL;
}

bool slot_is_damaged(const struct slot *slot)
{
    return damage_of(slot) != NULL;
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

/* ---- import slots ---- */

static bool is_first_of_object(const struct slot *slot, size_t word)
{
    for (size_t i = 0; i < word; i++)
        if (slot->words[i].object == slot->words[word].object)
            return false;
    return true;
}

/* List the objects whose words are switched, each once. A patch that is not live is left out. */
static void each_importer(const void *of, reported_name_fn *put, void *context)
{
    const struct slot *slot = of;

    for (size_t i = 0; i < slot->word_count; i++) {
        const struct module *module = slot->words[i].object->module;

        if (is_first_of_object(slot, i) && (!module || module->live))
            put(context, object_name(slot->words[i].object));
    }
}

/* ---- entry slots ---- */

struct put_name {
    reported_name_fn *put;
    void *context;
};

static void put_kept(const char *name, void *context)
{
    const struct put_name *to = context;

    to->put(to->context, name);
}

static void each_kept(const void *of, reported_name_fn *put, void *context)
{
    const struct arch_kept *kept = keep_of(of);
    struct put_name to = {put, context};

    if (kept)
        arch_kept_each(kept, put_kept, &to);
}

struct damage_texts {
    char text[200], expected[DAMAGE_BYTES_TEXT], found[DAMAGE_BYTES_TEXT];
};

static struct reported_damage report_damage(const struct slot *slot, const struct damage *damage,
                                            struct damage_texts *texts)
{
    damage_text(damage, texts->text, sizeof(texts->text));
    damage_bytes_text(damage->piece.written, damage->piece.size, texts->expected);
    damage_bytes_text(damage->found, damage->piece.size, texts->found);
    return (struct reported_damage){.object = slot_object_name(slot),
                                    .offset = damage->piece.at - slot->object->bias,
                                    .address = damage->piece.at,
                                    .expected = texts->expected,
                                    .found = texts->found,
                                    .by = damage_by(damage),
                                    .text = texts->text};
}

/* Return through which stub calls reach the replacement. */
static const char *stub_of(const struct slot *slot)
{
    return !slot->layer_count ? NULL : keep_of(slot) ? "keeping" : "jump";
}

static struct reported_entry report_entry(const struct slot *slot)
{
    bool armed = site_is_armed(slot->site);

    return (struct reported_entry){.same_code = slot->same_code,
                                   .clones = slot->clones,
                                   .offset = slot->definition,
                                   .file = slot->file,
                                   .armed = armed,
                                   .technique = site_technique(slot->site),
                                   .stub = stub_of(slot),
                                   .keeps = {each_kept, slot},
                                   .uprobe_safe = armed && site_survives_restore(slot->site),
                                   .no_hits = slot->no_hits,
                                   .hit = slot->hit};
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
    const struct damage *damage = damage_of(slot);
    struct reported_import import;
    struct reported_entry entry;
    struct reported_damage damaged;
    struct damage_texts texts;

    if (slot->ops->kind == SLOT_IMPORT) {
        import = (struct reported_import){.definition = object_name(slot->object),
                                          .importers = {each_importer, slot},
                                          .words_live = slot->words_live};
        report.import = &import;
    } else if (slot->ops->kind == SLOT_ENTRY) {
        entry = report_entry(slot);
        if (damage) {
            damaged = report_damage(slot, damage, &texts);
            entry.damage = &damaged;
        }
        report.entry = &entry;
    }
    put(context, &report, text);
}
