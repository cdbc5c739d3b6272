/* pin.c - see pin.h. */
#include "loader/transaction/pin.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/linker_error.h"
#include "base/services.h"
#include "base/text.h"

struct pin {
    /* Compared with the list of objects and never read: the object may be freed before a handle keeps it. */
    struct object *object;
    void *handle;
};

struct pin_job {
    struct worker_job job;
    size_t count, taken;
    char error[512];
    struct wish {
        char *path;
        struct pin pin;
    } wishes[];
};

/* ---- the worker's part ---- */

/* Take the handles. The name is ld.so's own, so dlopen(3) with RTLD_NOLOAD loads nothing. */
static void run_take(struct worker_job *job)
{
    struct pin_job *take = (struct pin_job *)(void *)job;

    for (; take->taken < take->count; take->taken++) {
        struct wish *wish = &take->wishes[take->taken];
        const char *error;

        wish->pin.handle = dlopen(wish->path, RTLD_LAZY | RTLD_NOLOAD);
        if (wish->pin.handle)
            continue;
        error = linker_error();
        snprintf(take->error, sizeof(take->error), "%s: %s", wish->path,
                 error ? error : "it is not loaded any more");
        return;
    }
}

static void run_release(struct worker_job *job)
{
    struct pin_job *release = (struct pin_job *)(void *)job;

    for (size_t i = 0; i < release->count; i++)
        if (release->wishes[i].pin.handle)
            dlclose(release->wishes[i].pin.handle);
}

static void job_free(struct pin_job *pin)
{
    for (size_t i = 0; i < pin->count; i++)
        free(pin->wishes[i].path);
    free(pin);
}

/* Close the handles: the transaction was refused meanwhile. */
static void take_abandoned(struct worker_job *job)
{
    run_release(job);
    job_free((struct pin_job *)(void *)job);
}

static void release_abandoned(struct worker_job *job)
{
    job_free((struct pin_job *)(void *)job);
}

/* ---- taking ---- */

static bool has_pin(const struct transaction *transaction, const struct object *object)
{
    for (size_t i = 0; i < transaction->pin_count; i++)
        if (transaction->pins[i].object == object)
            return true;
    return false;
}

static bool is_wished(const struct pin_job *take, const struct object *object)
{
    for (size_t i = 0; i < take->count; i++)
        if (take->wishes[i].pin.object == object)
            return true;
    return false;
}

static bool needs_pin(const struct transaction *transaction, const struct change *change)
{
    const struct slot *slot = change->slot;

    return slot_writes_code(slot) && !slot->gone && slot->object && !slot->object->is_program &&
           !slot->object->pinned && !has_pin(transaction, slot->object);
}

static struct pin_job *take_new(const struct transaction *transaction)
{
    struct pin_job *take;
    size_t count = 0;

    for (const struct change *c = transaction->changes; c; c = c->next)
        count += needs_pin(transaction, c);
    take = calloc(1, sizeof(*take) + count * sizeof(take->wishes[0]));
    if (!take)
        return NULL;
    take->job = (struct worker_job){run_take, take_abandoned, "keeping objects loaded"};
    for (const struct change *c = transaction->changes; c; c = c->next) {
        struct wish *wish = &take->wishes[take->count];

        if (!needs_pin(transaction, c) || is_wished(take, c->slot->object))
            continue;
        wish->pin.object = c->slot->object;
        wish->path = text_copy(c->slot->object->path);
        take->count++;
        if (!wish->path) {
            job_free(take);
            return NULL;
        }
    }
    return take;
}

/* Give the pins to the transaction, also the pins of a job that failed in the middle. Return 0, or -1 if there is no
 * memory. */
static int add_pins(struct transaction *transaction, const struct pin_job *take)
{
    struct pin *pins =
        realloc(transaction->pins, (transaction->pin_count + take->taken + 1) * sizeof(*pins));

    if (!pins)
        return -1;
    transaction->pins = pins;
    for (size_t i = 0; i < take->taken; i++)
        pins[transaction->pin_count++] = take->wishes[i].pin;
    return 0;
}

int pins_take(struct transaction *transaction)
{
    struct pin_job *take = take_new(transaction);
    int ran;

    if (!take)
        return refuse(transaction->why, HP_MEMORY, "keep objects loaded: no memory");
    ran = take->count ? shim()->worker_run(&take->job, transaction->deadline) : 0;
    if (ran == -ETIMEDOUT)
        return refuse(transaction->why, HP_DEADLINE, "keep objects loaded: ld.so is busy");
    if (ran != 0)
        refuse(transaction->why, HP_BUSY, "keep objects loaded: the patching thread is busy");
    else if (add_pins(transaction, take) != 0)
        refuse(transaction->why, HP_MEMORY, "keep objects loaded: no memory");
    else if (take->taken < take->count)
        refuse(transaction->why, HP_NO_TARGET, "keep it loaded: %s", take->error);
    job_free(take);
    return transaction->why->count ? -1 : 0;
}

/* ---- afterwards ---- */

void pins_keep(struct transaction *transaction)
{
    for (struct object *o = objects_first(); o && transaction->pin_count > 0; o = o->next)
        o->pinned |= has_pin(transaction, o);
    transaction->pin_count = 0;
}

void pins_release(struct transaction *transaction)
{
    size_t count = transaction->pin_count;
    struct pin_job *release =
        count ? calloc(1, sizeof(*release) + count * sizeof(struct wish)) : NULL;

    transaction->pin_count = 0;
    if (!release)
        return; /* without memory the pins stay, which does no harm */
    release->job = (struct worker_job){run_release, release_abandoned, "letting objects go"};
    release->count = count;
    for (size_t i = 0; i < count; i++)
        release->wishes[i].pin = transaction->pins[i];
    if (shim()->worker_run(&release->job, clock_ms() + 1000) != -ETIMEDOUT)
        job_free(release);
}
