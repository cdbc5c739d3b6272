/*
 * threads.c - see threads.h.
 *
 * Rules of the place: both threads block every signal but those that their own faults raise. SIGCANCEL and SIGSETXID
 * (32, 33) stay open for glibc; otherwise the host's setuid() would wait for ever. The stacks are one mapping of the
 * shim, which a forked child uses again. With stacks of glibc the kernel could back the worker's 8 MiB with a huge
 * page; the shim may not cost a process more than 80 kB.
 */
#include "preload/threads.h"
#include "preload/thread_role.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

#include "base/clock.h"
#include "base/state.h"
#include "base/sys.h"
#include "base/sys_signal.h"
#include "base/sys_wait.h"
#include "preload/filters.h"
#include "preload/heap.h"
#include "preload/libc_thread.h"
#include "preload/log.h"
#include "preload/main_exit.h"
#include "preload/settings.h"
#include "preload/wake.h"

#define PAGE 4096ul
/* The listener's stack is small, for hosts with a limit of address space or of locked memory. It is six times the
 * largest measured use (40 kB, tables of 26,000 functions). The worker's is larger, for constructors and hooks of
 * patches. */
#define LISTENER_STACK (256ul << 10)
#define WORKER_STACK (1ul << 20)
#define LARGE_STACK (64ul << 20) /* for a host with megabytes of thread-local data */
#define EXEC_LIMIT_MS 250

enum { THREADS = THREAD_HOST }; /* the roles before it: worker and listener */

struct stack {
    void *base;
    size_t size;
};

static struct {
    thread_function *function[THREADS];
    pid_t process;         /* process that made the threads */
    pid_t joined[THREADS]; /* tid of the thread that ended last */
    pthread_t thread[THREADS];
    _Atomic bool running[THREADS]; /* made and not yet joined */
    _Atomic bool ended[THREADS];   /* has left its function */
    struct stack stack[THREADS];
    _Atomic uint32_t armed; /* the listener is ready; the constructor waits for this */
    _Atomic bool stopping;
    _Atomic bool made;
    _Atomic bool leaving;
    int leave_status;
    _Atomic bool host_made_one;
    bool gave_up;             /* one of the threads could not be made */
    _Atomic bool gave_way;    /* ended in favour of a thread or process of the host */
    _Atomic uint32_t changes; /* futex: counts threads that have begun or ended */
} threads STATE;

void threads_set_functions(thread_function *worker, thread_function *listener)
{
    threads.function[THREAD_WORKER] = worker;
    threads.function[THREAD_LISTENER] = listener;
}

bool threads_follow_caller(void)
{
    pid_t pid = sys_getpid();

    return pid == threads.process && pid == sys_gettid();
}

bool threads_stopping(void)
{
    return atomic_load_explicit(&threads.stopping, memory_order_acquire);
}

/* End the thread by exit(2). The process gets the status of the thread that ends last (Linux 5.19; before, the main
 * thread's). All threads have the same status. */
static void leave_process(int status)
{
    for (;;)
        sys_call3(SYS_exit, WEXITSTATUS(status), 0, 0);
}

/* End the process by `signal`. Its action is the default one, which has ended the main thread. */
static void end_by_signal(int signal)
{
    const struct sys_sigaction by_default = {.handler = (uintptr_t)SIG_DFL};
    const sys_sigset set = SYS_SIGBIT(signal);

    sys_sigaction(signal, &by_default, NULL);
    sys_sigprocmask(SIG_UNBLOCK, &set, NULL);
    sys_tgkill(sys_getpid(), sys_gettid(), signal);
}

void threads_leave(int status)
{
    if (WIFSIGNALED(status))
        end_by_signal(WTERMSIG(status));
    threads.leave_status = status;
    atomic_store_explicit(&threads.leaving, true, memory_order_release);
    wake_worker();
    leave_process(status);
    __builtin_unreachable();
}

void threads_leave_if_told(void)
{
    if (atomic_load_explicit(&threads.leaving, memory_order_acquire))
        leave_process(threads.leave_status);
}

void threads_listener_armed(void)
{
    atomic_store_explicit(&threads.armed, 1, memory_order_release);
    sys_futex_wake(&threads.armed, INT32_MAX);
}

static void announce_change(void)
{
    atomic_fetch_add_explicit(&threads.changes, 1, memory_order_release);
    sys_futex_wake(&threads.changes, INT32_MAX);
}

static void run_role(enum thread_role role)
{
    sys_prctl(PR_SET_NAME, (unsigned long)"hotpatch", 0, 0);
    thread_role_begin(role);
    announce_change();
    threads.function[role]();
    threads.joined[role] = sys_gettid();
    thread_role_end(role);
    atomic_store_explicit(&threads.ended[role], true, memory_order_release);
    announce_change();
}

