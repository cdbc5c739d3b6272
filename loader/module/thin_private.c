/* thin_private.c - see thin_private.h. */
#include "loader/module/thin_private.h"

#include "elf/thin_file.h"
#include "loader/module/module.h"
#include "loader/module/thin_state.h"
#include "loader/objects/object.h"
#include "loader/slots/import.h"
#include "loader/slots/slot.h"

/* Return the object of a word that must not be there: another's that leads to the target's function, or the target's
 * own that leads elsewhere; NULL: none. */
static const struct object *stranger_of(const struct slot *slot, const struct object *target,
                                        const struct thin_private *function)
{
    bool leads = slot->object == target && slot->definition == function->offset;

    for (size_t i = 0; i < slot->word_count; i++) {
        const struct object *holder = slot->words[i].object;

        if (leads && holder != target && !holder->module)
            return holder;
        if (!leads && holder == target)
            return slot->object;
    }
    return NULL;
}

static int check_one(const struct module *module, const struct thin_private *function,
                     struct refusal *why)
{
    const struct object *target = module->thin->target;

    if (imports_read_named(function->name) != 0)
        return refuse(why, HP_MEMORY, "%s: look at the process: no memory", module->path);
    for (const struct slot *slot = slot_next_named(SLOT_IMPORT, function->name, NULL); slot;
         slot = slot_next_named(SLOT_IMPORT, function->name, slot)) {
        const struct object *stranger = stranger_of(slot, target, function);

        if (stranger && stranger == slot->object)
            return refuse(
                why, HP_TYPES, "%s: %s of %s stands before the %s of %s, whose prototype changed",
                module->path, function->name, stranger->path, function->name, target->base);
        if (stranger)
            return refuse(why, HP_TYPES,
                          "%s: %s is bound to %s of %s, whose prototype or entry changed: it would "
                          "go on to call the old code",
                          module->path, stranger->path, function->name, target->base);
    }
    return 0;
}

int thin_private_check(const struct module *module, struct refusal *why)
{
    const struct thin_file *file = module->thin->file;
    int result = 0;

    for (size_t i = 0; i < file->private_count; i++)
        if (check_one(module, &file->privates[i], why) != 0)
            result = -1;
    return result;
}
