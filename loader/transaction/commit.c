/*
 * commit.c - the one point at which a transaction happens: all stores, or none.
 *
 * Runs inside the shim's commit section and objects_locked(), so no fork can copy a half-done state and no
 * object can be unmapped. Nothing here allocates or waits. The section is taken first: a child that is
 * forked in it must not inherit ld.so's list lock from a thread that it does not have.
 *
 * Every store is one aligned 8-byte release store; a call meets the old word or the new one. What
 * can fail, making RELRO pages writable and finding a word that is not what it should be, is
 * done before the first store.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/services.h"
#include "base/sys.h"
#include "base/sys_wait.h"
#include "loader/slots/entry.h"
#include "loader/slots/fault.h"
#include "loader/text/site.h"
#include "loader/transaction/transaction.h"

uintptr_t change_base(const struct change *change)
{
    const struct slot *slot = change->slot;

    if (slot->type != HOTPATCH_KIND_REQUIRED)
        return slot->base;
    return change->provider ? change->provider->entry : slot->fallback;
}

void change_settle(struct change *change)
{
    for (size_t i = 0; i < change->layer_count; i++) {
        struct layer *layer = &change->layers[i];

        if (layer->module) {
            const struct module_entry *entry = &layer->module->entries[layer->entry];

            layer->function = entry->function;
            layer->original = (uintptr_t *)entry->original;
        }
    }
    change->before = change->slot->live;
    change->after = change->layer_count ? change->layers[change->layer_count - 1].function
                                        : change_base(change);
}

/* ---- words ---- */

static size_t page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

static void *page_of(const uintptr_t *address)
{
    return (void *)((uintptr_t)address & ~(page_size() - 1));
}

/* What a word will hold. A patch's own calls of what it replaces reach what lay there before
 * any patch; HOTPATCH_ORIGINAL is for what lies below it. */
static uintptr_t value_below(const struct slot *slot, const struct layer *layers, size_t count,
                             uintptr_t live, const struct word *word)
{
    if (word->object->module && slot->kind == SLOT_IMPORT)
        for (size_t i = 0; i < count; i++)
            if (layers[i].module == word->object->module)
                return slot->base;
    return live;
}

uintptr_t commit_value_of(const struct slot *slot, const struct word *word)
{
    return value_below(slot, slot->layers, slot->layer_count, slot->live, word);
}

static uintptr_t value_for(const struct change *change, const struct word *word)
{
    return value_below(change->slot, change->layers, change->layer_count, change->after, word);
}

/* A word that is not what was last stored or read is the program's own doing, but for one that
 * ld.so has bound meanwhile, or has still to bind: then it leads to its object's PLT, or, in a
 * non-PIE process, to the program's. */
static bool is_as_expected(const struct slot *slot, const struct word *word)
{
    uintptr_t now = __atomic_load_n(word->address, __ATOMIC_ACQUIRE);

    return slot->kind != SLOT_IMPORT || now == slot->live || now == slot->base ||
           import_is_unbound(slot, word, now);
}

/* What is live stays, and is only laid over words that came since: one that the program owns is
 * then no reason to refuse what was asked for. */
static bool only_extends(const struct change *change)
{
    return change->slot->kind == SLOT_IMPORT && change->before == change->after &&
           change->layer_count == change->slot->layer_count;
}

static bool may_be_left_alone(const struct change *change, const struct word *word)
{
    return word->pointer || only_extends(change);
}

static int check_words(struct transaction *transaction)
{
    for (const struct change *c = transaction->changes; c; c = c->next) {
        if (c->slot->gone || (c->provider && c->provider->gone))
            return refuse(transaction->why, HP_NO_TARGET, "%s: its object was unloaded meanwhile",
                          c->slot->name);
        for (size_t i = 0; i < c->slot->word_count; i++) {
            const struct word *word = &c->slot->words[i];

            if (is_as_expected(c->slot, word))
                continue;
            if (!may_be_left_alone(c, word))
                return refuse(transaction->why, HP_HOST_OWNED,
                              "%s: the program changed the word at %p of %s itself", c->slot->name,
                              (void *)word->address, object_name(word->object));
            transaction_warn(transaction, "%s: a word of %s is the program's own and stays",
                             c->slot->name, object_name(word->object));
        }
    }
    return 0;
}

/* Can it be stored into as it is? The kernel adds nothing to it, in one atomic step (futex(2),
 * FUTEX_WAKE_OP), and fails where that is not allowed. Asking /proc/self/maps takes longer than
 * the whole commit. */
static bool is_writable(const uintptr_t *address)
{
    uint32_t nobody = 0;

    return sys_call(SYS_futex, (long)&nobody, FUTEX_WAKE_OP_PRIVATE, 0, 0, (long)address,
                    FUTEX_OP(FUTEX_OP_ADD, 0, FUTEX_OP_CMP_EQ, 0)) >= 0;
}

/* A RELRO page that the program has made writable, to hook its own imports, must stay so: it will
 * store there again. All words are looked at before the first page is touched. */
