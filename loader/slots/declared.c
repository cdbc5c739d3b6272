/* declared.c - see declared.h. */
#include "loader/slots/declared.h"

#include <stdlib.h>
#include <string.h>

#include "base/services.h"
#include "base/sys.h"
#include "base/text.h"
#include "elf/slot_table.h"
#include "elf/slot_table_file.h"
#include "loader/objects/object_file.h"
#include "loader/slots/change.h"
#include "loader/slots/entry_file.h"

/* ---- the kind ---- */

/* Empty the required slots that a dropped slot fills. Their words hold the address of a stub that is unmapped, so the
 * fallback is stored at once, not with the next commit. No fallback is stored into an object that is unmapped as
 * well. */
static void forget_provider(const struct slot *gone)
{
    for (struct slot *slot = slots_of(SLOT_DECLARED); slot; slot = slot->next_of_kind) {
        if (slot->provider != gone)
            continue;
        slot->provider = NULL;
        if (slot->live == slot->base) {
            slot->live = slot->fallback;
            for (size_t i = 0; i < slot->word_count && slot->object->present; i++)
                __atomic_store_n(slot->words[i].address, slot->fallback, __ATOMIC_RELEASE);
        }
        slot->base = slot->fallback;
    }
}

static bool declared_store(const struct change *change, const struct word *word, bool hits)
{
    (void)hits;
    if (__atomic_load_n(word->address, __ATOMIC_ACQUIRE) != change->after)
        __atomic_store_n(word->address, change->after, __ATOMIC_RELEASE);
    return false;
}

static const struct slot_ops declared_ops = {
    .kind = SLOT_DECLARED, .dropped = forget_provider, .store = declared_store};

/* ---- slots of a table ---- */

static struct slot *from_table(const struct table_slot *entry)
{
    struct slot *slot = slot_new(&declared_ops, entry->kind, entry->name, entry->signature);

    if (!slot)
        return NULL;
    slot->declared = (struct hotpatch_slot *)(uintptr_t)entry->address;
    slot->fallback = entry->fallback;
    slot->stub = entry->entry;
    if (slot_add_word(slot, &(struct word){0}) != 0) {
        slot_free(slot);
        return NULL;
    }
    return slot;
}

void declared_place(struct slot *slot, struct object *object)
{
    slot->declared = (struct hotpatch_slot *)((uintptr_t)slot->declared + object->bias);
    if (slot->fallback)
        slot->fallback += object->bias;
    else /* a function of another object: ld.so has stored its address there */
        memcpy(&slot->fallback, &slot->declared->fallback, sizeof(slot->fallback));
    if (slot->stub)
        slot->stub += object->bias;
    slot->object = object;
    slot->base = slot->fallback;
    slot->words[0] =
        (struct word){.address = (uintptr_t *)(void *)&slot->declared->target, .object = object};
    slot->live = __atomic_load_n(slot->words[0].address, __ATOMIC_ACQUIRE);
}

/* Find and read the object's slot table. A program does not export its table, and a library's version script may hide
 * it. Then the section headers of the file say where the table is. The table is checked as always, so a file that was
 * replaced on disk after loading does no harm. */
static int read_table(const struct object *object, struct slot_table *table,
                      struct elf_error *error)
{
    int found = slot_table_read(object->image, table, error);
    int fd, own = -1;
    uint64_t address;
    bool is_own;

    if (found != 0)
        return found;
    fd = object_file_open(object, &is_own);
    if (is_own)
        own = fd;
    /* called before the listener exists: the program's table is searched again later */
    if (fd < 0)
        return object->is_program ? SLOT_TABLE_PENDING : 0;
    if (slot_table_find_in_file(fd, &address))
        found = slot_table_read_at(object->image, address, table, error);
    if (own >= 0)
        sys_close(own);
    return found;
}

int declared_read(struct object *object)
{
    struct slot_table table;
    struct elf_error error;
    int found;

    if (!object->image)
        return 0;
    found = read_table(object, &table, &error);
    if (found == SLOT_TABLE_PENDING)
        return 1;
    if (found < 0) {
        /* `slots` and `doctor` report the problem. The rest of the process can still be patched. */
        free(object->problem);
        object->problem = text_copy(error.text);
        return object->problem ? 0 : -1;
    }
    if (found == 0)
        return 0;
    if (table.name_space)
        object->name_space = text_copy(table.name_space);
    for (size_t i = 0; i < table.count; i++) {
        struct slot *slot = from_table(&table.slots[i]);

        if (!slot) {
            slot_table_free(&table);
            return -1;
        }
        declared_place(slot, object);
        slot_register(slot);
    }
    slot_table_free(&table);
    return 0;
}

int declared_from_file(const struct image *image, struct module *owner, struct slot **list,
                       char **name_space, struct elf_error *error)
{
    struct slot_table table;
    struct slot **end = list;
    int found = slot_table_read(image, &table, error);

    *list = NULL;
    *name_space = NULL;
    if (found <= 0)
        return found;
    if (table.name_space)
        *name_space = text_copy(table.name_space);
    for (size_t i = 0; i < table.count; i++) {
        *end = from_table(&table.slots[i]);
        if (!*end) {
            *error = (struct elf_error){ELF_NO_MEMORY, "no memory for the patch's slots"};
            slot_table_free(&table);
            return -1;
        }
        (*end)->owner = owner;
        end = &(*end)->next;
    }
    slot_table_free(&table);
    return 0;
}

/* ---- slots made at run time ---- */

int declared_adopt_registered(struct registered_slot *list)
{
    for (struct registered_slot *r = list; r; r = __atomic_load_n(&r->next, __ATOMIC_ACQUIRE)) {
        struct slot *slot;

        if (slot_of_declared(&r->slot))
            continue;
        slot = slot_new(&declared_ops, r->slot.kind, r->slot.name, r->slot.signature);
        if (!slot)
            return -1;
        slot->object = object_program();
        if (slot_add_word(slot, &(struct word){.address = (uintptr_t *)(void *)&r->slot.target,
                                               .object = slot->object}) != 0)
            return -1;
        slot->declared = &r->slot;
        slot->name_space = text_copy(r->name_space);
        slot->fallback = slot->base = (uintptr_t)r->slot.fallback;
        slot->live = __atomic_load_n(slot->words[0].address, __ATOMIC_ACQUIRE);
        slot_register(slot);
    }
    return 0;
}

struct slot *slot_of_declared(const struct hotpatch_slot *declared)
{
    for (struct slot *slot = slots_of(SLOT_DECLARED); slot; slot = slot->next_of_kind)
        if (slot->object && slot->declared == declared)
            return slot;
    return NULL;
}
