/*
 * engine.c - see engine.h.
 *
 * The engine needs libelf and Zydis. It is loaded on the first request that needs it, so that a
 * library that is missing is a refused request and not a program that cannot start.
 */
#include "preload/engine.h"

#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/linker_error.h"
#include "base/lock.h"
#include "base/state.h"
#include "preload/api.h"
#include "preload/doorbell.h"
#include "preload/endpoint.h"
#include "preload/heap.h"
#include "preload/jail.h"
#include "preload/listener.h"
#include "preload/log.h"
#include "preload/replies.h"
#include "preload/safe_point.h"
#include "preload/status.h"
#include "preload/threads.h"

#define ENGINE_NAME "libhotpatch_engine.so"
#define LOAD_LIMIT_MS 10000
#define HOST_WAIT_MS 1000

static char *engine_path STATE; /* malloc'd */
static _Atomic(const struct engine_api *) loaded STATE;
static char failure[256]; /* start() said that the engine cannot work here */
static _Atomic bool loading STATE;
static bool brought STATE; /* the command has brought the libraries into a jail */

static struct lock request_lock STATE; /* one request, or one call of the run-time API */
static struct lock commit_lock STATE;  /* stores into slots; fork() waits for it */
static _Atomic bool entries_are_armed
    STATE; /* a request arms entries: fork() does not wait for its end */
/* Which thread (sys_thread(), the same in the child) holds them over its fork(), or 0: handlers of
 * several threads that fork run side by side, and one must not give back what another has taken. */
static _Atomic uintptr_t fork_holds_request STATE, fork_holds_commit STATE;

/* Without snprintf(3), whose pages most processes need for nothing else at their start. */
void engine_locate(void)
{
    char directory[PATH_MAX] = "/";
    size_t length, folder;
    const char *slash;
    Dl_info info;

    if (dladdr(&engine_path, &info) == 0 || !info.dli_fname)
        return;
    slash = strrchr(info.dli_fname, '/');
    folder = slash ? (size_t)(slash - info.dli_fname) + 1 : 0;
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

const struct engine_api *engine(void)
{
    return atomic_load_explicit(&loaded, memory_order_acquire);
}

bool engine_loaded(void)
{
    return engine() != NULL;
}

/* ---- services ---- */

static int service_runtime_dir(const char **path)
{
    const struct runtime_dir *dir = endpoint_dir();

    *path = dir->fd >= 0 ? dir->path : NULL;
    return dir->fd;
}

/* Under the engine lock. A host thread may ask before the listener has read the name, and the
 * listener's descriptor would mean another file, or none, in the host's table. */
static int service_program(const char **path)
{
    static char program[PATH_MAX];
    ssize_t length;

    *path = status_program();
    if (threads_self() == THREAD_LISTENER)
        return listener_program();
    length = sys_readlinkat(AT_FDCWD, "/proc/thread-self/exe", program, sizeof(program) - 1);
    if (length > 0) {
        program[length] = '\0';
        *path = program;
    }
    return -1;
}

static void service_commit_begin(void)
{
    lock_acquire(&commit_lock);
}

static void service_commit_end(void)
{
    lock_release(&commit_lock);
}

/* Inside the commit section, so that a fork which does not wait for the request is over when the request
 * goes on. */
static void service_arming(bool endpoint)
{
    service_commit_begin();
    atomic_store_explicit(&entries_are_armed, endpoint, memory_order_release);
    service_commit_end();
}

static bool service_own_thread(void)
{
    return threads_self() != THREAD_HOST;
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

static bool service_was_there(const char *name)
{
    for (size_t i = 0; i < sizeof(were_there) / sizeof(were_there[0]); i++)
        if (strcmp(name, engine_libraries[i]) == 0)
            return were_there[i];
    return true;
}

static const struct shim_services services = {
    .abi = ENGINE_ABI,
    .worker_run = worker_run,
    .worker_doing = worker_doing,
    .log = log_write,
    .log_enabled = log_enabled,
    .runtime_dir = service_runtime_dir,
    .program = service_program,
    .doorbell = doorbell_signal,
    .registered = api_registered,
    .handlers = api_handlers,
    .at_safe_point = safe_point_run,
    .commit_begin = service_commit_begin,
    .commit_end = service_commit_end,
    .arming = service_arming,
    .pid = sys_getpid,
    .start_time = status_start_time,
    .own_thread = service_own_thread,
    .open = outside_open,
    .outside = jail_bring,
    .allocate = heap_allocate,
    .allocate_aligned = heap_allocate_aligned,
    .resize = heap_resize,
    .release = heap_release,
    .abandoned = replies_abandoned,
    .was_there = service_was_there,
};

/* ---- loading ---- */

/* Worker or host thread. `why` stays empty where all went well. */
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
    } else if (api->start(&services, why, size) != 0) {
        snprintf(failure, sizeof(failure), "%s", why[0] ? why : "the engine cannot work here");
        snprintf(why, size, "%s", failure);
    } else {
        why[0] = '\0';
        atomic_store_explicit(&loaded, api, memory_order_release);
    }
    atomic_store_explicit(&loading, false, memory_order_release);
}

