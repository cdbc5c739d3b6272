/* plan.c - see plan.h. */
#include "loader/transaction/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "loader/module/module_check.h"
#include "loader/module/module_read.h"
#include "loader/slots/injection_decide.h"
#include "loader/slots/keep_slot.h"
#include "loader/transaction/find.h"
#include "loader/transaction/thin_plan.h"
#include "resolve/signature.h"

/* ---- layers ---- */

static bool slot_has_layer_of(const struct slot *slot, const struct module *module)
{
    for (size_t i = 0; i < slot->layer_count; i++)
        if (slot->layers[i].module == module)
            return true;
    return false;
}

/* Remove all layers of a module from all slots. */
static int remove_module(struct transaction *transaction, const struct module *module)
{
    for (struct slot *slot = slots_first(); slot; slot = slot->next)
        if (slot_has_layer_of(slot, module) && !change_for(transaction, slot))
            return -1;
    for (struct change *c = transaction->changes; c; c = c->next) {
        struct layer *layer;

        while ((layer = change_layer_of(c, module)) != NULL)
            change_remove_layer(c, layer);
    }
    return 0;
}

/* ---- loads ---- */

static int no_memory(struct transaction *transaction)
{
    return refuse(transaction->why, HP_MEMORY, "plan the transaction: no memory");
}

/* Put a layer of `module` on a slot: in the place of the module that it replaces, else on top. */
static int place_layer(struct transaction *transaction, struct slot *slot, struct module *module,
                       size_t replacement, const struct module *old)
{
    struct layer layer = {.module = module, .replacement = replacement};
    struct change *change = change_for(transaction, slot);
    struct layer *before;

    if (!change)
        return no_memory(transaction);
    if (change_layer_of(change, module))
        return refuse(transaction->why, HP_NAME_CLASH, "%s: it replaces %s twice", module->path,
                      slot->name);
    if (slot->ops->plan &&
        slot->ops->plan(slot, module, &module->replacements[replacement], transaction->why) != 0)
        return -1;
    if (module->injection)
        __atomic_store_n(&module->injection->at_entry, slot_writes_code(slot), __ATOMIC_RELEASE);
    before = old ? change_layer_of(change, old) : NULL;
    if (before)
        *before = layer;
    else if (change_push_layer(change, &layer) != 0)
        return no_memory(transaction);
    return 0;
}

/* Copy the layers of other modules from the slots that the old version of a patch declares to the slots of the new
 * version. */
static int carry_layers(struct transaction *transaction, struct module *module,
                        const struct module *old)
{
    for (struct slot *slot = module->own_slots; slot; slot = slot->next) {
        for (struct slot *was = slot_next_named(SLOT_DECLARED, slot->name, NULL); was;
             was = slot_next_named(SLOT_DECLARED, slot->name, was)) {
            struct change *from, *to;

            if (was->owner != old || was->layer_count == 0)
                continue;
            if (was->type != slot->type || !signature_equal(was->signature, slot->signature)) {
                transaction_warn(transaction, "the layers on %s are lost: its type has changed",
                                 slot->name);
                continue;
            }
            from = change_for(transaction, was);
            to = change_for(transaction, slot);
            if (!from || !to)
                return no_memory(transaction);
            for (size_t i = 0; i < from->layer_count; i++)
                if (change_push_layer(to, &from->layers[i]) != 0)
                    return no_memory(transaction);
            from->layer_count = 0;
        }
    }
    return 0;
}

static int add_to(struct module ***list, size_t *count, struct module *module)
{
    struct module **longer = realloc(*list, (*count + 1) * sizeof(*longer));

    if (!longer)
        return -1;
    longer[(*count)++] = module;
    *list = longer;
    return 0;
}

static int end_module(struct transaction *transaction, struct module *module)
{
    module->live_after = false;
    if (remove_module(transaction, module) != 0 ||
        add_to(&transaction->reverts, &transaction->revert_count, module) != 0)
        return no_memory(transaction);
    return 0;
}

static struct module *live_after_named(const char *name)
{
    for (struct module *m = module_first(); m; m = m->next)
        if (m->live_after && strcmp(m->name, name) == 0)
            return m;
    return NULL;
}

static bool is_loaded_now(const struct transaction *transaction, const struct module *module)
{
    for (size_t i = 0; i < transaction->load_count; i++)
        if (transaction->loads[i] == module)
            return true;
    return false;
}

/* Return the slots of all replacements; NULL stands for a refused replacement. Return NULL if there is no memory. */
static struct slot **find_slots(struct transaction *transaction, const struct module *module)
{
    struct slot **slots = calloc(module->replacement_count + 1, sizeof(struct slot *));

