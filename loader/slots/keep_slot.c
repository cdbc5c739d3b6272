/* keep_slot.c - see keep_slot.h. */
#include "loader/slots/keep_slot.h"

#include <stdio.h>

#include "base/text.h"
#include "elf/functions.h"
#include "loader/slots/direct_callers.h"
#include "loader/slots/injection_decide.h"
#include "loader/slots/module_state.h"
#include "loader/slots/own_arguments.h"
#include "loader/slots/thin_callers.h"
#include "loader/text/site.h"
#include "resolve/keep_rules.h"

enum { LISTED = 3, FOUND_MAX = 64 };

struct found {
    struct arch_kept kept;
    struct arch_caller callers[FOUND_MAX];
    size_t count;
    bool unread;
};

static bool is_in_callers(const struct module *module, uint64_t address)
{
    for (size_t i = 0; i < module->callers_in_count; i++)
        if (address >= module->callers_in[i].begin && address < module->callers_in[i].end)
            return true;
    return false;
}

/* Callers that were compiled apart from the function know nothing of it: what looks as if they relied on a register is
 * chance. If no other caller relies on anything, nothing is kept. */
static void leave_strangers(const struct module *module, struct found *found)
{
    bool all = found->unread || !found->kept.proved || found->count > FOUND_MAX;

    for (size_t i = 0; !all && i < found->count; i++)
        all = is_in_callers(module, found->callers[i].site);
    if (module->callers_in_count > 0 && all)
        return;
    found->kept = (struct arch_kept){.proved = true};
    found->count = 0;
    found->unread = false;
}

/* Find the registers that callers rely on, by the object's code. They are unknown if the code has no index (too much
 * code, damaged relocations), or if only debug information knows the function. */
static void find(const struct slot *slot, const struct module *module, struct found *found)
{
    struct arch_callers *callers = callers_of(slot->object);
    struct function function;

#ifdef HOTPATCH_PLAIN_STUBS
    /* Built for a test that needs the failure that this analysis prevents. */
    *found = (struct found){0};
    return;
#endif
    *found = (struct found){.kept = arch_kept_everything, .unread = true};
    if (callers && function_begins_at(slot->object->functions, slot->definition, &function)) {
        found->unread = false;
        arch_callers_kept(callers, slot->definition, &found->kept, found->callers, FOUND_MAX,
                          &found->count);
    }
    if (module->callers_known)
        leave_strangers(module, found);
    thin_callers_merge(slot->object, slot->definition, &found->kept);
}

static int64_t stack_read(void *context)
{
    const struct slot *slot = context;

    return own_stack_arguments(slot->object, slot->definition);
}

/* Write the callers that rely on a register, and the registers: "exe+0x1234 (rcx), ...". */
static void list_callers(const struct slot *slot, const struct found *found, char *list,
                         size_t size)
{
    for (size_t i = 0; i < found->count && i < LISTED; i++) {
        struct arch_kept relies = found->callers[i].relies;
        char kept[128], caller[256];

        relies.general |= relies.unsure_general;
        relies.vector |= relies.unsure_vector;
        keep_list(&relies, kept, sizeof(kept));
        snprintf(caller, sizeof(caller), "%s+0x%llx (%s)", object_name(slot->object),
                 (unsigned long long)found->callers[i].site, *kept ? kept : "not followed");
        text_list_add(list, size, caller);
    }
}

static int refuse_keep(const struct slot *slot, const struct module *module,
                       const struct found *found, const char *problem, struct refusal *why)
{
    char list[640] = "";

    list_callers(slot, found, list, sizeof(list));
    return refuse(why, HP_CALLERS,
                  "%s: callers of %s rely on more than the ABI promises, and %s; %s%s%s",
                  module->path, slot->name, problem, *list ? "callers: " : "callers are not known",
                  list, found->count > LISTED ? ", and more" : "");
}

int keep_plan(const struct slot *slot, const struct module *module, struct replacement *replacement,
              struct refusal *why)
{
    struct keep_facts facts = {.name = slot->name,
                               .signature = replacement->signature,
                               .stack_read = stack_read,
                               .context = (void *)slot};
    struct found found;
    const char *problem;

    find(slot, module, &found);
    facts.kept = found.kept;
    facts.unread = found.unread;
    if (module->injection) {
        /* The injection writes only its result, and not even the result if the callers show that there is none. */
        __atomic_store_n(&module->injection->no_result, facts.kept.general & 1, __ATOMIC_RELEASE);
        return 0;
    }
    problem = keep_decide(&facts, &replacement->keep);
    return problem ? refuse_keep(slot, module, &found, problem, why) : 0;
}

static bool is_new(const struct layer *layer)
{
    return layer->module && !layer->module->live && !layer->module->injection;
}

char *keep_warning(const struct change *changes)
{
    char list[128] = "";
    unsigned count = 0;

    for (const struct change *c = changes; c; c = c->next)
        for (size_t i = 0; i < c->layer_count; i++)
            if (is_new(&c->layers[i]) &&
                arch_keeps(
                    &c->layers[i].module->replacements[c->layers[i].replacement].keep.kept) &&
                ++count <= 3)
                text_list_add(list, sizeof(list), c->slot->name);
    if (count == 0)
        return NULL;
    return text_format("callers of %s%s rely on more than the ABI promises: a keeping stub calls "
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
        if (!slot->layers[i].module || !slot->layers[i].module->injection)
            break;
    }
    return NULL;
}
