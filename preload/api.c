/*
 * api.c - see api.h.
 *
 * The two lists only grow, at their ends, and are read without a lock: each `next` is stored last.
 */
#include "preload/api.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/lock.h"
#include "base/state.h"
#include "preload/engine_load.h"
#include "preload/engine_lock.h"
#include "preload/listener.h"
#include "preload/log.h"
#include "preload/shim_active.h"

static struct lock append_lock STATE; /* held by writers of the lists */
static struct registered_slot *registered_head STATE;
static struct change_handler *handlers_head STATE;

struct registered_slot *api_registered(void)
{
    return __atomic_load_n(&registered_head, __ATOMIC_ACQUIRE);
}

struct change_handler *api_handlers(void)
{
    return __atomic_load_n(&handlers_head, __ATOMIC_ACQUIRE);
}

static bool same_name_space(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Return the pointer to the element with this name, or, if there is none, the pointer to append to. */
static struct registered_slot **find_registered(const char *name_space, const char *name)
{
    struct registered_slot **link = &registered_head;

    for (; *link; link = &(*link)->next)
        if (strcmp((*link)->slot.name, name) == 0 &&
            same_name_space((*link)->name_space, name_space))
            break;
    return link;
}

static struct registered_slot *make_registered(const char *name_space, const char *name,
                                               const char *signature, hotpatch_function fallback)
{
    struct registered_slot *made = aligned_alloc(_Alignof(struct registered_slot), sizeof(*made));
    char *own_space = name_space ? strdup(name_space) : NULL;
    char *own_name = strdup(name), *own_signature = strdup(signature);

    if (!made || !own_name || !own_signature || (name_space && !own_space)) {
        free(made);
        free(own_space);
        free(own_name);
        free(own_signature);
        return NULL;
    }
    memset(made, 0, sizeof(*made));
    made->name_space = own_space;
    made->slot.name = own_name;
    made->slot.signature = own_signature;
    made->slot.target = made->slot.fallback = fallback;
    made->slot.kind = strcmp(signature, HOTPATCH_UNTYPED_SIGNATURE) == 0 ? HOTPATCH_KIND_UNTYPED
                                                                         : HOTPATCH_KIND_FUNCTION;
    return made;
}

int hotpatch_api_register(const char *name_space, const char *name, const char *signature,
                          hotpatch_function fallback, struct hotpatch_slot **slot)
{
    struct registered_slot **link, *found;
    int result = 0;

    if (!shim_active())
        return -ENOSYS;
    if (!name || !*name || !signature || !fallback || !slot)
        return -EINVAL;
    lock_acquire(&append_lock);
    link = find_registered(name_space, name);
    found = *link;
    if (!found) {
        found = make_registered(name_space, name, signature, fallback);
        if (!found)
            result = -ENOMEM;
        else
            __atomic_store_n(link, found, __ATOMIC_RELEASE);
    } else if (strcmp(found->slot.signature, signature) != 0) {
        result = -EINVAL;
    }
    lock_release(&append_lock);
    if (result == 0)
        *slot = &found->slot;
    return result;
}

/* Take the engine lock and load the engine. */
static int enter_engine(void)
{
    struct refusal why = {0};
    int result;

    if (!shim_active())
        return -ENOSYS;
    result = engine_lock_host();
    if (result != 0 || engine_load(&why) == 0)
        return result;
    log_write(LOG_ERROR, "%s: %s", error_info(why.items[0].code)->code,
              why.items[0].text ? why.items[0].text : "");
    refusal_clear(&why);
    engine_unlock();
    return -ENOSYS;
}

struct hotpatch_slot *hotpatch_api_lookup(const char *name_space, const char *name)
{
    struct hotpatch_slot *found = NULL;
    struct registered_slot *registered;

    if (!name || !shim_active())
        return NULL;
    lock_acquire(&append_lock);
    registered = *find_registered(name_space, name);
    lock_release(&append_lock);
    if (registered)
        return &registered->slot;
    if (enter_engine() == 0) {
        found = engine()->lookup(name_space, name);
        engine_unlock();
    }
    return found;
}

int hotpatch_api_set(struct hotpatch_slot *slot, hotpatch_function function, void *context)
{
    int result;

    if (!slot)
        return -EINVAL;
    result = enter_engine();
    if (result != 0)
        return result;
    result = engine()->set(slot, function, context);
    engine_unlock();
    if (result == 0)
        listener_status_stale();
    return result;
}

int hotpatch_api_restore(struct hotpatch_slot *slot)
{
    return hotpatch_api_set(slot, NULL, NULL);
}

int hotpatch_api_on_change(void (*handler)(void *), void *context)
{
    struct change_handler **link = &handlers_head, *made;

    if (!shim_active())
        return -ENOSYS;
    if (!handler)
        return -EINVAL;
    made = malloc(sizeof(*made));
    if (!made)
        return -ENOMEM;
    *made = (struct change_handler){.handler = handler, .context = context};
    lock_acquire(&append_lock);
    while (*link)
        link = &(*link)->next;
    __atomic_store_n(link, made, __ATOMIC_RELEASE);
    lock_release(&append_lock);
    return 0;
}

void hotpatch_api_unfilled(struct hotpatch_slot *slot)
{
    uint64_t calls = __atomic_load_n(&slot->unfilled, __ATOMIC_RELAXED);

    if (shim_active() && (calls & (calls - 1)) == 0)
        log_write(LOG_ERROR, "%s was called and no module provides it (%llu so far)", slot->name,
                  (unsigned long long)calls);
}

void api_reset(void)
{
    lock_reset(&append_lock);
}
