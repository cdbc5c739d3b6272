/*
 * slot_table.c - the slots that an object declares with hotpatch.h.
 *
 * Any thread, one at a time per image. In a mapped object the host runs meanwhile: what the
 * slots' `target`, `version` and `context` hold is not looked at.
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "elf/image_bytes.h"
#include "elf/record.h"
#include "elf/relocations.h"
#include "elf/slot_table.h"

#define SLOT_FIELD(address, member) ((address) + offsetof(struct hotpatch_slot, member))

static int read_data_fallback(const struct record_reader *reader, struct table_slot *slot)
{
    return record_pointer_to(reader, SLOT_FIELD(slot->address, fallback), "fallback", NULL_REFUSED,
                             0, 1, &slot->fallback);
}

/*
 * An untyped slot's fallback may be any function that the object can name. One that another
 * object provides (or, in a non-PIE process, the program's PLT entry for it) is 0 here: only
 * the live word tells it.
 */
static int read_untyped_fallback(const struct record_reader *reader, struct table_slot *slot)
{
    uint64_t at = SLOT_FIELD(slot->address, fallback);

    if (image_word_source(reader->image, at, &slot->fallback) == WORD_FOREIGN) {
        slot->fallback = 0;
        return 0;
    }
    return record_pointer_to(reader, at, "fallback", NULL_REFUSED, PF_X, 1, &slot->fallback);
}

static int read_function_fallback(const struct record_reader *reader, struct table_slot *slot)
{
    return record_pointer_to(reader, SLOT_FIELD(slot->address, fallback), "fallback", NULL_REFUSED,
                             PF_X, 1, &slot->fallback);
}

/*
 * The stub. Where a non-PIE program takes its address too, a library's word holds the
 * program's PLT entry: then the symbol of the slot's name tells it.
 */
static int read_slot_entry(const struct record_reader *reader, struct table_slot *slot)
{
    uint64_t at = SLOT_FIELD(slot->address, entry);
    struct image_symbol stub;

    if (image_word_source(reader->image, at, &slot->entry) != WORD_FOREIGN)
        return record_pointer_to(reader, at, "entry", NULL_ALLOWED, PF_X, 1, &slot->entry);
    slot->entry = 0;
    if (image_symbol(reader->image, slot->name, &stub) &&
        image_has(reader->image, stub.value, 1, PF_X))
        slot->entry = stub.value;
    return 0;
}

static int read_fallback(const struct record_reader *reader, struct table_slot *slot)
{
    switch (slot->kind) {
    case HOTPATCH_KIND_DATA:
        return read_data_fallback(reader, slot);
    case HOTPATCH_KIND_UNTYPED:
        return read_untyped_fallback(reader, slot);
    default:
        return read_function_fallback(reader, slot);
    }
}

static int read_slot(const struct record_reader *reader, struct table_slot *slot)
{
    bool untyped;

    if (record_copy(reader, SLOT_FIELD(slot->address, kind), &slot->kind, sizeof slot->kind))
        return -1;
    if (slot->kind < HOTPATCH_KIND_FUNCTION || slot->kind > HOTPATCH_KIND_UNTYPED)
        return record_error(reader, "its kind %u is unknown", slot->kind);
    untyped = slot->kind == HOTPATCH_KIND_UNTYPED;
    if (record_name(reader, SLOT_FIELD(slot->address, name), "name", &slot->name) ||
        record_string(reader, SLOT_FIELD(slot->address, signature), "signature",
                      untyped ? NULL_ALLOWED : NULL_REFUSED, &slot->signature) ||
        read_fallback(reader, slot) || read_slot_entry(reader, slot))
        return -1;
    if (!slot->signature)
        slot->signature = "";
    return 0;
}

/* The engine stores into the slots at any time: never read-only memory. */
static int read_slots(struct record_reader *reader, uint64_t begin, struct slot_table *table)
{
    size_t size = table->count * sizeof(struct hotpatch_slot);

    if (table->count == 0)
        return 0;
    if (!image_has(reader->image, begin, size, PF_W) ||
        image_in_relro(reader->image, begin, sizeof(struct hotpatch_slot)))
        return record_error(reader, "its slots are not in writable memory");
    table->slots = calloc(table->count, sizeof *table->slots);
    if (!table->slots)
        return elf_fail(reader->error, ELF_NO_MEMORY, "no memory for %zu slots", table->count);
    for (size_t i = 0; i < table->count; i++) {
        table->slots[i].address = begin + i * sizeof(struct hotpatch_slot);
        snprintf(reader->what, sizeof reader->what, "slot %zu", i);
        if (read_slot(reader, &table->slots[i]))
            return -1;
    }
    return 0;
}