static const char *usual_path(void)
{
    return engine_path ? engine_path : ENGINE_NAME;
}

struct load_job {
    struct worker_job job;
    char brought[PATH_MAX]; /* "DIRECTORY NAME...", the engine last; "": nothing */
    char why[512];
};

/* The libraries that the engine needs come before it: ld.so then takes them by their sonames. Libraries that
 * the process has are not loaded again for the same reason. */
static void load_brought(struct load_job *job)
{
    char path[PATH_MAX + NAME_MAX], *rest, *directory = strtok_r(job->brought, " ", &rest), *name;

    while ((name = strtok_r(NULL, " ", &rest))) {
        snprintf(path, sizeof(path), "%s/%s", directory, name);
        if (strcmp(name, ENGINE_NAME) == 0 && !engine_loaded())
            load_here(path, job->why, sizeof(job->why));
        else if (strcmp(name, ENGINE_NAME) != 0 && !dlopen(path, RTLD_NOW | RTLD_LOCAL))
            snprintf(job->why, sizeof(job->why), "%s", dlerror());
        if (job->why[0])
            break;
    }
    atomic_store_explicit(&loading, false, memory_order_release);
}

static void run_load(struct worker_job *job)
{
    struct load_job *self = (struct load_job *)job;

    if (self->brought[0])
        load_brought(self);
    else
        load_here(usual_path(), self->why, sizeof(self->why));
}

static void abandon_load(struct worker_job *job)
{
    free(job);
}

/* In a jail the command has all that is to be loaded. */
static int bring(struct load_job *job, struct refusal *why)
{
    int directory = jail_bring("engine", job->brought, sizeof(job->brought));

    if (directory >= 0)
        sys_close(directory);
    else if (directory != -ENOLINK)
        return refuse(why, HP_CHROOT, "%s", job->brought);
    else
        job->brought[0] = '\0';
    return 0;
}

static int load_on_worker(struct refusal *why)
{
    struct load_job *job = calloc(1, sizeof(*job));
    int result;

    if (!job)
        return refuse(why, HP_MEMORY, "load the engine: no memory");
    if (bring(job, why) != 0 || (!job->brought[0] && engine_loaded())) {
        free(job);
        return -1;
    }
    job->job = (struct worker_job){run_load, abandon_load, "load of " ENGINE_NAME};
    atomic_store_explicit(&loading, true, memory_order_relaxed);
    result = worker_run(&job->job, clock_ms() + LOAD_LIMIT_MS);
    if (result == -ETIMEDOUT)
        return refuse(why, HP_BUSY, "the load of the engine has not ended in %d s",
                      LOAD_LIMIT_MS / 1000);
    if (result != 0) {
        atomic_store_explicit(&loading, false, memory_order_relaxed);
        refuse(why, HP_BUSY, "the patching thread is busy");
    } else if (job->why[0]) {
        refuse(why, HP_ENGINE, "%s", job->why);
    } else if (job->brought[0]) {
        brought = true;
    }
    free(job);
    return why->count ? -1 : 0;
}