static void see_writable(const struct transaction *transaction)
{
    for (const struct change *c = transaction->changes; c; c = c->next)
        for (size_t i = 0; i < c->slot->word_count; i++) {
            struct word *word = &c->slot->words[i];

            word->writable = word->protect && is_writable(word->address);
        }
}

/* Give every page of a protected word `protection`; the error of the first that cannot be. */
static int protect(const struct transaction *transaction, int protection)
{
    const void *last = NULL;

    for (const struct change *c = transaction->changes; c; c = c->next) {
        for (size_t i = 0; i < c->slot->word_count; i++) {
            const struct word *word = &c->slot->words[i];
            int result;

            if (!word->protect || word->writable || page_of(word->address) == last)
                continue;
            last = page_of(word->address);
            result = sys_mprotect(page_of(word->address), page_size(), protection);
            if (result != 0)
                return result;
        }
    }
    return 0;
}

static bool any_protected(const struct transaction *transaction)
{
    for (const struct change *c = transaction->changes; c; c = c->next)
        for (size_t i = 0; i < c->slot->word_count; i++)
            if (c->slot->words[i].protect)
                return true;
    return false;
}

/*
 * A thread that called through an unbound word may be in ld.so's resolver this moment, and store
 * the definition over the replacement when it comes out. Nobody can be asked whether one is, so
 * the words are looked at again a few times, later and later (deferred.c); so are entries, whether
 * they have been called since.
 */
static bool commit_look_again;

bool commit_take_look_again(void)
{
    bool seen = commit_look_again;

    commit_look_again = false;
    return seen;
}

static int verify(void *nothing)
{
    (void)nothing;
    for (const struct slot *slot = slots_of(SLOT_IMPORT); slot; slot = slot->next_of_kind) {
        if (slot->layer_count == 0)
            continue;
        for (size_t i = 0; i < slot->word_count; i++) {
            const struct word *word = &slot->words[i];
            uintptr_t value = commit_value_of(slot, word);
            uintptr_t base = slot->base;

            if (!word->protect && value != base)
                __atomic_compare_exchange_n(word->address, &base, value, false, __ATOMIC_ACQ_REL,
                                            __ATOMIC_RELAXED);
        }
    }
    return 0;
}

void commit_verify_imports(void)
{
    shim()->commit_begin();
    objects_locked(verify, NULL);
    shim()->commit_end();
}

/* Data is stored into only where it is what it should be, in one step with the look at it: the
 * program may write it at any moment. */
static void store_direct(const struct change *change, const struct word *word, bool unseen)
{
    uintptr_t now = __atomic_load_n(word->address, __ATOMIC_ACQUIRE);
    uintptr_t value = value_for(change, word);

    if (change->slot->kind == SLOT_ENTRY) {
        if (change->before != change->after)
            site_switch(change->slot->site, value, !unseen);
        return;
    }
    if (now == value)
        return;
    if (word->lazy && import_is_unbound(change->slot, word, now))
        commit_look_again = true;
    if (!may_be_left_alone(change, word))
        __atomic_store_n(word->address, value, __ATOMIC_RELEASE);
    else if (is_as_expected(change->slot, word))
        __atomic_compare_exchange_n(word->address, &now, value, false, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE);
}

/* Where a sandbox forbids mprotect: the kernel writes over the page's protection. */
static int store_by_kernel(int memory, const struct word *word, uintptr_t value)
{
    ssize_t n = sys_pwrite(memory, &value, sizeof(value), (off_t)(uintptr_t)word->address);

    return n == sizeof(value) ? 0 : -1;
}

/* False: it needs no such store, or it is the program's own and stays; then it is not undone either. */
static bool goes_through_kernel(const struct change *change, const struct word *word)
{
    return word->protect && !(only_extends(change) && !is_as_expected(change->slot, word));
}

/* All protected words through the kernel; those already stored go back where one fails. */
static int store_protected(const struct transaction *transaction, int memory)
{
    for (const struct change *c = transaction->changes; c; c = c->next) {
        for (size_t i = 0; i < c->slot->word_count; i++) {
            const struct word *word = &c->slot->words[i];

            if (!goes_through_kernel(c, word) ||
                store_by_kernel(memory, word, value_for(c, word)) == 0)
                continue;
            for (const struct change *d = transaction->changes;; d = d->next)
                for (size_t k = 0; k < d->slot->word_count; k++) {
                    if (d == c && k == i)
                        return -1;
                    if (goes_through_kernel(d, &d->slot->words[k]))
                        store_by_kernel(memory, &d->slot->words[k],
                                        value_below(d->slot, d->slot->layers, d->slot->layer_count,
                                                    d->before, &d->slot->words[k]));
                }
        }
    }
    return 0;
}

/* ---- the stores ---- */

/* A fault leads the caller's own call on, so what lies below it must keep for the caller what a
 * keeping stub keeps. A replacement's own call needs the ABI alone. */
static uintptr_t way_from(const struct slot *slot, const struct layer *layer, uintptr_t below)
{
    bool is_fault = layer->module && layer->module->fault;

    return is_fault && slot->kind == SLOT_ENTRY ? site_way(slot->site, below) : below;
}

