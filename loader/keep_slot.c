/* keep_slot.c - see keep_slot.h. */
#include "keep_slot.h"

#include <stdio.h>

#include "fault.h"
#include "keep_rules.h"
#include "own_arguments.h"
#include "site.h"
#include "text.h"

/* What callers rely on, by the analysis of the object's code. */
static void keep_for(const struct slot *slot, struct arch_kept *out)
{
    (void)slot;
    *out = (struct arch_kept){.proved = true};
}

static int64_t stack_read(void *context)
{
    const struct slot *slot = context;

    return own_stack_arguments(slot->object, slot->definition);
}

static int refuse_keep(struct transaction *transaction, const struct slot *slot,
                       const struct module *module, const struct arch_kept *kept,
                       const char *problem)
{
    struct arch_kept all = *kept;
    char list[256];

    all.general |= kept->unsure_general;
    all.vector |= kept->unsure_vector;
    keep_list(&all, list, sizeof(list));
    return refuse(transaction->why, HP_CALLERS, "%s: callers of %s rely on %s: %s", module->path,
                  slot->name, list, problem);
}

int keep_plan(struct transaction *transaction, const struct slot *slot, const struct module *module,
              struct module_entry *entry)
{
    struct keep_facts facts = {.name = slot->name,
                               .signature = entry->signature,
                               .stack_read = stack_read,
                               .context = (void *)slot};
    const char *problem;

    if (slot->kind != SLOT_ENTRY)
        return 0;
    keep_for(slot, &facts.kept);
    if (module->fault) {
        /* It writes nothing but its result: not even that where callers show that there is none. */
        __atomic_store_n(&module->fault->no_result, facts.kept.general & 1, __ATOMIC_RELEASE);
        return 0;
    }
    problem = keep_decide(&facts, &entry->keep);
    return problem ? refuse_keep(transaction, slot, module, &facts.kept, problem) : 0;
}

static bool is_new(const struct layer *layer)
{
    return layer->module && !layer->module->live && !layer->module->fault;
}

void keep_warn(struct transaction *transaction)
{
    char list[128] = "";
    unsigned count = 0;

    for (const struct change *c = transaction->changes; c; c = c->next)
        for (size_t i = 0; c->slot->kind == SLOT_ENTRY && i < c->layer_count; i++)
            if (is_new(&c->layers[i]) &&
                arch_keeps(&c->layers[i].module->entries[c->layers[i].entry].keep.kept) &&
                ++count <= 3)
                text_list_add(list, sizeof(list), c->slot->name);
    if (count > 0)
        transaction_warn(transaction,
                         "callers of %s%s rely on more than the ABI promises: a keeping stub calls "
                         "the replacement, in which __builtin_return_address() shows the stub; "
                         "backtrace() and exceptions pass through",
                         list, count > 3 ? " and others" : "");
}

const struct arch_kept *keep_of(const struct slot *slot)
{
    for (size_t i = slot->layer_count; i-- > 0;) {
        const struct keep *keep = site_keeps(slot->site, slot->layers[i].function);

        if (keep)
            return &keep->kept;
        if (!slot->layers[i].module || !slot->layers[i].module->fault)
            break;
    }
    return NULL;
}
