/* slot.c - see slot.h. Slots are found by kind and by name, and entry slots also by place. */
#include "loader/slots/slot.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "loader/slots/injection_decide.h"
#include "loader/slots/module_state.h"
#include "loader/text/site.h"

enum { BUCKET_COUNT = 8192, KINDS = SLOT_ENTRY + 1 };

static struct slot *first;
static struct slot **end = &first;
/* Lists by kind: every request walks the few declared slots of a program that may have ten thousand entry slots. */
static struct slot *firsts[KINDS];
static struct slot **ends[KINDS] = {&firsts[0], &firsts[1], &firsts[2]};
static struct slot *buckets[BUCKET_COUNT];
static struct slot *places[BUCKET_COUNT]; /* the entry slots, by object and definition */

/* Hash the name with FNV-1a (Fowler, Noll, Vo). */
static struct slot **bucket_of(const char *name)
{
    uint32_t hash = 2166136261u;

    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 16777619u;
    return &buckets[hash % BUCKET_COUNT];
}

/* Hash the place. Most functions begin at multiples of 16. */
static struct slot **place_of(const struct object *object, uint64_t definition)
{
    uint64_t key = (uint64_t)(uintptr_t)object / 64 + definition / 16;

    return &places[(key ^ key / BUCKET_COUNT) % BUCKET_COUNT];
}

struct slot *slot_at(const struct object *object, uint64_t definition)
{
    struct slot *slot = *place_of(object, definition);

    while (slot && (slot->object != object || slot->definition != definition))
        slot = slot->next_at_place;
    return slot;
}

struct slot *slot_next_named(enum slot_kind kind, const char *name, const struct slot *slot)
{
    struct slot *next = slot ? slot->next_in_bucket : *bucket_of(name);

    while (next && (next->ops->kind != kind || strcmp(next->name, name) != 0))
        next = next->next_in_bucket;
    return next;
}

struct slot *slots_first(void)
{
    return first;
}

struct slot *slots_of(enum slot_kind kind)
{
    return firsts[kind];
}

struct slot *slot_new(const struct slot_ops *ops, uint32_t type, const char *name,
                      const char *signature)
{
    struct slot *slot = calloc(1, sizeof(*slot));

    if (!slot)
        return NULL;
    slot->ops = ops;
    slot->type = type;
    slot->name = text_copy(name);
    slot->signature = text_copy(signature);
    if (!slot->name || (signature && !slot->signature)) {
        slot_free(slot);
        return NULL;
    }
    return slot;
}

int slot_add_word(struct slot *slot, const struct word *word)
{
    struct word *words = realloc(slot->words, (slot->word_count + 1) * sizeof(*words));

    if (!words)
        return -1;
    words[slot->word_count++] = *word;
    slot->words = words;
    return 0;
}

void slot_register(struct slot *slot)
{
    struct slot **bucket = bucket_of(slot->name);

    slot->next = NULL;
    *end = slot;
    end = &slot->next;
    slot->next_of_kind = NULL;
    *ends[slot->ops->kind] = slot;
    ends[slot->ops->kind] = &slot->next_of_kind;
    slot->next_in_bucket = *bucket;
    *bucket = slot;
    if (slot->ops->by_place) {
        struct slot **place = place_of(slot->object, slot->definition);

        slot->next_at_place = *place;
        *place = slot;
    }
}

static void leave_buckets(struct slot *slot)
{
    struct slot **bucket = bucket_of(slot->name);

    while (*bucket != slot)
        bucket = &(*bucket)->next_in_bucket;
    *bucket = slot->next_in_bucket;
    if (slot->ops->by_place) {
        struct slot **place = place_of(slot->object, slot->definition);

        while (*place != slot)
            place = &(*place)->next_at_place;
        *place = slot->next_at_place;
    }
}

void slot_free(struct slot *slot)
{
    free(slot->name);
    free(slot->signature);
    free(slot->name_space);
    free(slot->version_name);
    free(slot->file);
    free(slot->same_code);
    free(slot->clones);
    free(slot->words);
    free(slot->layers);
    free(slot->text.text);
    free(slot);
}

static void unlink_of_kind(int kind, bool (*wanted)(const struct slot *, const void *),
                           const void *key)
{
    struct slot **place = &firsts[kind];

    while (*place) {
        if (wanted(*place, key))
            *place = (*place)->next_of_kind;
        else
            place = &(*place)->next_of_kind;
    }
    ends[kind] = place;
}

static void drop_slots(bool (*wanted)(const struct slot *, const void *), const void *key)
{
    for (int kind = 0; kind < KINDS; kind++)
        unlink_of_kind(kind, wanted, key);
    for (struct slot **place = &first; *place;) {
        struct slot *slot = *place;

        if (!wanted(slot, key)) {
            place = &slot->next;
            continue;
        }
        *place = slot->next;
        leave_buckets(slot);
        if (slot->ops->dropped)
            slot->ops->dropped(slot);
        slot->object = NULL;
        slot->gone = true;
        if (!slot_change(slot))
            slot_free(slot);
    }
    end = &first;
    while (*end)
        end = &(*end)->next;
}

