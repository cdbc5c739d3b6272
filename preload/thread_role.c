/* thread_role.c - see thread_role.h. */
#include "preload/thread_role.h"

#include <stdatomic.h>
#include <stdint.h>

#include "base/state.h"

static struct {
    _Atomic pid_t tid[THREAD_HOST];
    _Atomic uintptr_t self[THREAD_HOST]; /* sys_thread() of listener and worker; 0: none */
    _Atomic pid_t stand_in;              /* host thread that runs the worker's jobs; 0: none */
} roles STATE;

static bool is_caller(enum thread_role role)
{
    return sys_thread() == atomic_load_explicit(&roles.self[role], memory_order_relaxed);
}

enum thread_role thread_role(void)
{
    pid_t stand_in = atomic_load_explicit(&roles.stand_in, memory_order_relaxed);

    if (is_caller(THREAD_LISTENER))
        return THREAD_LISTENER;
    if (is_caller(THREAD_WORKER) || (stand_in != 0 && stand_in == sys_gettid()))
        return THREAD_WORKER;
    return THREAD_HOST;
}

void thread_role_stand_in(bool begin)
{
    atomic_store_explicit(&roles.stand_in, begin ? sys_gettid() : 0, memory_order_release);
}

bool thread_role_has_stand_in(void)
{
    return atomic_load_explicit(&roles.stand_in, memory_order_acquire) != 0;
}

pid_t thread_role_listener(void)
{
    return atomic_load_explicit(&roles.tid[THREAD_LISTENER], memory_order_acquire);
}

pid_t thread_role_worker(void)
{
    return atomic_load_explicit(&roles.tid[THREAD_WORKER], memory_order_acquire);
}

bool thread_role_owned(pid_t tid)
{
    return tid == atomic_load_explicit(&roles.tid[THREAD_LISTENER], memory_order_relaxed) ||
           tid == atomic_load_explicit(&roles.tid[THREAD_WORKER], memory_order_relaxed);
}

void thread_role_begin(enum thread_role role)
{
    atomic_store_explicit(&roles.self[role], sys_thread(), memory_order_relaxed);
    atomic_store_explicit(&roles.tid[role], sys_gettid(), memory_order_release);
}

void thread_role_end(enum thread_role role)
{
    atomic_store_explicit(&roles.self[role], 0, memory_order_relaxed);
    atomic_store_explicit(&roles.tid[role], 0, memory_order_relaxed);
}

void thread_role_reset(void)
{
    atomic_store_explicit(&roles.stand_in, 0, memory_order_relaxed);
    thread_role_end(THREAD_LISTENER);
    thread_role_end(THREAD_WORKER);
}