/* HOTPATCH_ORIGINAL of every layer, bottom up, before any call can reach a new layer. A layer
 * that is taken out keeps its pointer: a thread may still be in its function. `only_new`: of
 * layers that no call can reach yet, so that nothing has to be undone. */
static void store_originals(const struct change *change, bool only_new)
{
    uintptr_t below = change_base(change);

    for (size_t i = 0; i < change->layer_count; i++) {
        const struct layer *layer = &change->layers[i];
        uintptr_t original = way_from(change->slot, layer, below);

        if (layer->module && layer->module->fault)
            layer->module->fault->reached = true;
        if (layer->original && (!only_new || layer->since.tv_sec == 0) &&
            __atomic_load_n(layer->original, __ATOMIC_ACQUIRE) != original)
            __atomic_store_n(layer->original, original, __ATOMIC_RELEASE);
        below = layer->function;
    }
}

static void store_word(const struct change *change, bool unseen)
{
    const struct slot *slot = change->slot;

    for (size_t i = 0; i < slot->word_count; i++)
        store_direct(change, &slot->words[i], unseen);
}

static void note(struct change *change, const struct timespec *now, bool unseen)
{
    struct slot *slot = change->slot;
    struct layer *layers = slot->layers;
    size_t count = slot->layer_count;

    for (size_t i = 0; i < change->layer_count; i++) {
        if (change->layers[i].since.tv_sec == 0) {
            change->layers[i].since = *now;
            change->layers[i].replaced = change->before;
        }
    }
    slot->layers = change->layers;
    slot->layer_count = change->layer_count;
    change->layers = layers;
    change->layer_count = count;
    slot->provider = change->provider;
    if (slot->type == HOTPATCH_KIND_REQUIRED)
        slot->base = slot->provider ? slot->provider->entry : slot->fallback;
    slot->live = change->after;
    slot->extended = false;
    if (change->before == change->after)
        return;
    slot->entered = false;
    slot->unseen = unseen;
    commit_look_again |= slot->kind == SLOT_ENTRY && !unseen;
    slot->since = *now;
    slot->version++;
    if (slot->declared) {
        const struct layer *top = slot->layer_count ? &slot->layers[slot->layer_count - 1] : NULL;

        __atomic_store_n(&slot->declared->context, top ? top->context : NULL, __ATOMIC_RELEASE);
        __atomic_store_n(&slot->declared->version, slot->version, __ATOMIC_RELEASE);
    }
}

static void register_own_slots(struct module *module)
{
    struct slot *slot = module->own_slots;

    module->own_slots = NULL;
    while (slot) {
        struct slot *next = slot->next;

        slot_register(slot);
        slot = next;
    }
}

static void note_modules(struct transaction *transaction, const struct timespec *now)
{
    for (size_t i = 0; i < transaction->revert_count; i++)
        transaction->reverts[i]->live = false;
    for (size_t i = 0; i < transaction->load_count; i++) {
        struct module *module = transaction->loads[i];

        if (!module->live_after)
            continue; /* loaded and reverted in one transaction */
        module->live = true;
        module->since = *now;
        register_own_slots(module);
    }
}

static void store_all(struct transaction *transaction)
{
    struct timespec now = clock_now(CLOCK_REALTIME);

    for (struct change *c = transaction->changes; c; c = c->next)
        store_originals(c, false);
    for (struct change *c = transaction->changes; c; c = c->next)
        store_word(c, transaction->unseen);
    for (struct change *c = transaction->changes; c; c = c->next)
        note(c, &now, transaction->unseen);
    note_modules(transaction, &now);
    transaction->committed = true;
}

static int commit_protected(struct transaction *transaction)
{
    int memory, result;

    see_writable(transaction);
    result = protect(transaction, PROT_READ | PROT_WRITE);
    if (result == 0) {
        store_all(transaction);
        if (protect(transaction, PROT_READ) != 0)
            transaction_warn(transaction, "a RELRO page could not be made read-only again");
        return 0;
    }
    protect(transaction, PROT_READ);
    memory = sys_open_own_memory(O_RDWR);
    if (memory < 0)
        return refuse(transaction->why, HP_STORE, "write a slot: mprotect: %s", sys_error(-result));
    for (struct change *c = transaction->changes; c; c = c->next)
        store_originals(c, true);
    if (store_protected(transaction, memory) != 0) {
        sys_close(memory);
        return refuse(transaction->why, HP_STORE, "write a slot: mprotect: %s, nor by /proc",
                      sys_error(-result));
    }
    sys_close(memory);
    store_all(transaction);
    return 0;
}

int commit(struct transaction *transaction)
{
    for (struct change *c = transaction->changes; c; c = c->next)
        change_settle(c);
    if (check_words(transaction) != 0 || entries_arm_rest(transaction) != 0)
        return -1;
    if (any_protected(transaction))
        return commit_protected(transaction);
    store_all(transaction);
    return 0;
}
