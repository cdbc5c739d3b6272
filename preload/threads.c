/*
 * threads.c - see threads.h.
 *
 * Rules of the place: both threads block every signal but those that their own faults raise;
 * SIGCANCEL and SIGSETXID (32, 33) stay glibc's, or the host's setuid() would wait for ever. The
 * stacks are one mapping of ours, used again by a forked child: glibc's own would let the kernel
 * back the worker's 8 MiB with a huge page, and a process has only 80 kB to spare for us.
 */
#include "preload/threads.h"

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
#include "preload/doorbell.h"
#include "preload/filters.h"
#include "preload/heap.h"
#include "preload/listener.h"
#include "preload/log.h"
#include "preload/main_exit.h"
#include "preload/settings.h"

#define PAGE 4096ul
/* Small, for hosts with a limit of address space or of locked memory. Six times what the listener was seen to
 * use (40 kB, tables of 26,000 functions); the worker's is for constructors and hooks of patches. */
#define LISTENER_STACK (256ul << 10)
#define WORKER_STACK (1ul << 20)
#define LARGE_STACK (64ul << 20) /* for a host with megabytes of thread-local data */
#define EXEC_LIMIT_MS 250

enum { SLOT_WORKER, SLOT_LISTENER, SLOT_COUNT };

struct stack {
    void *base;
    size_t size;
};

static struct {
    _Atomic pid_t tid[SLOT_COUNT];
    _Atomic uintptr_t self[SLOT_COUNT]; /* sys_thread() of each; 0: none */
    pid_t process;                      /* whose threads they are */
    pid_t joined[SLOT_COUNT];           /* tid of the thread that ended last */
    pthread_t thread[SLOT_COUNT];
    _Atomic bool running[SLOT_COUNT]; /* made and not yet joined */
    _Atomic bool ended[SLOT_COUNT];   /* has left its function */
    struct stack stack[SLOT_COUNT];
    _Atomic uint32_t armed; /* futex: the listener has done what the constructor waits for */
    _Atomic bool stopping;
    _Atomic pid_t stand_in; /* host thread that does what the worker does; 0: none */
    _Atomic bool made;
    _Atomic bool poked; /* and the listener has not looked since */
    _Atomic bool leaving;
    int leave_status;
    _Atomic bool host_made_one;
    bool gave_up;             /* one of them could not be made */
    _Atomic bool gave_way;    /* to a thread or process of the host's */
    _Atomic uint32_t changes; /* futex: counts threads that have begun or ended */
} threads STATE;

enum thread_role threads_self(void)
{
    uintptr_t self = sys_thread();
    pid_t stand_in = atomic_load_explicit(&threads.stand_in, memory_order_relaxed);

    if (self == atomic_load_explicit(&threads.self[SLOT_LISTENER], memory_order_relaxed))
        return THREAD_LISTENER;
    if (self == atomic_load_explicit(&threads.self[SLOT_WORKER], memory_order_relaxed) ||
        (stand_in != 0 && stand_in == sys_gettid()))
        return THREAD_WORKER;
    return THREAD_HOST;
}

void threads_stand_in(bool begin)
{
    atomic_store_explicit(&threads.stand_in, begin ? sys_gettid() : 0, memory_order_release);
}

bool threads_have_stand_in(void)
{
    return atomic_load_explicit(&threads.stand_in, memory_order_acquire) != 0;
}

pid_t threads_listener(void)
{
    return atomic_load_explicit(&threads.tid[SLOT_LISTENER], memory_order_acquire);
}

pid_t threads_worker(void)
{
    return atomic_load_explicit(&threads.tid[SLOT_WORKER], memory_order_acquire);
}

bool threads_owned(pid_t tid)
{
    return tid == atomic_load_explicit(&threads.tid[SLOT_LISTENER], memory_order_relaxed) ||
           tid == atomic_load_explicit(&threads.tid[SLOT_WORKER], memory_order_relaxed);
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

/* Of the threads that end by exit(2) it is the last one whose status the process gets (Linux 5.19; before, the
 * main one's): all have the same. */
static void leave(int status)
{
    for (;;)
        sys_call3(SYS_exit, WEXITSTATUS(status), 0, 0);
}

/* The action is the default one, by which the main thread has ended. */
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
    worker_wake();
    leave(status);
    __builtin_unreachable();
}

void threads_leave_if_told(void)
{
    if (atomic_load_explicit(&threads.leaving, memory_order_acquire))
        leave(threads.leave_status);
}

void threads_listener_armed(void)
{
    atomic_store_explicit(&threads.armed, 1, memory_order_release);
    sys_futex_wake(&threads.armed, INT32_MAX);
}

static void tell_change(void)
{
    atomic_fetch_add_explicit(&threads.changes, 1, memory_order_release);
    sys_futex_wake(&threads.changes, INT32_MAX);
}

