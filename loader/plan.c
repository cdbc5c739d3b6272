/*
 * plan.c - from requests to changes: which layers every slot concerned will have. Nothing of the
 * process is changed here, and all that is wrong is listed, not the first thing alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "entry.h"
#include "fault.h"
#include "signature.h"
#include "site.h"
#include "symbols.h"
#include "text.h"
#include "transaction.h"

/* ---- changes ---- */

struct change *change_for(struct transaction *transaction, struct slot *slot)
{
    struct change *change;

    for (change = transaction->changes; change; change = change->next)
        if (change->slot == slot)
            return change;
    change = calloc(1, sizeof(*change));
    if (!change)
        return NULL;
    change->layers = calloc(slot->layer_count + 1, sizeof(*change->layers));
    if (!change->layers) {
        free(change);
        return NULL;
    }
    if (slot->layer_count)
        memcpy(change->layers, slot->layers, slot->layer_count * sizeof(*change->layers));
    change->layer_count = slot->layer_count;
    change->provider = slot->provider;
    change->slot = slot;
    slot_pin(slot);
    *transaction->last_change = change;
    transaction->last_change = &change->next;
    return change;
}

static struct layer *layer_of(struct change *change, const struct module *module)
{
    for (size_t i = 0; i < change->layer_count; i++)
        if (change->layers[i].module == module)
            return &change->layers[i];
    return NULL;
}

static int push(struct change *change, const struct layer *layer)
{
    struct layer *layers =
        realloc(change->layers, (change->layer_count + 1) * sizeof(*change->layers));

    if (!layers)
        return -1;
    change->layers = layers;
    layers[change->layer_count++] = *layer;
    return 0;
}

static void take_out(struct change *change, const struct layer *layer)
{
    size_t index = (size_t)(layer - change->layers);

    memmove(&change->layers[index], &change->layers[index + 1],
            (change->layer_count - index - 1) * sizeof(*layer));
    change->layer_count--;
}

static bool slot_has_layer_of(const struct slot *slot, const struct module *module)
{
    for (size_t i = 0; i < slot->layer_count; i++)
        if (slot->layers[i].module == module)
            return true;
    return false;
}

/* All layers of a module off, wherever they are. */
static int remove_module(struct transaction *transaction, const struct module *module)
{
    for (struct slot *slot = slots_first(); slot; slot = slot->next)
        if (slot_has_layer_of(slot, module) && !change_for(transaction, slot))
            return -1;
    for (struct change *c = transaction->changes; c; c = c->next) {
        struct layer *layer;

        while ((layer = layer_of(c, module)) != NULL)
            take_out(c, layer);
    }
    return 0;
}

/* ---- finding slots ---- */

static bool is_candidate(const struct slot *slot, const struct target *target)
{
    if (strcmp(slot->name, target->name) != 0)
        return false;
    if (slot->owner && !slot->owner->going)
        return false;
    return slot_in_object(slot, target);
}

struct search {
    const struct target *target;
    struct slot *found[16];
    size_t count;                /* may exceed the array */
    struct site_problem problem; /* of a function that was found and cannot be patched */
};

static void consider(struct search *search, struct slot *slot)
{
    if (search->count < sizeof(search->found) / sizeof(*search->found))
        search->found[search->count] = slot;
    search->count++;
}

static void find_declared(struct transaction *transaction, struct search *search)
{
    for (struct slot *slot = slots_named(search->target->name); slot; slot = slot->next_in_bucket)
        if (slot->kind == SLOT_DECLARED && is_candidate(slot, search->target))
            consider(search, slot);
    for (size_t i = 0; i < transaction->load_count; i++)
        for (struct slot *slot = transaction->loads[i]->own_slots; slot; slot = slot->next)
            if (is_candidate(slot, search->target))
                consider(search, slot);
}

/* Imports of that name; with an OBJECT the definition in it, else what it imports. */
static void find_imports(struct search *search)
{
    const struct target *target = search->target;

    for (int pass = 0; pass < 2 && search->count == 0; pass++) {
        for (struct slot *slot = slots_named(target->name); slot; slot = slot->next_in_bucket) {
            if (slot->kind != SLOT_IMPORT || strcmp(slot->name, target->name) != 0 ||
                !import_is_used(slot))
                continue;
            if (*target->version &&
                (!slot->version_name || strcmp(slot->version_name, target->version) != 0))
                continue;
            if (pass == 0 ? import_is_defined_in(slot, target) : import_is_used_in(slot, target))
                consider(search, slot);
        }
        if (!*target->object)
            break;
    }
}

/* ---- functions at their entries ---- */

