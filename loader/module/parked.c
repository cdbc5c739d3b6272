/*
 * parked.c - see parked.h.
 *
 * A record is kept of each reverted module, found by the SHA-256 of its file. There may be as many records as mappings
 * that fit into the process.
 */
#include "loader/module/parked.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/services.h"
#include "base/text.h"
#include "loader/module/module.h"
#include "loader/module/thin_copies.h"
#include "loader/module/thin_state.h"
#include "loader/objects/object.h"

enum { BUCKET_COUNT = 4096 };

static struct parked *buckets[BUCKET_COUNT];

static unsigned nibble(char digit)
{
    return (unsigned)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

static struct parked **parked_bucket(const char *sha256)
{
    unsigned number = nibble(sha256[0]) << 8 | nibble(sha256[1]) << 4 | nibble(sha256[2]);

    return &buckets[number % BUCKET_COUNT];
}

/* Keep the mapping of a module that is to be freed. The record takes over the module's identifying members. If there is
 * no memory, the mapping stays and is not used again. */
static void keep_mapping(struct module *module)
{
    struct parked **bucket = parked_bucket(module->sha256);
    struct parked *parked = malloc(sizeof(*parked));

    if (!parked)
        return;
    *parked = (struct parked){.next = *bucket,
                              .size = module_file_size(module),
                              .origin = module->origin,
                              .snapshot = module->snapshot,
                              .loaded_as = module->loaded_as,
                              .handle = module->handle,
                              .object = module->object,
                              .bias = module->bias,
                              .thin = module->thin,
                              .since = clock_ms()};
    memcpy(parked->sha256, module->sha256, sizeof(parked->sha256));
    *bucket = parked;
    if (module->thin && module->thin->whole && module->snapshot &&
        module->thin->maker == shim()->pid())
        thin_copy_retired(module->snapshot, module->thin->whole);
    module->snapshot = module->loaded_as = module->origin = NULL;
    module->handle = NULL;
    thin_module_forget_file(module->thin);
    module->thin = NULL;
}

/* Free the module and its data. Only its code stays mapped, since a thread may still run it. */
void parked_retire(struct module *module)
{
    static struct module retired = {.name = (char *)"(reverted)", .path = (char *)"(reverted)"};
    struct object *object = module->object;

    module_unlist(module);
    if (object) {
        object->module = &retired;
        object_retire(object);
    }
    if (object && module->handle)
        keep_mapping(module);
    module_free(module);
}

/* A thin object is linked for one place of its target. */
static bool is_of_same_place(const struct parked *parked, const struct module *module)
{
    if (!module->thin || !parked->thin)
        return !module->thin && !parked->thin;
    return module->thin->target_bias == parked->thin->target_bias;
}

struct parked *parked_next(const struct module *module, const struct parked *parked)
{
    struct parked *next = parked ? parked->next : *parked_bucket(module->sha256);

    while (next &&
           (strcmp(next->sha256, module->sha256) != 0 || next->size != module_file_size(module) ||
            !text_same(next->origin, module->origin) || !is_of_same_place(next, module)))
        next = next->next;
    return next;
}

void parked_take(struct parked *parked, struct module *module)
{
    struct parked **place = parked_bucket(parked->sha256);

    while (*place != parked)
        place = &(*place)->next;
    *place = parked->next;
    module->snapshot = parked->snapshot;
    module->loaded_as = parked->loaded_as;
    module->handle = parked->handle;
    module->bias = parked->bias;
    module->object = parked->object;
    module->object->module = module;
    module->reused = true;
    if (module->thin)
        thin_module_take(module, parked->thin);
    object_restore(module->object);
    free(parked->origin);
    free(parked);
}
