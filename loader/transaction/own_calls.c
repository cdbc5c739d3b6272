/* own_calls.c - see own_calls.h. The relocations of a patch are walked once for all changes. */
#include "loader/transaction/own_calls.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/sys.h"
#include "elf/relocations.h"
#include "loader/objects/object.h"
#include "loader/text/text_poke.h"

/* Such calls reach the code that was there before any patch, as calls through an import do. Otherwise a replacement
 * that calls the function by its name would call itself. */
struct own_calls {
    const struct change **changes; /* the changes of entries, sorted by the function's address */
    size_t count;
    const struct module *module; /* the module whose relocations are walked */
    struct text_poke poke;       /* open for the pages of the last protected word, or closed */
    const struct change *failed;
    int result;
};

static int by_function(const void *left, const void *right)
{
    const struct change *const *a = left, *const *b = right;
    uintptr_t x = (*a)->slot->fallback, y = (*b)->slot->fallback;

    return (x > y) - (x < y);
}

static const struct change *change_of(const struct own_calls *own, uintptr_t function)
{
    size_t low = 0, high = own->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (own->changes[middle]->slot->fallback < function)
            low = middle + 1;
        else
            high = middle;
    }
    return low < own->count && own->changes[low]->slot->fallback == function ? own->changes[low]
                                                                             : NULL;
}

static bool is_open_over(const struct text_poke *poke, uintptr_t word)
{
    return (poke->stores || poke->memory >= 0) && word >= poke->begin &&
           word + sizeof(uint64_t) <= poke->end;
}

/* Store a word of a protected page. Neighbouring words of one page share one text_poke_open(). */
static int store_own_call(struct own_calls *own, uintptr_t word, uintptr_t value)
{
    int result = 0;

    if (!is_open_over(&own->poke, word)) {
        text_poke_close(&own->poke);
        result = text_poke_open(&own->poke, word, sizeof(value), PROT_READ, false);
    }
    return result != 0 ? result : text_poke_word(&own->poke, word, value);
}

static int redirect_word(const struct image_relocation *relocation, void *context)
{
    struct own_calls *own = context;
    uintptr_t *word = (uintptr_t *)(own->module->object->bias + relocation->where);
    const struct change *change;

    if (!relocation->has_symbol || relocation->addend != 0)
        return 0;
    change = change_of(own, __atomic_load_n(word, __ATOMIC_ACQUIRE));
    if (!change || !change_layer_of(change, own->module))
        return 0;
    if (relocation->relro)
        own->result = store_own_call(own, (uintptr_t)word, change->slot->base);
    else
        __atomic_store_n(word, change->slot->base, __ATOMIC_RELEASE);
    if (own->result != 0)
        own->failed = change;
    return own->result;
}

static int list_changes(struct own_calls *own, const struct transaction *transaction)
{
    size_t room = 0;

    for (const struct change *c = transaction->changes; c; c = c->next)
        room++;
    own->changes = calloc(room + 1, sizeof(const struct change *));
    if (!own->changes)
        return -1;
    for (const struct change *c = transaction->changes; c; c = c->next)
        if (slot_writes_code(c->slot) && !c->slot->gone)
            own->changes[own->count++] = c;
    qsort(own->changes, own->count, sizeof(const struct change *), by_function);
    return 0;
}

static void redirect_module(struct own_calls *own, const struct module *module)
{
    struct elf_error ignored;

    if (module->live || !module->object || !module->object->image)
        return;
    own->module = module;
    image_symbol_relocations(module->object->image, NULL, redirect_word, own, &ignored);
}

int own_calls_redirect(struct transaction *transaction)
{
    struct own_calls own = {.poke = {.memory = -1}};

    if (list_changes(&own, transaction) != 0)
        return refuse(transaction->why, HP_MEMORY, "plan the transaction: no memory");
    for (size_t i = 0; i < transaction->load_count && own.result == 0 && own.count > 0; i++)
        redirect_module(&own, transaction->loads[i]);
    text_poke_close(&own.poke);
    free(own.changes);
    if (own.result == 0)
        return 0;
    return refuse(transaction->why, HP_STORE, "%s: its own calls of %s: %s", own.module->path,
                  own.failed->slot->name, sys_error(-own.result));
}
