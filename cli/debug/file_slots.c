/* file_slots.c - see file_slots.h. */
#include "cli/debug/file_slots.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "cli/debug/file_image.h"
#include "cli/output/output.h"
#include "elf/relocations.h"
#include "elf/slot_table.h"
#include "include/hotpatch.h"
#include "resolve/elf_refusal.h"

enum { BUCKETS = 16384 };

static struct file_slot *slot_add(struct file_slots *slots, const char *name)
{
    if (slots->count == slots->capacity) {
        slots->capacity = slots->capacity ? slots->capacity * 2 : 64;
        slots->list = reallocate(slots->list, slots->capacity * sizeof(*slots->list));
    }
    slots->list[slots->count] = (struct file_slot){.name = name, .words = 1};
    return &slots->list[slots->count++];
}

static bool same_version(const char *a, const char *b)
{
    return !a == !b && (!a || strcmp(a, b) == 0);
}

static bool is_import_relocation(const struct image_relocation *relocation)
{
    return relocation->has_symbol && *relocation->symbol.name &&
           (relocation_binds(relocation) || relocation_copies(relocation));
}

/* NULL: it can. A program's copy of a library's data is defined in the program. */
static const char *why_unpatchable(const struct image_relocation *relocation)
{
    const struct image_symbol *symbol = &relocation->symbol;

    switch (symbol->type) {
    case STT_FUNC:
    case STT_GNU_IFUNC:
        return relocation->addend == 0 ? NULL : "an address inside a function";
    case STT_OBJECT:
        return "data";
    case STT_TLS:
        return "data of each thread";
    default:
        return symbol->binding == STB_WEAK ? "weak; perhaps nobody defines it"
                                           : "its type is not known before it runs";
    }
}

static size_t *import_bucket(struct file_slots *slots, const char *name)
{
    size_t hash = 0;

    for (; *name; name++)
        hash = hash * 33 + (unsigned char)*name;
    return &slots->buckets[hash % BUCKETS];
}

static int import_add(const struct image_relocation *relocation, void *context)
{
    const struct image_symbol *symbol = &relocation->symbol;
    struct file_slots *slots = context;
    struct file_slot *slot;
    const char *why;
    size_t *bucket;

    if (!is_import_relocation(relocation) || (symbol->defined && !relocation_copies(relocation)))
        return 0;
    why = why_unpatchable(relocation);
    bucket = import_bucket(slots, symbol->name);
    for (size_t i = *bucket; i; i = slots->list[i - 1].next) {
        slot = &slots->list[i - 1];
        if (strcmp(slot->name, symbol->name) == 0 && same_version(slot->version, symbol->version) &&
            !slot->why == !why) {
            slot->words++;
            return 0;
        }
    }
    slot = slot_add(slots, symbol->name);
    slot->next = *bucket;
    *bucket = slots->count;
    slot->version = symbol->version;
    slot->kind = symbol->type == STT_OBJECT || symbol->type == STT_TLS ? HOTPATCH_KIND_DATA
                                                                       : HOTPATCH_KIND_FUNCTION;
    slot->why = why;
    return 0;
}

static int declared_add(const struct image *image, struct file_slots *slots,
                        struct elf_error *error)
{
    struct slot_table table;
    int found = slot_table_read(image, &table, error);

    if (found <= 0)
        return found;
    slots->name_space = table.name_space;
    for (size_t i = 0; i < table.count; i++) {
        struct file_slot *slot = slot_add(slots, table.slots[i].name);

        slot->declared = true;
        slot->signature = table.slots[i].signature;
        slot->kind = table.slots[i].kind;
    }
    slot_table_free(&table);
    return 0;
}

int file_slots_read(const struct image *image, const char *path, struct file_slots *slots,
                    struct refusal *why)
{
    struct elf_error error = {0};

    memset(slots, 0, sizeof(*slots));
    slots->buckets = allocate(BUCKETS * sizeof(*slots->buckets));
    if (declared_add(image, slots, &error) < 0 ||
        image_relocations(image, import_add, slots, &error) < 0)
        return refuse(why, elf_refusal_code(&error), "%s: %s", path, error.text);
    return 0;
}

void file_slots_free(struct file_slots *slots)
{
    free(slots->list);
    free(slots->buckets);
    memset(slots, 0, sizeof(*slots));
}
