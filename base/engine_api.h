/*
 * engine_api.h - the interface between the shim (libhotpatch_preload.so) and the engine (libhotpatch_engine.so), both
 * of one build. `abi` refuses two different builds.
 *
 * The shim opens the engine with dlopen(3) at the first request and looks up `hotpatch_engine_v1`, a `struct
 * engine_api`. The engine calls the shim only through the `struct shim_services` that it is given.
 *
 * Threads: the listener has a private descriptor table, the worker shares the host's, and "host" is any thread of the
 * program.
 */
#ifndef HOTPATCH_ENGINE_API_H
#define HOTPATCH_ENGINE_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/reported.h"
#include "base/request.h"
#include "include/hotpatch.h"

#define ENGINE_ABI 4u

enum log_level { LOG_NONE, LOG_ERROR, LOG_INFO, LOG_DEBUG };

/*
 * Work for the worker: patch code and the dynamic linker. The struct is part of a heap object of the engine. Exactly
 * one of these happens after worker_run():
 *
 *   - 0 is returned: `run` has returned.
 *   - -ETIMEDOUT: `run` has begun and not ended. When it ends, `abandon` is called on the worker, which then owns
 *     the object.
 *   - -EBUSY: an earlier job still runs, or no worker exists. `run` is never called.
 */
struct worker_job {
    void (*run)(struct worker_job *);
    void (*abandon)(struct worker_job *);
    const char *what; /* for the log and for HP-BUSY: "constructors of /x/fix.so" */
};

/* A slot made by hotpatch_register(). It is never freed. The list only grows. */
struct registered_slot {
    struct hotpatch_slot slot;
    const char *name_space;
    struct registered_slot *next;
};

struct change_handler {
    void (*handler)(void *context);
    void *context;
    struct change_handler *next;
};

/* The shim's services for the engine. All members are set. */
struct shim_services {
    uint32_t abi;
    /* Run a job. `deadline`: CLOCK_MONOTONIC in ms; 0: 10 s from now. Listener, or a host thread that holds the
     * engine lock. On the worker itself the job runs at once. */
    int (*worker_run)(struct worker_job *job, uint64_t deadline);
    /* Copy the `what` of the present job into buffer; "": no job runs. */
    void (*worker_doing)(char *buffer, size_t size);
    void (*log)(enum log_level level, const char *format, ...)
        __attribute__((format(printf, 2, 3)));
    /* Return the listener's runtime directory: a descriptor in the listener's table (-1: none), and the absolute
     * path. Listener only. */
    int (*runtime_dir)(const char **path);
    /* Return the running program's file, opened at the start: a descriptor in the listener's table, or -1. `path`
     * gets the name in /proc/self/exe at the start. Listener only. */
    int (*program)(const char **path);
    /* Return the heads of the lists to which the shim's run-time API appends (acquire loads). */
    struct registered_slot *(*registered)(void);
    struct change_handler *(*handlers)(void);
    /* Wait until `until` (CLOCK_MONOTONIC ms) for the host's next hotpatch_safe_point(), and run `commit` on the
     * listener while the host thread waits there. 0: committed, -ETIMEDOUT: no safe point came and none will. */
    int (*at_safe_point)(void (*commit)(void *), void *context, uint64_t until);
    /* Begin and end the commit section. fork() in any thread waits for its end. No patch code runs, no memory is
     * allocated and no file is read or written inside. */
    void (*commit_begin)(void);
    void (*commit_end)(void);
    /* Report that entries are armed from now on, or no longer. Entries are armed section by section, and the engine
     * waits for threads between the sections. fork() waits for one section at most, a few ms. A section may be
     * incomplete when after_fork() runs in the child. */
    void (*arming)(bool arming);
    pid_t (*pid)(void);       /* pid of this process, also after fork */
    bool (*own_thread)(void); /* whether the caller is listener or worker; any thread, no libc */
    /* Do open(2), read-only. In a jail the command opens files of this process in /proc that the jail does not have. */
    int (*open)(const char *path, int flags);
    /* In a jail, return a descriptor of the file that the command has under this name; "object ADDRESS" names the
     * file that is mapped there. `text` gets the name of a patch for dlopen(3), or the reason of a refusal. -ENOLINK:
     * no jail, or no command. Listener. */
    int (*outside)(const char *what, char *text, size_t size);
    /* The shim's heap (preload/heap.h). Shim and engine may release what the other has allocated. */
    void *(*allocate)(size_t size);
    void *(*allocate_aligned)(size_t alignment, size_t size);
    void *(*resize)(void *memory, size_t size);
    void (*release)(void *memory);
    /* Return whether the reply to the present request has no reader any more. Listener. */
    bool (*abandoned)(void);
    /* Return whether the process had a library with a file name of this beginning before the engine was loaded. */
    bool (*was_there)(const char *name);
};

struct engine_api {
    uint32_t abi;
    /* Start the engine, once, on the thread that loaded it. Non-zero: the engine cannot work here (`why` has the
     * reason), and is not called again. */
    int (*start)(const struct shim_services *services, char *why, size_t why_size);
    /* Run one request, or all lines of one transaction without begin and commit, and call `put` once with the
     * result. Verbs: LOAD, REVERT, SLOTS, RELOAD. A doorbell is a RELOAD. Listener, or, for HOTPATCH_PATCH, the
     * thread that runs the constructor; holding the engine lock. */
    void (*handle)(const struct request *requests, size_t count, reported_result_fn *put,
                   void *context);
    /* Return the slots and modules for the status document. Listener, with the engine lock held. */
    struct reported_status (*status)(void);
    /* Return when deferred() is due, CLOCK_MONOTONIC ms; 0: never. Listener, without the engine lock. */
    uint64_t (*deferred_at)(void);
    /* Do the work that is due. If true is returned, run `request` as if it had been sent; its strings are valid until
     * the next call. Listener, with the engine lock held. */
    bool (*deferred)(struct request *request);
    /* Do hotpatch_set or hotpatch_restore. Host thread, with the engine lock held. Return 0, -ENOENT (no such slot),
     * -EINVAL, -ENOMEM. function NULL: restore. */
    int (*set)(struct hotpatch_slot *slot, hotpatch_function function, void *context);
    /* Do hotpatch_lookup over every loaded object and the registered slots; NULL: none. Host thread, with the engine
     * lock held. */
    struct hotpatch_slot *(*lookup)(const char *name_space, const char *name);
    /* In the child after fork(), before it has other threads: drop the parent's request. */
    void (*after_fork)(void);
};

#endif
