/* entry_report.c - see entry_report.h. */
#include "loader/slots/entry_report.h"

#include "loader/objects/object.h"
#include "loader/slots/keep_slot.h"
#include "loader/text/damage.h"
#include "loader/text/site.h"

const struct damage *entry_damage(const struct slot *slot)
{
    return site_is_armed(slot->site) ? site_damage(slot->site) : NULL;
}

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

/* Return the name of the stub through which calls reach the replacement. */
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

void entry_report(const struct slot *slot, struct reported_slot *report, reported_slot_fn *put,
                  struct reported_text *text, void *context)
{
    struct reported_entry entry = report_entry(slot);
    const struct damage *damage = entry_damage(slot);
    struct reported_damage damaged;
    struct damage_texts texts;

    if (damage) {
        damaged = report_damage(slot, damage, &texts);
        entry.damage = &damaged;
    }
    report->entry = &entry; /* cppcheck-suppress autoVariables ; put() alone reads it */
    put(context, report, text);
    report->entry = NULL;
}