    for (size_t i = 0; slots && i < module->replacement_count; i++) {
        const struct replacement *replacement = &module->replacements[i];

        slots[i] = replacement->by_place ? find_slot_at(transaction, module, replacement)
                                         : find_slot(transaction, module, replacement->target,
                                                     replacement->kind, replacement->signature);
    }
    return slots;
}

/* Return whether `old`, which is live, has the content of `module` and a layer on each of the slots, except slots that
 * `module` declares. A library that was closed and opened again has lost its layers. */
static bool is_unchanged_module(const struct module *module, const struct module *old,
                                struct slot *const *slots)
{
    if (!module_is_same(module, old))
        return false;
    for (size_t i = 0; i < module->replacement_count; i++)
        if (!slots[i] || (slots[i]->owner != module && !slot_has_layer_of(slots[i], old)))
            return false;
    return true;
}

static void check_load(struct transaction *transaction, struct module *module)
{
    module_check_targets(module, transaction->why);
    module_check_undefined(module, transaction->why);
    if (module->replacement_count == 0 && !module->own_slots && !module->hooks[HOOK_BEFORE_APPLY] &&
        !module->hooks[HOOK_AFTER_APPLY])
        refuse(transaction->why, HP_MANIFEST, "%s: it replaces nothing and declares nothing",
               module->path);
}

static bool clashes(struct transaction *transaction, const struct module *module)
{
    for (size_t i = 0; i < transaction->load_count && transaction->loads[i] != module; i++) {
        if (strcmp(transaction->loads[i]->name, module->name) == 0) {
            refuse(transaction->why, HP_NAME_CLASH, "%s and %s are both named %s",
                   transaction->loads[i]->path, module->path, module->name);
            return true;
        }
    }
    return false;
}

static void plan_load(struct transaction *transaction, struct module *module)
{
    struct module *old = live_after_named(module->name);
    struct slot **slots;

    if (clashes(transaction, module))
        return;
    if (old && is_loaded_now(transaction, old))
        old = NULL;
    if (module->thin && !thin_plan(transaction, module, old))
        return;
    check_load(transaction, module);
    /* A target may name a slot that the module declares itself. The slot of its old version must not be found then. */
    module->live_after = true;
    if (old)
        old->live_after = false;
    slots = find_slots(transaction, module);
    if (!slots) {
        no_memory(transaction);
        return;
    }
    module->unchanged = old && is_unchanged_module(module, old, slots) ? old : NULL;
    module->live_after = !module->unchanged;
    if (old)
        old->live_after = true;
    for (size_t i = 0; i < module->replacement_count && module->live_after; i++)
        if (slots[i])
            place_layer(transaction, slots[i], module, i, old);
    free(slots);
    if (old && module->live_after) {
        carry_layers(transaction, module, old);
        end_module(transaction, old);
    }
}

struct addition {
    struct transaction *transaction;
    struct module *module;
    const struct replacement *replacement;
};

static int add_layer(void *context)
{
    const struct addition *a = context;
    struct slot *slot = find_slot(a->transaction, a->module, a->replacement->target,
                                  HOTPATCH_KIND_FUNCTION, a->replacement->signature);

    return slot ? place_layer(a->transaction, slot, a->module, a->module->replacement_count - 1,
                              NULL)
                : -1;
}

int plan_add(struct transaction *transaction, struct module *module, const char *target,
             const char *signature, uintptr_t function, uintptr_t *original)
{
    struct replacement *replacements =
        realloc(module->replacements, (module->replacement_count + 1) * sizeof(*replacements));
    struct addition addition = {transaction, module, NULL};
    size_t wrong = transaction->why->count;

    if (!replacements)
        return no_memory(transaction);
    module->replacements = replacements;
    replacements[module->replacement_count] =
        (struct replacement){.target = text_copy(target),
                             .signature = text_copy(signature),
                             .function = function,
                             .original = (uintptr_t)original,
                             .kind = HOTPATCH_KIND_FUNCTION};
    addition.replacement = &replacements[module->replacement_count++];
    if (!addition.replacement->target || (signature && !addition.replacement->signature))
        return no_memory(transaction);
    if (objects_locked(add_layer, &addition) == 0)
        return 0;
    return transaction->why->count > wrong ? -1 : no_memory(transaction);
}

/* ---- reverts ---- */

static struct module *last_live_after(void)
{
    struct module *last = NULL;

    for (struct module *m = module_first(); m; m = m->next)
        if (m->live_after)
            last = m;
    return last;
}

static void plan_revert(struct transaction *transaction, const struct request *request)
{
    struct module *module;

    if (request->which == REVERT_ALL) {
        while ((module = last_live_after()) != NULL)
            if (end_module(transaction, module) != 0)
                return;
        return;
    }
    module = request->which == REVERT_LAST ? last_live_after() : live_after_named(request->name);
    if (module)
        end_module(transaction, module);
    else if (request->which == REVERT_LAST)
        refuse(transaction->why, HP_NO_LAYER, "revert last: nothing is applied");
    else
        refuse(transaction->why, HP_NO_LAYER, "revert %s: no module of that name is applied",
               request->name);
}