static void take_entry(struct search *search, const struct entry_candidate *candidate)
{
    struct slot *slot = entry_slot(candidate, &search->problem);

    if (slot)
        consider(search, slot);
}

/* Where somebody with debug information has looked the target up (at=). */
static const struct request_place *place_of(const struct transaction *transaction, const char *text)
{
    for (size_t i = 0; i < transaction->request_count; i++)
        for (size_t k = 0; k < transaction->requests[i].place_count; k++)
            if (strcmp(transaction->requests[i].places[k].target, text) == 0)
                return &transaction->requests[i].places[k];
    return NULL;
}

static bool is_place_in(const struct request_place *place, const struct object *object)
{
    struct target target = {0};

    return snprintf(target.object, sizeof(target.object), "%s", place->object) <
               (int)sizeof(target.object) &&
           target_object_matches(&target, object->is_program, object->path, object->soname,
                                 object->name_space);
}

static void problem(struct search *search, enum error_code code, const char *text)
{
    search->problem.code = (int)code;
    snprintf(search->problem.text, sizeof(search->problem.text), "%s", text);
}

static void find_place(struct search *search, const struct request_place *place)
{
    problem(search, HP_NO_TARGET, "the object that it was looked up in is not in the process");
    for (struct object *o = objects_first(); o; o = o->next) {
        struct entry_candidate candidate;

        if (o->is_ours || !o->image || !is_place_in(place, o))
            continue;
        if (strcmp(place->build_id, "-") != 0 && strcmp(place->build_id, o->build_id) != 0) {
            problem(search, HP_BUILD_ID, "it was looked up in another build of the object");
            continue;
        }
        if (entry_at(o, place->offset, true, &candidate))
            take_entry(search, &candidate);
        else
            problem(search, HP_NO_TARGET, "there is no function at the place that was looked up");
        return;
    }
}

static void find_entries(struct search *search)
{
    enum { MANY = 16 };
    struct entry_candidate found[MANY];
    size_t count = entries_named(search->target, found, MANY);

    for (size_t i = 0; i < count && i < MANY; i++)
        take_entry(search, &found[i]);
}

/* The object, if any, that defines a function which cannot be reached without naming it. */
static const struct object *defining_object(const struct target *target)
{
    struct image_symbol symbol;

    for (struct object *o = objects_first(); o; o = o->next) {
        if (!o->image || o->is_ours ||
            !target_object_matches(target, o->is_program, o->path, o->soname, o->name_space))
            continue;
        if (image_symbol(o->image, target->name, &symbol) &&
            (symbol.type == STT_FUNC || symbol.type == STT_GNU_IFUNC))
            return o;
    }
    return NULL;
}

static void refuse_missing(const struct search *search, const char *text, const char *asked_by,
                           struct refusal *why)
{
    const struct object *definer = defining_object(search->target);

    if (search->problem.code)
        refuse(why, (enum error_code)search->problem.code, "%s: %s: %s", asked_by, text,
               search->problem.text);
    else if (definer)
        refuse(why, HP_NOT_PATCHABLE,
               "%s: %s is a function of %s, which the program does not import: name it %s:%s",
               asked_by, text, definer->base, definer->base, search->target->name);
    else
        refuse(why, HP_NO_TARGET, "%s: nothing matches %s", asked_by, text);
}

static void refuse_ambiguous(const struct search *search, const char *text, const char *asked_by,
                             struct refusal *why)
{
    char list[768] = "";
    size_t length = 0;

    for (size_t i = 0; i < search->count && i < 16; i++) {
        const struct slot *slot = search->found[i];
        int n = snprintf(list + length, sizeof(list) - length, "%s%s:%s%s%s", i ? ", " : "",
                         slot->kind == SLOT_DECLARED ? slot_name_space(slot)
                                                     : object_name(slot->object),
                         slot->name, slot->file ? "@" : "", slot->file ? slot->file : "");

        if (n < 0 || (size_t)n >= sizeof(list) - length)
            break;
        length += (size_t)n;
    }
    refuse(why, HP_AMBIGUOUS, "%s: %s matches %zu slots: %s", asked_by, text, search->count, list);
}

static bool kinds_agree(uint32_t replacement, const struct slot *slot, bool typed)
{
    if (replacement == HOTPATCH_KIND_DATA || slot_is_data(slot))
        return replacement == HOTPATCH_KIND_DATA && slot_is_data(slot);
    if (!typed)
        return true;
    return (replacement == HOTPATCH_KIND_UNTYPED) == (slot->type == HOTPATCH_KIND_UNTYPED);
}

