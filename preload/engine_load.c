/*
 * engine_load.c - see engine_load.h.
 *
 * The engine needs libelf and Zydis. It is loaded at the first request that needs it. If a library is missing, the
 * request is refused; otherwise the program could not start.
 */
#include "preload/engine_load.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <link.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/linker_error.h"
#include "base/state.h"
#include "base/sys.h"
#include "preload/engine_lock.h"
#include "preload/jail.h"
#include "preload/jail_bring.h"
#include "preload/thread_role.h"
#include "preload/worker.h"

#define ENGINE_NAME "libhotpatch_engine.so"
#define LOAD_LIMIT_MS 10000

static const struct shim_services *services STATE;
static char *engine_path STATE; /* malloc'd */
static char failure[256];       /* reason of start() why the engine cannot work here */
static _Atomic bool loading STATE;
static bool brought STATE; /* the command has brought the libraries into a jail */

/* Start without snprintf(3): most processes would read its pages only for this. */
void engine_load_start(const struct shim_services *given)
{
    char directory[PATH_MAX]; /* not initialised whole: two pages of each process that starts */
    size_t length, folder;
    const char *slash;
    Dl_info info;

    services = given;
    if (dladdr(&engine_path, &info) == 0 || !info.dli_fname)
        return;
    slash = strrchr(info.dli_fname, '/');
    folder = slash ? (size_t)(slash - info.dli_fname) + 1 : 0;
    directory[0] = '\0';
    if (info.dli_fname[0] != '/' && !getcwd(directory, sizeof(directory) - 1))
        return;
    length = info.dli_fname[0] == '/' ? 0 : strlen(strcat(directory, "/"));
    engine_path = malloc(length + folder + sizeof(ENGINE_NAME));
    if (!engine_path)
        return;
    memcpy(engine_path, directory, length);
    memcpy(engine_path + length, info.dli_fname, folder);
    memcpy(engine_path + length + folder, ENGINE_NAME, sizeof(ENGINE_NAME));
}

/* The engine's own libraries, in the order of this table. */
static const char *const engine_libraries[] = {"libelf.so", "libz.so"};

static bool were_there[sizeof(engine_libraries) / sizeof(engine_libraries[0])];

static int note_library(struct dl_phdr_info *info, size_t size, void *unused)
{
    const char *slash = strrchr(info->dlpi_name, '/');
    const char *name = slash ? slash + 1 : info->dlpi_name;

    (void)size;
    (void)unused;
    for (size_t i = 0; i < sizeof(were_there) / sizeof(were_there[0]); i++)
        if (strncmp(name, engine_libraries[i], strlen(engine_libraries[i])) == 0)
            were_there[i] = true;
    return 0;
}

bool engine_load_was_there(const char *name)
{
    for (size_t i = 0; i < sizeof(were_there) / sizeof(were_there[0]); i++)
        if (strcmp(name, engine_libraries[i]) == 0)
            return were_there[i];
    return true;
}

/* Load the engine on the calling thread: worker or host thread. `why` stays empty on success. */
static void load_here(const char *path, char *why, size_t size)
{
    void *handle =
        dl_iterate_phdr(note_library, NULL) == 0 ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
    const struct engine_api *api = handle ? dlsym(handle, "hotpatch_engine_v1") : NULL;

    if (!api) {
        const char *text = linker_error();

        snprintf(why, size, "%s", text ? text : "it has no hotpatch_engine_v1");
    } else if (api->abi != ENGINE_ABI) {
        snprintf(why, size, ENGINE_NAME " is of another version than the preloaded library");
    } else if (api->start(services, why, size) != 0) {
        snprintf(failure, sizeof(failure), "%s", why[0] ? why : "the engine cannot work here");
        snprintf(why, size, "%s", failure);
    } else {
        why[0] = '\0';
        engine_set(api);
    }
    atomic_store_explicit(&loading, false, memory_order_release);
}