/* ---- required slots ---- */

static bool can_provide(const struct slot *slot, const struct slot *required)
{
    return slot->type == HOTPATCH_KIND_FUNCTION && slot->stub && slot != required &&
           (!slot->owner || slot->owner->live_after) && !slot->gone &&
           strcmp(slot->name, required->name) == 0;
}

static struct slot *find_provider(struct transaction *transaction, const struct slot *required)
{
    if (required->provider && can_provide(required->provider, required))
        return required->provider;
    for (struct slot *slot = slots_of(SLOT_DECLARED); slot; slot = slot->next_of_kind)
        if (can_provide(slot, required))
            return slot;
    for (size_t i = 0; i < transaction->load_count; i++)
        for (struct slot *slot = transaction->loads[i]->own_slots; slot; slot = slot->next)
            if (can_provide(slot, required))
                return slot;
    return NULL;
}

static int plan_required(struct transaction *transaction, struct slot *required)
{
    struct slot *provider = find_provider(transaction, required);
    struct change *change;

    if (provider && !signature_equal(provider->signature, required->signature)) {
        if (provider->object && required->object)
            return 0; /* both slots existed before this transaction */
        return refuse(transaction->why, HP_SIGNATURE,
                      "%s: required as `%s`, provided by %s as `%s`", required->name,
                      required->signature, slot_object_name(provider), provider->signature);
    }
    if (provider == required->provider)
        return 0;
    change = change_for(transaction, required);
    if (!change)
        return no_memory(transaction);
    change->provider = provider;
    return 0;
}

static void plan_all_required(struct transaction *transaction)
{
    for (struct slot *slot = slots_of(SLOT_DECLARED); slot; slot = slot->next_of_kind)
        if (slot->type == HOTPATCH_KIND_REQUIRED && (!slot->owner || slot->owner->live_after))
            plan_required(transaction, slot);
    for (size_t i = 0; i < transaction->load_count; i++)
        for (struct slot *slot = transaction->loads[i]->own_slots; slot; slot = slot->next)
            if (slot->type == HOTPATCH_KIND_REQUIRED)
                plan_required(transaction, slot);
}

/* Plan the stores into words of objects that came since the last transaction and import a function with layers. */
static void plan_extensions(struct transaction *transaction)
{
    for (struct slot *slot = slots_of(SLOT_IMPORT); slot; slot = slot->next_of_kind)
        if (slot->extended && !change_for(transaction, slot))
            no_memory(transaction);
}

/* ---- requests ---- */

int plan_read_files(struct transaction *transaction)
{
    for (size_t i = 0; i < transaction->request_count; i++) {
        const struct request *request = &transaction->requests[i];
        struct module *module;

        if (request->verb != REQUEST_LOAD)
            continue;
        module = request->injection.what ? module_of_injection(request, transaction->why)
                                         : module_read(request, transaction->why);
        if (module && add_to(&transaction->loads, &transaction->load_count, module) != 0) {
            module_free(module);
            return no_memory(transaction);
        }
    }
    return transaction->why->count ? -1 : 0;
}

int plan_drop_unchanged(struct transaction *transaction)
{
    size_t kept = 0;

    transaction->unchanged = calloc(transaction->load_count + 1, sizeof(*transaction->unchanged));
    if (!transaction->unchanged)
        return no_memory(transaction);
    for (size_t i = 0; i < transaction->load_count; i++) {
        struct module *module = transaction->loads[i];

        if (module->unchanged)
            transaction->unchanged[transaction->unchanged_count++] = module;
        else
            transaction->loads[kept++] = module;
    }
    transaction->load_count = kept;
    return 0;
}

static void warn_of_keeping(struct transaction *transaction)
{
    char *warning = keep_warning(transaction->changes);

    if (warning)
        transaction_warn(transaction, "%s", warning);
    free(warning);
}

int plan_make(struct transaction *transaction)
{
    size_t next_load = 0;

    for (struct module *m = module_first(); m; m = m->next)
        m->live_after = m->live;
    for (size_t i = 0; i < transaction->request_count; i++) {
        const struct request *request = &transaction->requests[i];

        if (request->verb == REQUEST_REVERT)
            plan_revert(transaction, request);
        else if (next_load < transaction->load_count &&
                 transaction->loads[next_load]->asked == request)
            plan_load(transaction, transaction->loads[next_load++]);
    }
    plan_all_required(transaction);
    plan_extensions(transaction);
    warn_of_keeping(transaction);
    return transaction->why->count ? -1 : 0;
}
