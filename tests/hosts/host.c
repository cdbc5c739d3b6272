/*
 * host.c - the test host that declares slots of every kind and does everything that section 10 of the design lists.
 * Also valid C++17.
 */
#include <hotpatch.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#ifndef HOST_STATIC
#include <dlfcn.h>
#endif

#include "loop.h"

struct counter {
    int value;
};

struct box {
    double width, height;
    char label[24];
};

HOTPATCH_FUNCTION(int, answer, (void))
{
    return 1;
}

HOTPATCH_FUNCTION(int, second, (void))
{
    return 10;
}

HOTPATCH_FUNCTION(int, counter_add, (struct counter * c, int n))
{
    return c->value += n;
}

HOTPATCH_FUNCTION(int, sum, (int count, ...))
{
    va_list arguments;
    int total = 0;
    va_start(arguments, count);
    while (count-- > 0)
        total += va_arg(arguments, int);
    va_end(arguments);
    return total;
}

HOTPATCH_FUNCTION(struct box, grow, (struct box b, double by))
{
    b.width += by;
    b.height += by;
    return b;
}

HOTPATCH_FUNCTION(double, mean, (float a, double b, long double c))
{
    return ((double)a + b + (double)c) / 3;
}

HOTPATCH_FUNCTION(long, many,
                  (int a, int b, int c, int d, int e, int f, int g, int h, int i, int j, double k,
                   double l, double m, double n, double o, double p, double q, double r, double s,
                   double t))
{
    return a + b + c + d + e + f + g + h + i + j + (long)(k + l + m + n + o + p + q + r + s + t);
}

HOTPATCH_DATA(const char *, greeting, "hello");

HOTPATCH_REQUIRE(int, extra, (int));

static int32_t untyped_fallback(void *state, const void *input, void *output)
{
    *(int32_t *)output = *(int32_t *)state + *(const int32_t *)input;
    return 0;
}

HOTPATCH_SLOT_FN("counter.untyped", untyped_fallback);

typedef int (*answer_function)(void);

static struct counter counter;
static answer_function volatile answer_pointer = answer;
static int changes;
static int running; /* this and the next two: atomic */
static long wrong, calls;

static int registered_fallback(void)
{
    return 5;
}

static int set_replacement(void)
{
    return 77;
}

static void on_change(void *context)
{
    __atomic_fetch_add((int *)context, 1, __ATOMIC_RELAXED);
}

/* Call the slots without end. Each answer must be an answer of the fallback or of the patches answer2 to answer9. */
static void *caller(void *unused)
{
    (void)unused;
    while (__atomic_load_n(&running, __ATOMIC_RELAXED)) {
        int got = answer();
        if (got < 1 || got > 9)
            __atomic_store_n(&wrong, got, __ATOMIC_RELAXED);
        __atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED);
    }
    return NULL;
}

static void *loop_thread(void *unused)
{
    (void)unused;
    exit(loop());
}

static void start_threads(int count)
{
    __atomic_store_n(&running, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < count; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, caller, NULL) != 0)
            _exit(9);
        pthread_detach(thread);
    }
}

static void become_child(void)
{
    pid_t pid = fork();
    if (pid > 0) {
        int status;
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
        _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 99);
    }
    say("pid %d", (int)getpid());
}

/* Become a daemon as daemon(7) describes for old daemons, and keep the three descriptors that the test uses. */
static void daemonize(void)
{
    if (fork() > 0)
        _exit(0);
    setsid();
    if (fork() > 0)
        _exit(0);
    for (int fd = 3; fd < 1024; fd++)
        close(fd);
    if (chdir("/") != 0)
        _exit(9);
    say("pid %d", (int)getpid());
}

static void next_descriptor(void)
{
    int fd = open("/dev/null", O_RDONLY);
    say("%d", fd);
    close(fd);
}

static void close_all(void)
{
    for (int fd = 3; fd < 1024; fd++)
        close(fd);
    next_descriptor();
}