static void *run_listener(void *unused)
{
    (void)unused;
    run_role(THREAD_LISTENER);
    return NULL;
}

static void *run_worker(void *unused)
{
    (void)unused;
    run_role(THREAD_WORKER);
    return NULL;
}

/* Return the stack size with thread-local data of libraries added: it lies on the stack. ThreadSanitizer's takes 800
 * kB; where it does not fit, ThreadSanitizer's pthread_create(3) writes a warning to the host's standard error. */
static size_t with_local_data(size_t size)
{
    size_t least = libc_thread_least_stack();

    return least > size / 2 ? (size + least + PAGE - 1) & ~(PAGE - 1) : size;
}

static bool map_stack(struct stack *stack, size_t least)
{
    size_t size = with_local_data(least);
    char *base = heap_map(size);

    if (!base)
        return false;
    mprotect(base, PAGE, PROT_NONE); /* the guard */
    madvise(base, size, MADV_NOHUGEPAGE);
    stack->base = base + PAGE;
    stack->size = size - PAGE;
    return true;
}

/* Remove AddressSanitizer's marks of frames of an earlier thread, also of a forked child's parent. AddressSanitizer's
 * own pthread_create(3) would remove them. */
static void remove_marks(const struct stack *stack)
{
#ifdef __SANITIZE_ADDRESS__
    __asan_unpoison_memory_region(stack->base, stack->size);
#else
    (void)stack;
#endif
}

static int create(enum thread_role role, void *(*function)(void *), size_t size)
{
    struct stack *stack = &threads.stack[role];
    pthread_attr_t attributes;
    int result;

    if (threads.running[role])
        return 0;
    if (!stack->base && !map_stack(stack, size))
        return ENOMEM;
    result = pthread_attr_init(&attributes);
    if (result != 0)
        return result;
    atomic_store_explicit(&threads.ended[role], false, memory_order_relaxed);
    pthread_attr_setstack(&attributes, stack->base, stack->size);
    remove_marks(stack);
    result = libc_thread_create(&threads.thread[role], &attributes, function, NULL);
    pthread_attr_destroy(&attributes);
    if (result == EINVAL && size < LARGE_STACK) {
        /* The host's thread-local data does not fit, pthread_create(3). */
        munmap((char *)stack->base - PAGE, stack->size + PAGE);
        stack->base = NULL;
        return create(role, function, size * 4);
    }
    threads.running[role] = result == 0;
    return result;
}

/* Make the thread; try again for EXEC_LIMIT_MS. While another thread is inside execve(2), Linux makes no thread
 * (EAGAIN, copy_fs() in kernel/fork.c). A child of fork() that fails to execute one program of several on its PATH
 * lives on. */
static int create_patiently(enum thread_role role, void *(*function)(void *), size_t size)
{
    uint64_t until = clock_ms() + EXEC_LIMIT_MS;
    _Atomic uint32_t never = 0;
    int result;

    while ((result = create(role, function, size)) == EAGAIN) {
        struct timespec soon = clock_spec(clock_ms() + 2);

        if (clock_ms() >= until || threads_stopping())
            break;
        sys_futex_wait(&never, 0, &soon);
    }
    return result;
}

static int create_blocked(enum thread_role role, void *(*function)(void *), size_t size)
{
    const sys_sigset blocked = ~THREAD_OPEN_SIGNALS;
    sys_sigset old;
    int result;

    sys_sigprocmask(SIG_SETMASK, &blocked, &old);
    result = create_patiently(role, function, size);
    sys_sigprocmask(SIG_SETMASK, &old, NULL);
    /* clone(2) returns EINVAL if the host's next child is to be the first of a pid namespace. */
    if (result != 0)
        log_write(filters_at_start() || result == EINVAL ? LOG_INFO : LOG_ERROR,
                  "a thread could not be made: %s", sys_error(result));
    return result;
}

static void await_listener(void)
{
    while (!atomic_load_explicit(&threads.armed, memory_order_acquire))
        sys_futex_wait(&threads.armed, 0, NULL);
}

static bool join_ended(void);

/* End the worker. The next ring tries again, after the worker has ended. */
static void give_up_making(void)
{
    atomic_store_explicit(&threads.made, false, memory_order_relaxed);
    atomic_store_explicit(&threads.stopping, true, memory_order_release);
    threads.gave_up = true;
    wake_worker();
    threads_listener_armed();
}

/* Make both threads on the calling thread. If the worker made the listener, libc's allocations for it would give the
 * worker an arena (64 MiB of address space) before the first patch is loaded. */