static bool fits(const struct slot *slot, const char *text, uint32_t kind, const char *signature,
                 const char *asked_by, struct refusal *why)
{
    if (!kinds_agree(kind, slot, signature != NULL)) {
        refuse(why, HP_KIND, "%s: the replacement of %s is %s, the slot is %s", asked_by, text,
               slot_type_name(kind), slot_type_name(slot->type));
        return false;
    }
    if (signature && slot->signature && kind != HOTPATCH_KIND_UNTYPED &&
        !signature_equal(signature, slot->signature)) {
        refuse(why, HP_SIGNATURE, "%s: the replacement of %s is `%s`, the slot is `%s`", asked_by,
               text, signature, slot->signature);
        return false;
    }
    return true;
}

/* Declared slots, then functions in OBJECT or the program, then imports. A function that cannot be
 * patched at its entry can still be where it is imported. */
static void find_slots(struct transaction *transaction, struct search *search, const char *text)
{
    const struct request_place *place = place_of(transaction, text);

    if (place) {
        find_place(search, place);
        return;
    }
    if (!*search->target->file && !*search->target->version && !search->target->by_offset)
        find_declared(transaction, search);
    if (search->count == 0)
        find_entries(search);
    if (search->count == 0 && !*search->target->file && !search->target->by_offset) {
        imports_read_named(search->target->name);
        find_imports(search);
    }
}

struct slot *plan_find(struct transaction *transaction, const char *text, uint32_t kind,
                       const char *signature, const char *asked_by)
{
    struct target target;
    struct search search = {.target = &target};

    if (target_parse(text, &target) != 0) {
        refuse(transaction->why, HP_TARGET, "%s: `%s` is no target", asked_by, text);
        return NULL;
    }
    find_slots(transaction, &search, text);
    if (search.count == 0) {
        refuse_missing(&search, text, asked_by, transaction->why);
        return NULL;
    }
    if (search.found[0]->kind == SLOT_ENTRY && strcmp(search.found[0]->name, "main") == 0 &&
        search.found[0]->object->is_program)
        transaction_warn(transaction, "main has been entered already: %s is for its next call",
                         asked_by);
    if (search.problem.code && search.found[0]->kind == SLOT_IMPORT)
        transaction_warn(transaction, "%s: only calls through imports switch: %s", text,
                         search.problem.text);
    if (search.count > 1) {
        refuse_ambiguous(&search, text, asked_by, transaction->why);
        return NULL;
    }
    return fits(search.found[0], text, kind, signature, asked_by, transaction->why)
               ? search.found[0]
               : NULL;
}

/* ---- loads ---- */

static int no_memory(struct transaction *transaction)
{
    return refuse(transaction->why, HP_MEMORY, "plan the transaction: no memory");
}

/* A layer of `module` on a slot: in the place of the module that it replaces, else on top. */
static int place_layer(struct transaction *transaction, struct slot *slot, struct module *module,
                       size_t entry, const struct module *old)
{
    struct layer layer = {.module = module, .entry = entry};
    struct change *change = change_for(transaction, slot);
    struct layer *before;

    if (!change)
        return no_memory(transaction);
    if (layer_of(change, module))
        return refuse(transaction->why, HP_NAME_CLASH, "%s: it replaces %s twice", module->path,
                      slot->name);
    if (module->fault)
        module->fault->at_entry = slot->kind == SLOT_ENTRY;
    before = old ? layer_of(change, old) : NULL;
    if (before)
        *before = layer;
    else if (push(change, &layer) != 0)
        return no_memory(transaction);
    return 0;
}

