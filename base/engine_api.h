/*
 * engine_api.h - the seam between the shim (libhotpatch_preload.so) and the
 * engine (libhotpatch_engine.so), both from one build; `abi` refuses a mixture.
 *
 * The shim dlopens the engine on the first request and looks up
 * `hotpatch_engine_v1`, a `struct engine_api`.  The engine never calls the shim
 * but through the `struct shim_services` that it is given.
 *
 * Threads: "listener" has a private descriptor table, "worker" the host's, "host"
 * is any thread of the program.
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
 * Work for the worker: patch code and the dynamic linker.  Embedded in a heap
 * object of the engine's.  Exactly one of these happens after worker_run():
 * returned 0: `run` has returned; -ETIMEDOUT: `run` has begun and not ended, and
 * `abandon` is called on the worker when it does (it owns the object then);
 * -EBUSY: an earlier job still runs (or no worker exists), `run` is never called.
 */
struct worker_job {
    void (*run)(struct worker_job *);
    void (*abandon)(struct worker_job *);
    const char *what; /* for the log and for HP-BUSY: "constructors of /x/fix.so" */
};

/* A slot made by hotpatch_register(). It is never freed, and the list only grows. */
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

/* What the shim does for the engine. All members are set. */
struct shim_services {
    uint32_t abi;
    /* `deadline` is CLOCK_MONOTONIC in ms; 0: 10 s from now. Listener, or a host
     * thread that holds the engine lock. On the worker itself: runs at once. */
    int (*worker_run)(struct worker_job *job, uint64_t deadline);
    /* The `what` of the job that runs now, copied into buffer; "" if idle. */
    void (*worker_doing)(char *buffer, size_t size);
    void (*log)(enum log_level level, const char *format, ...)
        __attribute__((format(printf, 2, 3)));
    /* The runtime directory as the listener has it: descriptor in the listener's
     * table (-1: none) and absolute path. Listener only. */
    int (*runtime_dir)(const char **path);
    /* The running program's file, opened at start; descriptor in the listener's table,
     * or -1. `path` gets what /proc/self/exe said at start. Listener only. */
    int (*program)(const char **path);
    /* Heads of lists that the shim's run-time API appends to (acquire loads). */
    struct registered_slot *(*registered)(void);
    struct change_handler *(*handlers)(void);
    /* Wait until `until` (CLOCK_MONOTONIC ms) for the host's next hotpatch_safe_point(), and run `commit` on the
     * listener while the host thread waits there. 0: committed, -ETIMEDOUT: no safe point came and none will. */
    int (*at_safe_point)(void (*commit)(void *), void *context, uint64_t until);
    /* Begin and end the commit section. fork() in any thread waits for its end. No patch code runs, no memory is
     * allocated and no file is read or written inside. */
    void (*commit_begin)(void);
    void (*commit_end)(void);
    /* State that entries are armed from now on, or no more. They are armed section by section, and the engine waits
     * for threads between the sections. fork() waits for one section at most, a few ms; a section may be half done
     * when after_fork() runs in the child. */
    void (*arming)(bool arming);
    pid_t (*pid)(void);       /* of this process, followed over fork */
    bool (*own_thread)(void); /* the caller is the listener or the worker; any thread, no libc */
    /* open(2), read-only. In a jail the command opens files of this process, in /proc, that are not there. */
    int (*open)(const char *path, int flags);
    /* In a jail, return a descriptor of the file that the command has under that name; "object ADDRESS" names the
     * file that is mapped there. `text` gets the name for dlopen(3) of a patch, or the reason of a refusal.
     * -ENOLINK: no jail, or no command. Listener. */
    int (*outside)(const char *what, char *text, size_t size);
    /* The shim's heap (preload/heap.h). Shim and engine may release what the other has allocated. */
    void *(*allocate)(size_t size);
    void *(*allocate_aligned)(size_t alignment, size_t size);
    void *(*resize)(void *memory, size_t size);
    void (*release)(void *memory);
    /* Return whether the reply to the request that is handled now has no reader any more. Listener. */
    bool (*abandoned)(void);
    /* Return whether the process had a library whose file name begins so before the engine was loaded. */
    bool (*was_there)(const char *name);
};

struct engine_api {
    uint32_t abi;
    /* Once, on whichever thread loaded the engine. Non-zero: the engine cannot work here
     * (`why` says it), and is not called again. */
    int (*start)(const struct shim_services *services, char *why, size_t why_size);
    /* Run one request, or all lines of one transaction without begin and commit, and call `put` once with the
     * result. Verbs: LOAD, REVERT, SLOTS, RELOAD. A doorbell is a RELOAD. Listener, or, for HOTPATCH_PATCH, the
     * thread that runs the constructor; holding the engine lock. */
    void (*handle)(const struct request *requests, size_t count, reported_result_fn *put,
                   void *context);
    /* Return what the status document says of slots and modules. Listener, holding the engine lock. */
    struct reported_status (*status)(void);
    /* Return when deferred() is due, CLOCK_MONOTONIC ms; 0: never. Listener, without the engine lock. */
    uint64_t (*deferred_at)(void);
    /* Do what is due. True: run `request` as if it had been sent; its strings are valid until the next call.
     * Listener, holding the engine lock. */
    bool (*deferred)(struct request *request);
    /* hotpatch_set / hotpatch_restore. Host thread, holding the engine lock.
     * 0, -ENOENT (no such slot), -EINVAL, -ENOMEM. function NULL: restore. */
    int (*set)(struct hotpatch_slot *slot, hotpatch_function function, void *context);
    /* hotpatch_lookup over every loaded object and the registered slots; NULL: none.
     * Host thread, holding the engine lock. */
    struct hotpatch_slot *(*lookup)(const char *name_space, const char *name);
    /* In the child after fork(), before it has other threads: drop the request that the parent worked on. */
    void (*after_fork)(void);
};

#endif
