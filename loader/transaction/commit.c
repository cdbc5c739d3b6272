/*
 * commit.c - see commit.h.
 *
 * Called inside the shim's commit section and objects_locked(). So no fork can copy a half-done state, and no object
 * can be unmapped. No function of this file allocates or waits. The section is taken first: a child that is forked in
 * it must not inherit ld.so's list lock from a thread that the child does not have.
 *
 * Every store is one aligned 8-byte release store; a call reads the old word or the new one. Steps that can fail come
 * before the first store: RELRO pages are made writable, and words are compared with their expected values.
 */
#include "loader/transaction/commit.h"

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
#include "loader/objects/object.h"
#include "loader/slots/injection_decide.h"
#include "loader/transaction/arming.h"

/* ---- words ---- */

static size_t page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

static void *page_of(const uintptr_t *address)
{
    return (void *)((uintptr_t)address & ~(page_size() - 1));
}

static enum word_state word_state(const struct change *change, const struct word *word)
{
    const struct slot_ops *ops = change->slot->ops;

    return ops->word_state ? ops->word_state(change, word) : WORD_EXPECTED;
}

static int check_words(struct transaction *transaction)
{
    for (const struct change *c = transaction->changes; c; c = c->next) {
        if (c->slot->gone || (c->provider && c->provider->gone))
            return refuse(transaction->why, HP_NO_TARGET, "%s: its object was unloaded meanwhile",
                          c->slot->name);
        for (size_t i = 0; i < c->slot->word_count; i++) {
            const struct word *word = &c->slot->words[i];
            enum word_state state = word_state(c, word);

            if (state == WORD_EXPECTED)
                continue;
            if (state == WORD_HOST_OWNED)
                return refuse(transaction->why, HP_HOST_OWNED,
                              "%s: the program changed the word at %p of %s itself", c->slot->name,
                              (void *)word->address, object_name(word->object));
            transaction_warn(transaction, "%s: a word of %s is the program's own and stays",
                             c->slot->name, object_name(word->object));
        }
    }
    return 0;
}

/* Return whether the word's page is writable. The kernel adds zero to the word in one atomic step (futex(2),
 * FUTEX_WAKE_OP), and fails if the page is read-only. Reading /proc/self/maps takes longer than the whole commit. */
static bool is_writable(const uintptr_t *address)
{
    uint32_t nobody = 0;

    return sys_call(SYS_futex, (long)&nobody, FUTEX_WAKE_OP_PRIVATE, 0, 0, (long)address,
                    FUTEX_OP(FUTEX_OP_ADD, 0, FUTEX_OP_CMP_EQ, 0)) >= 0;
}

/* Find the words on RELRO pages that the program has made writable to hook its own imports. Such a page must stay
 * writable, since the program will store there again. Called before the engine makes the first page writable. */
static void find_writable(const struct transaction *transaction)
{
    for (const struct change *c = transaction->changes; c; c = c->next)
        for (size_t i = 0; i < c->slot->word_count; i++) {
            struct word *word = &c->slot->words[i];

            word->writable = word->protect && is_writable(word->address);
        }
}

/* Give every page of a protected word `protection`. Return 0, or the error of the first page that cannot have it. */
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
 * A word must be read again. A thread that called through an unbound word may run ld.so's resolver at this moment. The
 * resolver stores the definition over the replacement when it returns. The engine cannot find out whether a thread runs
 * the resolver, so the words are read again several times, at growing intervals (deferred.c). At these times the hits
 * of entries are read, too.
 */
static bool look_again;

bool commit_take_look_again(void)
{
    bool result = look_again;

    look_again = false;
    return result;
}