static const char *usual_path(void)
{
    return engine_path ? engine_path : ENGINE_NAME;
}

struct engine_loading {
    char brought[PATH_MAX]; /* "DIRECTORY NAME...", the engine last; "": nothing */
    char why[512];
};

/* Load the libraries that the command has written into the jail. The libraries that the engine needs come before it:
 * ld.so then finds them by their sonames. For the same reason libraries that the process has are not loaded again. */
static void load_brought(struct engine_loading *load)
{
    char path[PATH_MAX + NAME_MAX], *rest, *directory = strtok_r(load->brought, " ", &rest), *name;

    while ((name = strtok_r(NULL, " ", &rest))) {
        snprintf(path, sizeof(path), "%s/%s", directory, name);
        if (strcmp(name, ENGINE_NAME) == 0 && !engine_loaded())
            load_here(path, load->why, sizeof(load->why));
        else if (strcmp(name, ENGINE_NAME) != 0 && !dlopen(path, RTLD_NOW | RTLD_LOCAL))
            snprintf(load->why, sizeof(load->why), "%s", dlerror());
        if (load->why[0])
            break;
    }
    atomic_store_explicit(&loading, false, memory_order_release);
}

static void load_either(void *data)
{
    struct engine_loading *load = data;

    if (load->brought[0])
        load_brought(load);
    else
        load_here(usual_path(), load->why, sizeof(load->why));
}

/* Let the command bring the files: in a jail only the command has them. */
static int bring(struct engine_loading *load, struct refusal *why)
{
    int directory = jail_bring("engine", load->brought, sizeof(load->brought));

    if (directory >= 0)
        sys_close(directory);
    else if (directory != -ENOLINK)
        return refuse(why, HP_CHROOT, "%s", load->brought);
    else
        load->brought[0] = '\0';
    return 0;
}

static int load_on_worker(struct refusal *why)
{
    struct engine_loading load = {.brought = "", .why = ""};
    int result;

    if (bring(&load, why) != 0 || (!load.brought[0] && engine_loaded()))
        return -1;
    atomic_store_explicit(&loading, true, memory_order_relaxed);
    result = worker_call(load_either, &load, sizeof(load), "load of " ENGINE_NAME,
                         clock_ms() + LOAD_LIMIT_MS);
    if (result == -ETIMEDOUT)
        return refuse(why, HP_BUSY, "the load of the engine has not ended in %d s",
                      LOAD_LIMIT_MS / 1000);
    if (result != 0)
        atomic_store_explicit(&loading, false, memory_order_relaxed);
    if (result == -ENOMEM)
        return refuse(why, HP_MEMORY, "load the engine: no memory");
    if (result != 0)
        return refuse(why, HP_BUSY, "the patching thread is busy");
    if (load.why[0])
        return refuse(why, HP_ENGINE, "%s", load.why);
    brought = brought || load.brought[0];
    return 0;
}

/* Bring libraries that an engine from before the jail may still lack, because it loads them itself: libZydis. A
 * library that cannot be brought is reported missing when it is needed. */
static void bring_rest(void)
{
    struct refusal ignored = {0};

    if (!brought && jail_asks())
        load_on_worker(&ignored);
    refusal_clear(&ignored);
}

int engine_load(struct refusal *why)
{
    char text[512] = "";

    if (engine_loaded()) {
        bring_rest();
        return 0;
    }
    if (failure[0])
        return refuse(why, HP_ENGINE, "%s", failure);
    if (atomic_load_explicit(&loading, memory_order_acquire))
        return refuse(why, HP_BUSY, "the engine is still being loaded");
    if (thread_role() == THREAD_LISTENER)
        return load_on_worker(why);
    atomic_store_explicit(&loading, true, memory_order_relaxed);
    load_here(usual_path(), text, sizeof(text));
    return text[0] ? refuse(why, HP_ENGINE, "%s", text) : 0;
}

void engine_load_reset(void)
{
    atomic_store_explicit(&loading, false, memory_order_relaxed);
}