static void make_both(bool wait)
{
    bool listener_there;

    if (settings.listen == LISTEN_NEVER)
        return;
    /* After give_up_making() the worker may not have ended yet. */
    if (!join_ended() && threads.gave_up)
        return;
    threads.gave_up = false;
    /* A thread may not have ended although threads_stop() told it to end. */
    listener_there = threads.running[THREAD_LISTENER];

    if (filters_refuse())
        return;
    main_exit_watch();
    threads.process = sys_getpid();
    atomic_store_explicit(&threads.armed, 0, memory_order_relaxed);
    wake_reset();
    atomic_store_explicit(&threads.made, true, memory_order_relaxed);
    atomic_store_explicit(&threads.stopping, false, memory_order_release);
    if (create_blocked(THREAD_WORKER, run_worker, WORKER_STACK) != 0 ||
        create_blocked(THREAD_LISTENER, run_listener, LISTENER_STACK) != 0)
        give_up_making();
    else if (wait && !listener_there)
        await_listener();
}

/* Keep errno: libc's functions set the errno of the host's thread, which may be about to read it. */
void threads_start(bool now)
{
    int saved = errno;

    make_both(now);
    errno = saved;
}

void threads_note_host_thread(void)
{
    if (!atomic_load_explicit(&threads.host_made_one, memory_order_relaxed))
        atomic_store_explicit(&threads.host_made_one, true, memory_order_relaxed);
}

bool threads_host_has_made_one(void)
{
    return atomic_load_explicit(&threads.host_made_one, memory_order_relaxed);
}

bool threads_made(void)
{
    return atomic_load_explicit(&threads.made, memory_order_relaxed);
}

void threads_hurry(void)
{
    /* A child of vfork() has its parent's memory, but not its parent's threads. */
    if (threads.process != sys_getpid() || !threads.running[THREAD_WORKER])
        return;
    await_listener();
}

bool threads_have_worker(void)
{
    return threads.running[THREAD_WORKER] &&
           !atomic_load_explicit(&threads.ended[THREAD_WORKER], memory_order_acquire);
}

void threads_await_worker(uint64_t until)
{
    struct timespec limit = clock_spec(until);

    for (;;) {
        uint32_t seen = atomic_load_explicit(&threads.changes, memory_order_acquire);

        /* A worker that has been told to end may have no tid any more. */
        if (thread_role_worker() != 0 || threads_stopping())
            return;
        if (sys_futex_wait(&threads.changes, seen, &limit) == -ETIMEDOUT)
            return;
    }
}

static bool join_ended(void)
{
    bool all = true;

    for (int i = 0; i < THREADS; i++) {
        if (threads.running[i] && atomic_load_explicit(&threads.ended[i], memory_order_acquire)) {
            pthread_join(threads.thread[i], NULL);
            threads.running[i] = false;
        }
        all = all && !threads.running[i];
    }
    return all;
}

/* Wait until the kernel has removed the thread from the process. pthread_join() returns a little earlier, and the
 * thread still counts as a second thread then. */
static void await_gone(uint64_t until)
{
    for (int i = 0; i < THREADS; i++)
        while (threads.joined[i] && sys_tgkill(sys_getpid(), threads.joined[i], 0) == 0 &&
               clock_ms() < until)
            sched_yield();
}

bool threads_stop(uint64_t until)
{
    atomic_store_explicit(&threads.stopping, true, memory_order_release);
    wake_listener();
    wake_worker();
    for (;;) {
        uint32_t seen = atomic_load_explicit(&threads.changes, memory_order_acquire);
        struct timespec soon = clock_spec(clock_ms() + 50);

        if (join_ended()) {
            await_gone(until);
            return true;
        }
        if (clock_ms() >= until)
            return false;
        /* A listener without a FIFO gets a second signal at the latest. */
        if (sys_futex_wait(&threads.changes, seen, &soon) == -ETIMEDOUT)
            wake_listener();
    }
}

bool threads_here(void)
{
    return threads.process == sys_getpid();
}

bool threads_give_way(uint64_t until)
{
    if (!threads_stop(until))
        return false;
    atomic_store_explicit(&threads.gave_way, true, memory_order_relaxed);
    atomic_store_explicit(&threads.made, false, memory_order_relaxed);
    return true;
}

bool threads_gave_way(void)
{
    return atomic_load_explicit(&threads.gave_way, memory_order_relaxed);
}

void threads_reset(void)
{
    threads.gave_up = false;
    atomic_store_explicit(&threads.made, false, memory_order_relaxed);
    atomic_store_explicit(&threads.host_made_one, false, memory_order_relaxed);
    for (int i = 0; i < THREADS; i++)
        threads.running[i] = false;
}