static int verify(void *nothing)
{
    (void)nothing;
    for (const struct slot *slot = slots_of(SLOT_IMPORT); slot; slot = slot->next_of_kind) {
        if (slot->layer_count == 0)
            continue;
        for (size_t i = 0; i < slot->word_count; i++) {
            const struct word *word = &slot->words[i];
            uintptr_t value = slot_word_value(slot, word);
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

/* Store through /proc/self/mem, which ignores the page's protection. A sandbox may forbid mprotect(2). */
static int store_by_kernel(int memory, const struct word *word, uintptr_t value)
{
    ssize_t n = sys_pwrite(memory, &value, sizeof(value), (off_t)(uintptr_t)word->address);

    return n == sizeof(value) ? 0 : -1;
}

/* Return whether the word is protected and the engine stores into it. A value of the program stays, and is not stored
 * again on a refusal. */
static bool goes_through_kernel(const struct change *change, const struct word *word)
{
    return word->protect && word_state(change, word) != WORD_KEPT;
}

/* Store all protected words through the kernel. If a store fails, write the old values of the stored words again. */
static int store_protected_words(const struct transaction *transaction, int memory)
{
    for (const struct change *c = transaction->changes; c; c = c->next) {
        for (size_t i = 0; i < c->slot->word_count; i++) {
            const struct word *word = &c->slot->words[i];

            if (!goes_through_kernel(c, word) ||
                store_by_kernel(memory, word, change_word_value(c, word)) == 0)
                continue;
            for (const struct change *d = transaction->changes;; d = d->next)
                for (size_t k = 0; k < d->slot->word_count; k++) {
                    if (d == c && k == i)
                        return -1;
                    if (goes_through_kernel(d, &d->slot->words[k]))
                        store_by_kernel(memory, &d->slot->words[k],
                                        slot_word_value(d->slot, &d->slot->words[k]));
                }
        }
    }
    return 0;
}

/* ---- the stores ---- */

/* Return the value that HOTPATCH_ORIGINAL of a layer must have. */
static uintptr_t original_of(const struct slot *slot, const struct layer *layer, uintptr_t below)
{
    bool is_injection = layer->module && layer->module->injection;

    return is_injection && slot->ops->passes_to ? slot->ops->passes_to(slot, below) : below;
}

/* Store HOTPATCH_ORIGINAL of every layer, bottom up, before any call can reach a new layer. A layer that is removed
 * keeps its pointer: a thread may still be in its function. With `only_new`, store only for layers that no call can
 * reach yet, so that no store has to be undone. */
static void store_originals(const struct change *change, bool only_new)
{
    uintptr_t below = change_base(change);

    for (size_t i = 0; i < change->layer_count; i++) {
        const struct layer *layer = &change->layers[i];
        uintptr_t original = original_of(change->slot, layer, below);

        if (layer->module && layer->module->injection)
            layer->module->injection->reached = true;
        if (layer->original && (!only_new || layer->since.tv_sec == 0) &&
            __atomic_load_n(layer->original, __ATOMIC_ACQUIRE) != original)
            __atomic_store_n(layer->original, original, __ATOMIC_RELEASE);
        below = layer->function;
    }
}

static void store_words(const struct change *change, bool hits)
{
    const struct slot *slot = change->slot;

    for (size_t i = 0; i < slot->word_count; i++)
        look_again |= slot->ops->store(change, &slot->words[i], hits);
}

/* Give the slot its new layers. Afterwards `change` has the slot's old layers. */
static void update_slot(struct change *change, const struct timespec *now, bool no_hits)
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
        slot->base = slot->provider ? slot->provider->stub : slot->fallback;
    slot->live = change->after;
    slot->extended = false;
    if (change->before == change->after)
        return;
    slot->hit = false;
    slot->no_hits = no_hits;
    slot->since = *now;
    if (change->before == slot->base)
        slot->left = *now;
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

static void update_modules(struct transaction *transaction, const struct timespec *now)
{
    for (size_t i = 0; i < transaction->revert_count; i++)
        transaction->reverts[i]->live = false;
    for (size_t i = 0; i < transaction->load_count; i++) {
        struct module *module = transaction->loads[i];

        if (!module->live_after)
            continue; /* the layer was loaded and reverted in one transaction */
        module->live = true;
        module->since = *now;
        register_own_slots(module);
    }
}

static void store_changes(struct transaction *transaction)
{
    struct timespec now = clock_now(CLOCK_REALTIME);

    for (struct change *c = transaction->changes; c; c = c->next)
        store_originals(c, false);
    for (struct change *c = transaction->changes; c; c = c->next)
        store_words(c, !transaction->no_hits);
    for (struct change *c = transaction->changes; c; c = c->next)
        update_slot(c, &now, transaction->no_hits);
    update_modules(transaction, &now);
    transaction->committed = true;
}

static int commit_protected(struct transaction *transaction)
{
    int memory, result;

    find_writable(transaction);
    result = protect(transaction, PROT_READ | PROT_WRITE);
    if (result == 0) {
        store_changes(transaction);
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
    if (store_protected_words(transaction, memory) != 0) {
        sys_close(memory);
        return refuse(transaction->why, HP_STORE, "write a slot: mprotect: %s, nor by /proc",
                      sys_error(-result));
    }
    sys_close(memory);
    store_changes(transaction);
    return 0;
}

int commit(struct transaction *transaction)
{
    for (struct change *c = transaction->changes; c; c = c->next)
        change_values(c);
    if (check_words(transaction) != 0 || arming_arm_rest(transaction) != 0)
        return -1;
    if (any_protected(transaction))
        return commit_protected(transaction);
    store_changes(transaction);
    return 0;
}
