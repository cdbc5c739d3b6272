/*
 * stand_in.c - preloaded in the shim's place: gives answers that the header's own never are, so the
 * host sees that its weak references reach a preloaded library.
 */
#include <hotpatch.h>

int hotpatch_api_register(const char *name_space, const char *name, const char *signature,
                          hotpatch_function fallback, struct hotpatch_slot **slot);
struct hotpatch_slot *hotpatch_api_lookup(const char *name_space, const char *name);
int hotpatch_api_set(struct hotpatch_slot *slot, hotpatch_function function, void *context);
int hotpatch_api_restore(struct hotpatch_slot *slot);
int hotpatch_api_on_change(void (*handler)(void *context), void *context);

static struct hotpatch_slot made;

int hotpatch_api_register(const char *name_space, const char *name, const char *signature,
                          hotpatch_function fallback, struct hotpatch_slot **slot)
{
    (void)name_space;
    made.name = name;
    made.signature = signature;
    made.target = made.fallback = fallback;
    *slot = &made;
    return 0;
}

struct hotpatch_slot *hotpatch_api_lookup(const char *name_space, const char *name)
{
    (void)name_space;
    return strcmp(name, "stand-in") == 0 ? &made : NULL;
}

int hotpatch_api_set(struct hotpatch_slot *slot, hotpatch_function function, void *context)
{
    (void)slot;
    (void)function;
    (void)context;
    return 1;
}

int hotpatch_api_restore(struct hotpatch_slot *slot)
{
    (void)slot;
    return 2;
}

int hotpatch_api_on_change(void (*handler)(void *context), void *context)
{
    (void)handler;
    (void)context;
    return 3;
}
