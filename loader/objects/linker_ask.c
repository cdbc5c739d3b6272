/* linker_ask.c - see linker_ask.h. */
#include "loader/objects/linker_ask.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>

#include "base/services.h"
#include "base/text.h"

struct question {
    char *path; /* NULL: the program */
    char *name, *version;
    uintptr_t address;
};

struct linker_ask {
    struct worker_job job;
    size_t count, capacity;
    struct question list[];
};

/* Run the questions on the worker. `path` is ld.so's own name of the object, so dlopen(3) with RTLD_NOLOAD finds the
 * object and loads nothing. */
static void run_ask(struct worker_job *job)
{
    struct linker_ask *ask = (struct linker_ask *)(void *)job;

    for (size_t i = 0; i < ask->count; i++) {
        struct question *q = &ask->list[i];
        void *handle = dlopen(q->path, RTLD_LAZY | RTLD_NOLOAD);

        if (!handle)
            continue;
        q->address =
            (uintptr_t)(q->version ? dlvsym(handle, q->name, q->version) : dlsym(handle, q->name));
        dlclose(handle);
    }
}

void linker_ask_free(struct linker_ask *ask)
{
    for (size_t i = 0; i < ask->count; i++) {
        free(ask->list[i].path);
        free(ask->list[i].name);
        free(ask->list[i].version);
    }
    free(ask);
}

static void ask_abandoned(struct worker_job *job)
{
    linker_ask_free((struct linker_ask *)(void *)job);
}

struct linker_ask *linker_ask_new(size_t capacity)
{
    struct linker_ask *ask = calloc(1, sizeof(*ask) + capacity * sizeof(ask->list[0]));

    if (!ask)
        return NULL;
    ask->job = (struct worker_job){run_ask, ask_abandoned, "asking ld.so for symbols"};
    ask->capacity = capacity;
    return ask;
}

int linker_ask_add(struct linker_ask *ask, const char *path, const char *name, const char *version)
{
    struct question *q = &ask->list[ask->count];

    if (ask->count == ask->capacity)
        return -1;
    ask->count++; /* linker_ask_free() then frees the copied strings */
    q->path = text_copy(path);
    q->name = text_copy(name);
    q->version = text_copy(version);
    return (path && !q->path) || !q->name || (version && !q->version) ? -1 : 0;
}

int linker_ask_run(struct linker_ask *ask, uint64_t deadline, struct refusal *why)
{
    int ran = ask->count ? shim()->worker_run(&ask->job, deadline) : 0;

    if (ran == 0)
        return 0;
    if (ran != -ETIMEDOUT) /* after a timeout the worker frees it when the job ends */
        linker_ask_free(ask);
    return refuse(why, ran == -ETIMEDOUT ? HP_DEADLINE : HP_BUSY,
                  "ask the dynamic linker for symbols: it is busy");
}

uintptr_t linker_ask_answer(const struct linker_ask *ask, size_t i)
{
    return ask->list[i].address;
}