static void block_signals(void)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    say("blocked");
}

static void own_handler(int number)
{
    counter.value += number;
}

static void take_signal(int number)
{
    struct sigaction action;
    memset(&action, 0, sizeof(action));
    action.sa_handler = own_handler;
    say("%d", sigaction(number, &action, NULL));
}

static void become_user(int uid)
{
    int failed = setgroups(0, NULL) | setgid((gid_t)uid) | setuid((uid_t)uid);
    say("%s", failed ? strerror(errno) : "uid");
}

#ifndef HOST_STATIC
static void open_object(char *path)
{
    void *handle = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
    say("%s", handle ? "opened" : dlerror());
}

static void call_symbol(char *name)
{
    void *symbol = dlsym(RTLD_DEFAULT, name);
    int (*function)(void);
    memcpy(&function, &symbol, sizeof(function));
    say("%d", function ? function() : -1);
}
#endif

static void box(void)
{
    struct box b = {1, 2, "box"};
    b = grow(b, 1);
    say("%g %g %s", b.width, b.height, b.label);
}

static void call_untyped(const char *name, int input)
{
    int32_t state = 100, in = input, out = 0;
    int32_t result = hotpatch_call(name, &state, &in, &out);
    say("%d %d", (int)result, (int)out);
}

static void run_time_api(const char *word, const char *rest)
{
    struct hotpatch_slot *slot = hotpatch_lookup(NULL, *rest ? rest : "answer");
    if (strcmp(word, "lookup") == 0)
        say("%s", slot ? slot->name : "none");
    else if (strcmp(word, "version") == 0)
        say("%u", slot ? (unsigned)hotpatch_version(slot) : 0);
    else if (strcmp(word, "set") == 0)
        say("%d", hotpatch_set(slot, (hotpatch_function)set_replacement, NULL));
    else if (strcmp(word, "restore") == 0)
        say("%d", hotpatch_restore(slot));
    else
        say("?");
}

static void call_registered(void)
{
    static struct hotpatch_slot *slot;
    int failed = slot ? 0
                      : hotpatch_register("runtime", "made", "int (void)",
                                          (hotpatch_function)registered_fallback, &slot);
    say("%d", failed ? failed : ((answer_function)hotpatch_target(slot))());
}

/* Register a slot with a fallback and call it by name, as hotpatch-rs does. */
static void register_untyped(const char *name)
{
    struct hotpatch_slot *slot;
    say("%d", hotpatch_register("runtime", name, HOTPATCH_UNTYPED_SIGNATURE,
                                (hotpatch_function)untyped_fallback, &slot));
}

/* Register the same type in another spelling. */
static void register_respelled(const char *name)
{
    struct hotpatch_slot *slot;
    say("%d", hotpatch_register(NULL, name, "int32_t(void*, void const*, void*)",
                                (hotpatch_function)untyped_fallback, &slot));
}

static void call_respelled(const char *name)
{
    int32_t state = 100, in = 5, out = 0;
    struct hotpatch_slot *slot = hotpatch_lookup(NULL, name);
    int32_t result = ((hotpatch_untyped_function)hotpatch_target(slot))(&state, &in, &out);
    say("%d %d", (int)result, (int)out);
}

static int ask_registered(const char *word, const char *rest)
{
    if (strcmp(word, "registered") == 0)
        call_registered();
    else if (strcmp(word, "register-untyped") == 0)
        register_untyped(rest);
    else if (strcmp(word, "register-respelled") == 0)
        register_respelled(rest);
    else if (strcmp(word, "respelled") == 0)
        call_respelled(rest);
    else
        return 0;
    return 1;
}

