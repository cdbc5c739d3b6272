/*
 * slot_objects.c - see slot_objects.h.
 *
 * Called by object.c, on the thread that holds the engine lock.
 */
#include "loader/slots/slot_objects.h"

#include "loader/objects/object.h"
#include "loader/slots/declared.h"
#include "loader/slots/import.h"

/* Return whether the object's declared slots hold the stored values. In a new mapping they hold the fallbacks. */
static bool declared_unchanged(const struct object *object)
{
    for (const struct slot *slot = slots_of(SLOT_DECLARED); slot; slot = slot->next_of_kind)
        for (size_t i = 0; slot->object == object && i < slot->word_count; i++)
            if (__atomic_load_n(slot->words[i].address, __ATOMIC_ACQUIRE) != slot->live)
                return false;
    return true;
}

static void drop_object(struct object *object)
{
    slots_drop_object(object);
}

void slot_objects_register(void)
{
    static struct object_callbacks callbacks = {.list_changed = imports_expect_new,
                                                .read = declared_read,
                                                .unchanged = declared_unchanged,
                                                .stayed = imports_recheck,
                                                .gone = drop_object,
                                                .section = imports_read_new};

    objects_register(&callbacks);
}