/* An engine from before the jail may still lack what it loads by itself: libZydis. What cannot be brought
 * is missed where it is needed. */
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
    if (threads_self() == THREAD_LISTENER)
        return load_on_worker(why);
    atomic_store_explicit(&loading, true, memory_order_relaxed);
    load_here(usual_path(), text, sizeof(text));
    return text[0] ? refuse(why, HP_ENGINE, "%s", text) : 0;
}

/* ---- the lock ---- */

void engine_lock(void)
{
    lock_acquire(&request_lock);
}

void engine_unlock(void)
{
    lock_release(&request_lock);
}

/* A request that waits for this very thread's safe point, or for a job that waits for a lock of
 * the host's, would wait for ever: hence the limits. */
int engine_lock_host(void)
{
    uint64_t until = clock_ms() + HOST_WAIT_MS;

    if (threads_self() != THREAD_HOST)
        return -EDEADLK;
    do {
        if (lock_try(&request_lock))
            return 0;
        if (safe_point_awaited())
            return -EBUSY;
        if (lock_acquire_until(&request_lock, clock_ms() + 10))
            return 0;
    } while (clock_ms() < until);
    return -EBUSY;
}

/* ---- fork ---- */

/* A commit takes microseconds, a section of arming 2 ms, unless its thread loses the processor. A host that
 * forks inside a dl_iterate_phdr(3) callback holds ld.so's list lock, which both wait for. */
#define COMMIT_LIMIT_MS 1000
#define LOOK_MS 4

static bool is_arming(void)
{
    return atomic_load_explicit(&entries_are_armed, memory_order_acquire);
}

static bool fork_takes_request(uint64_t until)
{
    bool taken = false;

    while (!taken && clock_ms() < until && !safe_point_awaited() && !is_arming()) {
        uint64_t slice = clock_ms() + LOOK_MS;

        taken = lock_acquire_until(&request_lock, slice < until ? slice : until);
    }
    return taken;
}

static bool is_mine(const _Atomic uintptr_t *holder)
{
    return atomic_load_explicit(holder, memory_order_relaxed) == sys_thread();
}

static void hold(_Atomic uintptr_t *holder)
{
    atomic_store_explicit(holder, sys_thread(), memory_order_relaxed);
}

static void let_go(_Atomic uintptr_t *holder, struct lock *lock)
{
    if (!is_mine(holder))
        return;
    atomic_store_explicit(holder, 0, memory_order_relaxed);
    lock_release(lock);
}

/* Return whether arming has ended since the request was given up for it: then it is the request that must
 * be waited for. */
static bool came_late(uint64_t until)
{
    return !is_arming() && !safe_point_awaited() && clock_ms() < until;
}

void engine_fork_prepare(uint64_t until)
{
    bool host = threads_self() == THREAD_HOST, request, commit;

    for (;;) {
        request = host && fork_takes_request(until);
        commit = lock_acquire_until(&commit_lock, clock_ms() + COMMIT_LIMIT_MS);
        if (request || !host || !commit || !came_late(until))
            break;
        lock_release(&commit_lock);
    }
    if (request)
        hold(&fork_holds_request);
    if (commit)
        hold(&fork_holds_commit);
}

void engine_fork_parent(void)
{
    heap_fork_parent();
    let_go(&fork_holds_commit, &commit_lock);
    let_go(&fork_holds_request, &request_lock);
}

bool engine_fork_torn(void)
{
    return !is_mine(&fork_holds_request);
}

bool engine_fork_held(void)
{
    return is_mine(&fork_holds_request) || is_mine(&fork_holds_commit);
}

void engine_copy_child(void)
{
    heap_fork_child();
    atomic_store_explicit(&fork_holds_request, 0, memory_order_relaxed);
    atomic_store_explicit(&fork_holds_commit, 0, memory_order_relaxed);
    lock_reset(&commit_lock);
    lock_reset(&request_lock);
}

void engine_fork_child(void)
{
    engine_copy_child();
    atomic_store_explicit(&entries_are_armed, false, memory_order_relaxed);
    atomic_store_explicit(&loading, false, memory_order_relaxed);
    if (engine_loaded())
        engine()->after_fork();
}