static int ask_functions(const char *word, char *rest)
{
    if (strcmp(word, "answer") == 0)
        say("%d", answer());
    else if (strcmp(word, "second") == 0)
        say("%d", second());
    else if (strcmp(word, "pointer") == 0)
        say("%d", answer_pointer());
    else if (strcmp(word, "add") == 0)
        say("%d", counter_add(&counter, atoi(rest)));
    else if (strcmp(word, "sum") == 0)
        say("%d", sum(4, 1, 2, 3, 4));
    else if (strcmp(word, "box") == 0)
        box();
    else if (strcmp(word, "mean") == 0)
        say("%g", mean(1, 2, 6));
    else if (strcmp(word, "many") == 0)
        say("%ld", many(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
    else if (strcmp(word, "greeting") == 0)
        say("%s", HOTPATCH_GET(greeting));
    else if (strcmp(word, "extra") == 0)
        say("%d %d", HOTPATCH_BOUND(extra) ? 1 : 0, extra(3));
    else if (strcmp(word, "untyped") == 0)
        call_untyped("counter.untyped", atoi(rest));
    else if (strcmp(word, "untyped-made") == 0)
        call_untyped(rest, 5);
    else
        return 0;
    return 1;
}

static int live_through(const char *word, char *rest)
{
    if (strcmp(word, "fork") == 0)
        become_child();
    else if (strcmp(word, "daemonize") == 0)
        daemonize();
    else if (strcmp(word, "close-all") == 0)
        close_all();
    else if (strcmp(word, "next-descriptor") == 0)
        next_descriptor();
    else if (strcmp(word, "block-signals") == 0)
        block_signals();
    else if (strcmp(word, "take-signal") == 0)
        take_signal(atoi(rest));
    else if (strcmp(word, "chroot") == 0)
        say("%s", chroot(rest) == 0 && chdir("/") == 0 ? "chroot" : strerror(errno));
    else if (strcmp(word, "setuid") == 0)
        become_user(atoi(rest));
    else if (strcmp(word, "unshare") == 0)
        say("%s", unshare(CLONE_NEWUSER) == 0 ? "unshared" : strerror(errno));
    else if (strcmp(word, "clear-environment") == 0)
        say("%d", clearenv());
    else if (strcmp(word, "no-new-privs") == 0)
        say("%d", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    else if (strcmp(word, "exit-main") == 0) {
        pthread_t thread;
        pthread_create(&thread, NULL, loop_thread, NULL);
        pthread_exit(NULL);
    } else
        return 0;
    return 1;
}

static void command(const char *word, char *rest)
{
    if (ask_functions(word, rest) || ask_registered(word, rest) || live_through(word, rest))
        return;
    if (strcmp(word, "threads") == 0) {
        start_threads(atoi(rest));
        say("started");
    } else if (strcmp(word, "stop-threads") == 0) {
        __atomic_store_n(&running, 0, __ATOMIC_RELAXED);
        say("wrong %ld", __atomic_load_n(&wrong, __ATOMIC_RELAXED));
    } else if (strcmp(word, "calls") == 0)
        say("%s", __atomic_load_n(&calls, __ATOMIC_RELAXED) > 0 ? "some" : "none");
    else if (strcmp(word, "safe-point") == 0) {
        hotpatch_safe_point();
        say("passed");
    } else if (strcmp(word, "pass-safe-points") == 0) {
        int got;
        while ((got = answer()) == 1)
            hotpatch_safe_point();
        say("%d", got);
    } else if (strcmp(word, "watch-changes") == 0)
        say("%d", hotpatch_on_change(on_change, &changes));
    else if (strcmp(word, "changes") == 0)
        say("%d", __atomic_load_n(&changes, __ATOMIC_RELAXED));
#ifndef HOST_STATIC
    else if (strcmp(word, "open") == 0)
        open_object(rest);
    else if (strcmp(word, "call") == 0)
        call_symbol(rest);
#endif
    else
        run_time_api(word, rest);
}

int main(void)
{
    if (getenv("HOST_LOOKS_UP_FIRST"))
        hotpatch_lookup(NULL, "answer");
    return loop();
}