/* What others replaced in the old version of a patch stays replaced in the new one. */
static int carry_layers(struct transaction *transaction, struct module *module,
                        const struct module *old)
{
    for (struct slot *slot = module->own_slots; slot; slot = slot->next) {
        for (struct slot *was = slots_first(); was; was = was->next) {
            struct change *from, *to;

            if (was->owner != old || was->layer_count == 0 || strcmp(was->name, slot->name) != 0)
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
                if (push(to, &from->layers[i]) != 0)
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
    module->going = false;
    if (remove_module(transaction, module) != 0 ||
        add_to(&transaction->reverts, &transaction->revert_count, module) != 0)
        return no_memory(transaction);
    return 0;
}

static struct module *going_named(const char *name)
{
    for (struct module *m = module_first(); m; m = m->next)
        if (m->going && strcmp(m->name, name) == 0)
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

static void plan_load(struct transaction *transaction, struct module *module)
{
    struct module *old = going_named(module->name);

    for (size_t i = 0; i < transaction->load_count && transaction->loads[i] != module; i++) {
        if (strcmp(transaction->loads[i]->name, module->name) == 0) {
            refuse(transaction->why, HP_NAME_CLASH, "%s and %s are both named %s",
                   transaction->loads[i]->path, module->path, module->name);
            return;
        }
    }
    if (old && is_loaded_now(transaction, old))
        old = NULL;
    module->going = true;
    module_check_targets(module, transaction->why);
    module_check_undefined(module, transaction->why);
    if (module->entry_count == 0 && !module->own_slots && !module->hooks[HOOK_BEFORE_APPLY] &&
        !module->hooks[HOOK_AFTER_APPLY])
        refuse(transaction->why, HP_MANIFEST, "%s: it replaces nothing and declares nothing",
               module->path);
    for (size_t i = 0; i < module->entry_count; i++) {
        const struct module_entry *entry = &module->entries[i];
        struct slot *slot =
            plan_find(transaction, entry->target, entry->kind, entry->signature, module->path);

        if (slot)
            place_layer(transaction, slot, module, i, old);
    }
    if (old) {
        carry_layers(transaction, module, old);
        end_module(transaction, old);
    }
}

int plan_add(struct transaction *transaction, struct module *module, const char *target,
             const char *signature, uintptr_t function, uintptr_t *original)
{
    struct slot *slot =
        plan_find(transaction, target, HOTPATCH_KIND_FUNCTION, signature, module->path);
    struct module_entry *entries;

    if (!slot)
        return -1;
    entries = realloc(module->entries, (module->entry_count + 1) * sizeof(*entries));
    if (!entries)
        return no_memory(transaction);
    module->entries = entries;
    entries[module->entry_count] = (struct module_entry){.target = text_copy(target),
                                                         .signature = text_copy(signature),
                                                         .function = function,
                                                         .original = (uintptr_t)original,
                                                         .kind = HOTPATCH_KIND_FUNCTION};
    module->entry_count++;
    return place_layer(transaction, slot, module, module->entry_count - 1, NULL);
}

/* ---- reverts ---- */

static struct module *last_going(void)
{
    struct module *last = NULL;

    for (struct module *m = module_first(); m; m = m->next)
        if (m->going)
            last = m;
    return last;
}

static void plan_revert(struct transaction *transaction, const struct request *request)
{
    struct module *module;

    if (request->which == REVERT_ALL) {
        while ((module = last_going()) != NULL)
            if (end_module(transaction, module) != 0)
                return;
        return;
    }
    module = request->which == REVERT_LAST ? last_going() : going_named(request->name);
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
    return slot->kind == SLOT_DECLARED && slot->type == HOTPATCH_KIND_FUNCTION && slot->entry &&
           slot != required && (!slot->owner || slot->owner->going) && !slot->gone &&
           strcmp(slot->name, required->name) == 0;
}

static struct slot *find_provider(struct transaction *transaction, const struct slot *required)
{
    if (required->provider && can_provide(required->provider, required))
        return required->provider;
    for (struct slot *slot = slots_first(); slot; slot = slot->next)
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
            return 0; /* both are there already: not this transaction's affair */
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
    for (struct slot *slot = slots_first(); slot; slot = slot->next)
        if (slot->type == HOTPATCH_KIND_REQUIRED && (!slot->owner || slot->owner->going))
            plan_required(transaction, slot);
    for (size_t i = 0; i < transaction->load_count; i++)
        for (struct slot *slot = transaction->loads[i]->own_slots; slot; slot = slot->next)
            if (slot->type == HOTPATCH_KIND_REQUIRED)
                plan_required(transaction, slot);
}

/* Objects that came since import what is replaced: their words are stored with this commit. */
void plan_extensions(struct transaction *transaction)
{
    for (struct slot *slot = slots_first(); slot; slot = slot->next)
        if (slot->extended && !change_for(transaction, slot))
            no_memory(transaction);
}

/* ---- the whole ---- */

int plan_read_files(struct transaction *transaction)
{
    for (size_t i = 0; i < transaction->request_count; i++) {
        const struct request *request = &transaction->requests[i];
        struct module *module;

        if (request->verb != REQUEST_LOAD)
            continue;
        module = request->fault.what ? module_of_fault(request, transaction->why)
                                     : module_read(request, transaction->why);
        if (module && add_to(&transaction->loads, &transaction->load_count, module) != 0) {
            module_free(module);
            return no_memory(transaction);
        }
    }
    return transaction->why->count ? -1 : 0;
}

int plan_make(struct transaction *transaction)
{
    size_t next_load = 0;

    for (struct module *m = module_first(); m; m = m->next)
        m->going = m->live;
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
    return transaction->why->count ? -1 : 0;
}