static bool in_object(const struct slot *slot, const void *object)
{
    return slot->object == object || (slot->ops->of_importers && slot->word_count == 0);
}

static void drop_words(struct slot *slot, const struct object *object)
{
    size_t kept = 0;

    for (size_t i = 0; i < slot->word_count; i++)
        if (slot->words[i].object != object)
            slot->words[kept++] = slot->words[i];
    slot->word_count = kept;
}

static bool of_retired(const struct slot *slot, const void *nothing)
{
    (void)nothing;
    return slot->owner && !slot->owner->live && slot->layer_count == 0;
}

void slots_drop_words(const struct object *object)
{
    for (struct slot *slot = firsts[SLOT_IMPORT]; slot; slot = slot->next_of_kind)
        drop_words(slot, object);
}

void slots_drop_object(const struct object *object)
{
    slots_drop_words(object);
    drop_slots(in_object, object);
}

void slots_drop_retired(void)
{
    drop_slots(of_retired, NULL);
}

/* Incremented in a forked child: the changes that slots point to then belong to the parent's transaction. */
static uint32_t transaction;

struct change *slot_change(const struct slot *slot)
{
    return slot->transaction == transaction ? slot->change : NULL;
}

void slot_pin(struct slot *slot, struct change *change)
{
    slot->transaction = transaction;
    slot->change = change;
}

void slot_unpin(struct slot *slot)
{
    slot->change = NULL;
    if (slot->gone)
        slot_free(slot);
}

/* Unpin all slots. The slots are not written: each store would copy a page that the child may never use. */
void slots_unpin_all(void)
{
    transaction++;
}

/* Return the object that the slot is named after. An import slot is named after its first importer; the program comes
 * before other importers. */
static const struct object *named_object(const struct slot *slot)
{
    return slot->ops->of_importers && slot->word_count ? slot->words[0].object : slot->object;
}

const char *object_name(const struct object *object)
{
    if (object->module)
        return text_base_name(object->module->path);
    return object->soname ? object->soname : object->base;
}

const char *slot_object_name(const struct slot *slot)
{
    return slot->owner ? text_base_name(slot->owner->path) : object_name(named_object(slot));
}

const char *slot_object_path(const struct slot *slot)
{
    return slot->owner ? slot->owner->path : named_object(slot)->path;
}

const char *slot_name_space(const struct slot *slot)
{
    if (slot->name_space)
        return slot->name_space;
    if (slot->owner)
        return slot->owner->name_space ? slot->owner->name_space
                                       : text_base_name(slot->owner->path);
    return named_object(slot)->name_space ? named_object(slot)->name_space
                                          : named_object(slot)->base;
}

bool slot_in_object(const struct slot *slot, const struct symbol_spec *target)
{
    if (slot->owner)
        return symbol_spec_object_matches(target, false, slot->owner->path, slot->owner->name,
                                          slot_name_space(slot));
    return symbol_spec_object_matches(target, slot->object->is_program, slot->object->path,
                                      slot->object->soname, slot_name_space(slot));
}

static uint64_t mix(uint64_t stamp, const void *bytes, size_t size)
{
    const unsigned char *from = bytes;

    for (uint64_t word; size >= sizeof(word); from += sizeof(word), size -= sizeof(word)) {
        memcpy(&word, from, sizeof(word));
        stamp = (stamp ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        stamp ^= stamp >> 32;
    }
    return stamp;
}

/* Hash all bytes of all parts, so that a member that is added later is included. Texts, objects and modules never
 * change, except for an injection's count. */
uint64_t slot_stamp(const struct slot *slot)
{
    uint64_t stamp = mix(0, slot, offsetof(struct slot, text));

    stamp = mix(stamp, slot->words, slot->word_count * sizeof(*slot->words));
    stamp = mix(stamp, slot->layers, slot->layer_count * sizeof(*slot->layers));
    for (size_t i = 0; i < slot->layer_count; i++) {
        const struct module *module = slot->layers[i].module;

        if (module && module->injection)
            stamp ^= __atomic_load_n(&module->injection->strikes, __ATOMIC_RELAXED) + 1;
    }
    if (slot->site) {
        uint64_t site = site_stamp(slot->site);

        stamp = mix(stamp, &site, sizeof(site));
    }
    return stamp;
}

bool slot_writes_code(const struct slot *slot)
{
    return slot->ops->arm != NULL;
}

uintptr_t slot_word_value(const struct slot *slot, const struct word *word)
{
    return slot->ops->word_value
               ? slot->ops->word_value(slot, slot->layers, slot->layer_count, slot->live, word)
               : slot->live;
}
