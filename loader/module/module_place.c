/* module_place.c - see module_place.h. */
#include "loader/module/module_place.h"

#include <stdlib.h>
#include <string.h>

#include "base/services.h"
#include "base/sha256.h"
#include "base/text.h"
#include "loader/module/module.h"
#include "loader/module/snapshot.h"
#include "loader/module/thin_state.h"
#include "loader/objects/object.h"
#include "loader/slots/declared.h"

int module_snapshot(struct module *module, struct refusal *why)
{
    char sha256[sizeof(module->sha256)];

    if (module->injection || module->reused)
        return 0;
    if (module->snapshot && module->thin && module->loaded_as)
        return 0; /* made before another module was misplaced */
    memcpy(sha256, module->sha256, sizeof(sha256));
    if (module->edited) /* the copy's name is the hash of its content */
        sha256_hex(module->bytes, module->size, sha256);
    /* in a jail: that copy has the content of the file, without the edits */
    if (module->snapshot && module->edited) {
        free(module->snapshot);
        module->snapshot = snapshot_bring(module->bytes, module->size, why);
    } else if (!module->snapshot) {
        module->snapshot =
            snapshot_make(sha256, module->bytes, module->size, &module->snapshot_made, why);
    }
    if (!module->snapshot)
        return -1;
    if (module->thin && module->snapshot_made)
        module->thin->maker = shim()->pid();
    /* Set the name before dlopen(), so that the object list finds the module of the new object. */
    module->loaded_as = text_copy(module->snapshot);
    return module->loaded_as ? 0 : refuse(why, HP_MEMORY, "read %s: no memory", module->path);
}

void module_drop_snapshot(struct module *module)
{
    if (module->snapshot && module->snapshot_made)
        snapshot_remove(module->snapshot);
}

void module_forget_snapshot(struct module *module)
{
    module_drop_snapshot(module);
    free(module->snapshot);
    free(module->loaded_as);
    module->snapshot = module->loaded_as = NULL;
    module->snapshot_made = false;
}

/* Place the declared slots. In a mapping that is used again no patch is stored in these slots: each slot gets its
 * fallback. */
static void place_slots(const struct module *module, struct object *object)
{
    for (struct slot *slot = module->own_slots; slot; slot = slot->next) {
        declared_place(slot, object);
        if (!module->reused)
            continue;
        slot->live = slot->fallback;
        slot->version = __atomic_load_n(&slot->declared->version, __ATOMIC_ACQUIRE);
        __atomic_store_n(slot->words[0].address, slot->fallback, __ATOMIC_RELEASE);
    }
}

int module_place(struct module *module)
{
    struct object *object;

    if (module->injection)
        return 0;
    if (objects_refresh() != 0)
        return -1;
    object = module->object;
    if (!object || object->bias != module->bias)
        return -1;
    if (module->thin)
        thin_spot_done(&module->thin->spot);
    if (module->name_space && !object->name_space)
        object->name_space = text_copy(module->name_space);
    for (size_t i = 0; i < module->replacement_count; i++) {
        module->replacements[i].function += module->bias;
        if (module->replacements[i].original)
            module->replacements[i].original += module->bias;
    }
    for (size_t i = 0; i < sizeof(module->hooks) / sizeof(*module->hooks); i++)
        if (module->hooks[i])
            module->hooks[i] += module->bias;
    place_slots(module, object);
    module->placed = true;
    return 0;
}