static int check_table_record(const struct record_reader *reader,
                              const struct hotpatch_slot_table *header)
{
    if (header->magic != HOTPATCH_SLOT_TABLE_MAGIC)
        return record_error(reader, "its magic is wrong");
    if (header->version != HOTPATCH_ABI_VERSION)
        return record_error(reader, "it is of version %u, known is %u", header->version,
                            HOTPATCH_ABI_VERSION);
    if (header->entry_size != sizeof(struct hotpatch_slot))
        return record_error(reader, "its slots have %u bytes, not %zu", header->entry_size,
                            sizeof(struct hotpatch_slot));
    return 0;
}

static int read_slot_records(struct record_reader *reader, struct slot_table *table)
{
    struct hotpatch_slot_table header;
    uint64_t begin;

    if (record_copy(reader, table->address, &header, sizeof header) ||
        check_table_record(reader, &header) ||
        record_array(reader, table->address + offsetof(struct hotpatch_slot_table, begin), "slots",
                     sizeof(struct hotpatch_slot), _Alignof(struct hotpatch_slot), &begin,
                     &table->count) ||
        record_string(reader, table->address + offsetof(struct hotpatch_slot_table, name_space),
                      "namespace", NULL_ALLOWED, &table->name_space))
        return -1;
    if (table->name_space && !table->name_space[0])
        return record_error(reader, "its namespace is empty");
    return read_slots(reader, begin, table);
}

int slot_table_read(const struct image *image, struct slot_table *table, struct elf_error *error)
{
    uint64_t address;

    *table = (struct slot_table){0};
    if (!record_find(image, "hotpatch_slot_table_v1", "hotpatch_table", &address))
        return 0;
    return slot_table_read_at(image, address, table, error);
}

/* ------------------------------------------------------- not yet relocated --- */

struct pending_table {
    const struct image *image;
    uint64_t table, slots_begin, slots_end;
};

/* Return whether ld.so alone writes the word: those of the table, and in a slot the texts, fallback and
 * entry. */
static bool is_fixed_word(const struct pending_table *pending, uint64_t where)
{
    uint64_t in_slot = (where - pending->slots_begin) % sizeof(struct hotpatch_slot);

    if (where >= pending->table && where - pending->table < sizeof(struct hotpatch_slot_table))
        return true;
    return where >= pending->slots_begin && where < pending->slots_end &&
           (in_slot <= offsetof(struct hotpatch_slot, signature) ||
            in_slot == offsetof(struct hotpatch_slot, fallback) ||
            in_slot == offsetof(struct hotpatch_slot, entry));
}

/* Before ld.so has added the load bias, the word is 0 or an address without it. */
static int stop_at_pending(const struct image_relocation *relocation, void *context)
{
    const struct pending_table *pending = context;
    uint64_t value;

    if (relocation->type != ARCH_RELOCATION_RELATIVE ||
        !is_fixed_word(pending, relocation->where) ||
        image_word_source(pending->image, relocation->where, &value) == WORD_ADDRESS)
        return 0;
    return value == 0 || image_segment(pending->image, value, 0) ? 1 : 0;
}

/*
 * dl_iterate_phdr(3) shows an object to other threads before dlopen(3) has relocated it. Then
 * a sound table looks empty or damaged.
 */
static bool is_pending_table(const struct image *image, uint64_t table)
{
    struct pending_table pending = {.image = image, .table = table};
    struct elf_error ignored = {ELF_OK, ""};

    if (!image_is_mapped(image))
        return false;
    image_word_at(image, table + offsetof(struct hotpatch_slot_table, begin), &pending.slots_begin);
    image_word_at(image, table + offsetof(struct hotpatch_slot_table, end), &pending.slots_end);
    return image_relocations(image, stop_at_pending, &pending, &ignored) == 1;
}

int slot_table_read_at(const struct image *image, uint64_t address, struct slot_table *table,
                       struct elf_error *error)
{
    struct record_reader reader = {image, error, ELF_TABLE_DAMAGED, "the slot table"};

    *table = (struct slot_table){.address = address};
    int result = read_slot_records(&reader, table) ? -1 : 1;
    if ((result < 0 || table->count == 0) && is_pending_table(image, address))
        result = SLOT_TABLE_PENDING;
    if (result != 1)
        slot_table_free(table);
    return result;
}

void slot_table_free(struct slot_table *table)
{
    free(table->slots);
    *table = (struct slot_table){0};
}