static void *run(int slot, void *(*function)(void *))
{
    sys_prctl(PR_SET_NAME, (unsigned long)"hotpatch", 0, 0);
    atomic_store_explicit(&threads.self[slot], sys_thread(), memory_order_relaxed);
    atomic_store_explicit(&threads.tid[slot], sys_gettid(), memory_order_release);
    tell_change();
    function(NULL);
    threads.joined[slot] = sys_gettid();
    atomic_store_explicit(&threads.self[slot], 0, memory_order_relaxed);
    atomic_store_explicit(&threads.tid[slot], 0, memory_order_relaxed);
    atomic_store_explicit(&threads.ended[slot], true, memory_order_release);
    tell_change();
    return NULL;
}

static void *run_listener(void *unused)
{
    (void)unused;
    return run(SLOT_LISTENER, listener_main);
}

static void *run_worker(void *unused)
{
    (void)unused;
    return run(SLOT_WORKER, worker_main);
}

/* Thread-local data of libraries lies on it too: ThreadSanitizer's are 800 kB, and where they have no room its
 * pthread_create(3) writes a warning to the host's standard error. */
static size_t with_local_data(size_t size)
{
    size_t least = threads_libc_least_stack();

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

/* AddressSanitizer's marks of an earlier thread's frames, a forked child's parent's too: its own pthread_create(3)
 * would remove them. */
static void remove_marks(const struct stack *stack)
{
#ifdef __SANITIZE_ADDRESS__
    __asan_unpoison_memory_region(stack->base, stack->size);
#else
    (void)stack;
#endif
}

static int create(int slot, void *(*function)(void *), size_t size)
{
    struct stack *stack = &threads.stack[slot];
    pthread_attr_t attributes;
    int result;

    if (threads.running[slot])
        return 0;
    if (!stack->base && !map_stack(stack, size))
        return ENOMEM;
    result = pthread_attr_init(&attributes);
    if (result != 0)
        return result;
    atomic_store_explicit(&threads.ended[slot], false, memory_order_relaxed);
    pthread_attr_setstack(&attributes, stack->base, stack->size);
    remove_marks(stack);
    result = threads_libc_create(&threads.thread[slot], &attributes, function, NULL);
    pthread_attr_destroy(&attributes);
    if (result == EINVAL && size < LARGE_STACK) {
        /* The host's thread-local data does not fit, pthread_create(3). */
        munmap((char *)stack->base - PAGE, stack->size + PAGE);
        stack->base = NULL;
        return create(slot, function, size * 4);
    }
    threads.running[slot] = result == 0;
    return result;
}

/* While another thread is inside execve(2) Linux makes none (EAGAIN, copy_fs() in kernel/fork.c).
 * A child of fork() that fails to execute one program of several on its PATH lives on. */
static int create_patiently(int slot, void *(*function)(void *), size_t size)
{
    uint64_t until = clock_ms() + EXEC_LIMIT_MS;
    _Atomic uint32_t never = 0;
    int result;

    while ((result = create(slot, function, size)) == EAGAIN) {
        struct timespec soon = clock_spec(clock_ms() + 2);

        if (clock_ms() >= until || threads_stopping())
            break;
        sys_futex_wait(&never, 0, &soon);
    }
    return result;
}

static int create_blocked(int slot, void *(*function)(void *), size_t size)
{
    const sys_sigset blocked = ~THREADS_OPEN_SIGNALS;
    sys_sigset old;
    int result;

    sys_sigprocmask(SIG_SETMASK, &blocked, &old);
    result = create_patiently(slot, function, size);
    sys_sigprocmask(SIG_SETMASK, &old, NULL);
    /* clone(2) answers EINVAL where the host's next child is to be the first of a pid namespace. */
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

/* The next ring tries again, and finds the worker ended. */
static bool give_up(void)
{
    atomic_store_explicit(&threads.made, false, memory_order_relaxed);
    atomic_store_explicit(&threads.stopping, true, memory_order_release);
    threads.gave_up = true;
    worker_wake();
    threads_listener_armed();
    return false;
}

/* Both on this thread: what libc allocates for the listener would give the worker an arena (64 MiB of address
 * space) before it has anything to load. */
static bool make(bool wait)
{
    bool listener_there;

    if (settings.listen == LISTEN_NEVER)
        return false;
    /* After a give_up() the worker may still be on its way out. */
    if (!join_ended() && threads.gave_up)
        return false;
    threads.gave_up = false;
    /* Either may not have ended when it was asked to. */
    listener_there = threads.running[SLOT_LISTENER];

    if (filters_refuse())
        return false;
    main_exit_watch();
    threads.process = sys_getpid();
    atomic_store_explicit(&threads.armed, 0, memory_order_relaxed);
    atomic_store_explicit(&threads.poked, false, memory_order_relaxed);
    atomic_store_explicit(&threads.made, true, memory_order_relaxed);
    atomic_store_explicit(&threads.stopping, false, memory_order_release);
    if (create_blocked(SLOT_WORKER, run_worker, WORKER_STACK) != 0 ||
        create_blocked(SLOT_LISTENER, run_listener, LISTENER_STACK) != 0)
        return give_up();
    if (wait && !listener_there)
        await_listener();
    return true;
}

/* libc's functions set the errno of the host's thread, which may be about to read it. */
static bool make_quietly(bool wait)
{
    int saved = errno;
    bool made = make(wait);

    errno = saved;
    return made;
}

bool threads_start(bool now)
{
    return make_quietly(now);
}

bool threads_begin(void)
{
    return make_quietly(false);
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
    /* A child of vfork() has the memory of its parent, and not its threads. */
    if (threads.process != sys_getpid() || !threads.running[SLOT_WORKER])
        return;
    await_listener();
}

bool threads_have_worker(void)
{
    return threads.running[SLOT_WORKER] &&
           !atomic_load_explicit(&threads.ended[SLOT_WORKER], memory_order_acquire);
}

void threads_await_worker(uint64_t until)
{
    struct timespec limit = clock_spec(until);

    for (;;) {
        uint32_t seen = atomic_load_explicit(&threads.changes, memory_order_acquire);

        /* A worker that has been told to end may have no number any more. */
        if (threads_worker() != 0 || threads_stopping())
            return;
        if (sys_futex_wait(&threads.changes, seen, &limit) == -ETIMEDOUT)
            return;
    }
}

/* glibc's SIGSETXID, with a code that its handler returns at, so that ppoll(2) ends and nothing else happens
 * (nptl_setxid.c). Not the doorbell: a listener that takes it from its own queue may take one
 * from the process's queue too, that has woken a thread of the host already. */
static bool send_poke(pid_t tid)
{
    siginfo_t info;

    memset(&info, 0, sizeof(info));
    info.si_signo = THREADS_POKE_SIGNAL;
    info.si_code = SI_QUEUE;
    info.si_pid = sys_getpid();
    return sys_call4(SYS_rt_tgsigqueueinfo, info.si_pid, tid, THREADS_POKE_SIGNAL, (long)&info) ==
           0;
}

bool listener_wake(void)
{
    pid_t tid = threads_listener();

    if (tid == 0)
        return false;
    /* One on its way is enough: they would pile up while the listener is busy. */
    if (atomic_exchange(&threads.poked, true) || send_poke(tid))
        return true;
    atomic_store(&threads.poked, false);
    return false;
}

bool listener_wake_seen(void)
{
    return atomic_exchange(&threads.poked, false);
}

static bool join_ended(void)
{
    bool all = true;

    for (int i = 0; i < SLOT_COUNT; i++) {
        if (threads.running[i] && atomic_load_explicit(&threads.ended[i], memory_order_acquire)) {
            pthread_join(threads.thread[i], NULL);
            threads.running[i] = false;
        }
        all = all && !threads.running[i];
    }
    return all;
}

/* pthread_join() returns a little before the kernel has taken the thread out of the process, and
 * until then it counts as a second thread. */
static void await_gone(uint64_t until)
{
    for (int i = 0; i < SLOT_COUNT; i++)
        while (threads.joined[i] && sys_tgkill(sys_getpid(), threads.joined[i], 0) == 0 &&
               clock_ms() < until)
            sched_yield();
}

bool threads_stop(uint64_t until)
{
    atomic_store_explicit(&threads.stopping, true, memory_order_release);
    listener_wake();
    worker_wake();
    for (;;) {
        uint32_t seen = atomic_load_explicit(&threads.changes, memory_order_acquire);
        struct timespec soon = clock_spec(clock_ms() + 50);

        if (join_ended()) {
            await_gone(until);
            return true;
        }
        if (clock_ms() >= until)
            return false;
        /* A listener without a FIFO is reached by a second poke at the latest. */
        if (sys_futex_wait(&threads.changes, seen, &soon) == -ETIMEDOUT)
            listener_wake();
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
    atomic_store_explicit(&threads.stand_in, 0, memory_order_relaxed);
    atomic_store_explicit(&threads.poked, false, memory_order_relaxed);
    atomic_store_explicit(&threads.host_made_one, false, memory_order_relaxed);
    for (int i = 0; i < SLOT_COUNT; i++) {
        atomic_store_explicit(&threads.self[i], 0, memory_order_relaxed);
        atomic_store_explicit(&threads.tid[i], 0, memory_order_relaxed);
        threads.running[i] = false;
    }
}
