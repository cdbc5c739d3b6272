/*
 * entries.c - a test host without hotpatch declarations. It has functions of many shapes, called in many ways. The
 * functions can be patched only at their entries.
 */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loop.h"
#include "parts/entries_arguments.h"
#include "parts/entries_hooker.h"
#include "parts/entries_shapes.h"
#include "parts/entries_twin.h"
#include "parts/forbid_mprotect.h"
#include "parts/ring_workers.h"

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#endif

int exported_answer(void);
int exported_alias(void);
int weak_answer(void);

typedef int answer_function(void);
typedef int shape_function(); /* a function without parameters, or with one number */

/* ---- functions of the compiler's shapes ---- */

static OPAQUE int answer(void)
{
    return 1;
}

static OPAQUE int second(void)
{
    return 10;
}

OPAQUE int exported_answer(void)
{
    return 1;
}

int exported_alias(void) __attribute__((alias("exported_answer")));

__attribute__((weak)) OPAQUE int weak_answer(void)
{
    return 1;
}

static OPAQUE int twin(void)
{
    return 10;
}

static OPAQUE int sum_to(int n)
{
    return n > 0 ? n + sum_to(n - 1) : 0;
}

__attribute__((patchable_function_entry(5), aligned(16))) static OPAQUE int padded(void)
{
    return 1;
}

static jmp_buf way_out;
static volatile int level;

static OPAQUE int leave(int value)
{
    level++;
    if (value > 0)
        longjmp(way_out, value);
    return 0;
}

static OPAQUE int escape(int value)
{
    int how = setjmp(way_out);

    return how ? how : leave(value);
}

#include "parts/entries_threads.h"

#include "parts/copies.h"
#include "parts/signal_habits.h"

/* ---- what programs do to their own signals and code ---- */

static volatile sig_atomic_t traps;

static void on_trap(int number)
{
    (void)number;
    traps++;
}

static const char *take_sigtrap(void)
{
    struct sigaction action;

    memset(&action, 0, sizeof(action));
    action.sa_handler = on_trap;
    return sigaction(SIGTRAP, &action, NULL) == 0 ? "taken" : strerror(errno);
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

static void daemonize(void)
{
    if (fork() > 0)
        _exit(0);
    setsid();
    if (fork() > 0)
        _exit(0);
    for (int fd = 3; fd < 1024; fd++)
        close(fd);
    say("pid %d", (int)getpid());
}

static int live_through(const char *word, const char *rest)
{
    if (strcmp(word, "fork") == 0)
        become_child();
    else if (strcmp(word, "daemonize") == 0)
        daemonize();
    else if (strcmp(word, "take-sigtrap") == 0)
        say("%s", take_sigtrap());
    else if (strcmp(word, "trap") == 0) {
        __asm__ volatile("int3");
        say("%d", (int)traps);
    } else if (strcmp(word, "mdwe") == 0)
        say("%s", prctl(PR_SET_MDWE, 1, 0, 0, 0) == 0 ? "set" : strerror(errno));
    else if (strcmp(word, "forbid-mprotect") == 0)
        say("%s", forbid_mprotect(0));
    else if (strcmp(word, "forbid-exec") == 0)
        say("%s", forbid_mprotect(1));
    else if (strcmp(word, "ring-workers") == 0) {
        const char *problem = start_ring_workers(atoi(rest));

        say("%s", problem ? problem : "started");
    } else if (strcmp(word, "threads") == 0)
        start_threads(caller, atoi(rest), NOTHING, 0);
    else if (strcmp(word, "forkers") == 0)
        start_threads(forker, atoi(rest), NOTHING, 0);
    else if (strcmp(word, "maskers") == 0)
        start_threads(masker, atoi(rest), NOTHING, 0);
    else if (strcmp(word, "handlers") == 0)
        start_threads(handler, 1, NOTHING, 0);
    else if (strcmp(word, "resetters") == 0)
        start_threads(resetter, 1, NOTHING, 0);
    else if (strcmp(word, "vforkers") == 0)
        start_threads(vforker, 1, NOTHING, 0);
    else if (strcmp(word, "copiers") == 0)
        start_threads(copier, atoi(rest), NOTHING, 0);
    else if (strcmp(word, "raw-calls") == 0)
        say("%s", raw_calls());
    else if (strcmp(word, "breeders") == 0)
        start_threads(breeder, atoi(rest), NOTHING, 0);
    else if (strcmp(word, "spawners") == 0)
        start_threads(spawner, atoi(rest), NOTHING, 0);
    else if (strcmp(word, "forkers-without-signals") == 0)
        start_threads(forker, atoi(rest), EVERYTHING, 0);
    else if (strcmp(word, "threads-without-sigtrap") == 0)
        start_threads(caller, atoi(rest), SIGTRAP, 1);
    else if (strcmp(word, "threads-without-signals") == 0)
        start_threads(caller, atoi(rest), EVERYTHING, 1);
    else if (strcmp(word, "spinners-without-signals") == 0)
        start_threads(caller, atoi(rest), EVERYTHING, 0);
    else if (strcmp(word, "sleepers-without-signals") == 0)
        start_threads(sleeper, atoi(rest), EVERYTHING, 1);
    else if (strcmp(word, "brief-spinner-without-signals") == 0)
        start_brief_spinner(atoi(rest));
    else if (strcmp(word, "fork-rounds") == 0)
        fork_rounds(atoi(rest));
    else if (strcmp(word, "stop-threads") == 0)
        stop_threads();
    else if (strcmp(word, "hook-near") == 0)
        say("%s", hook_in(HOOK_NEAR, *rest ? hooked_wide : hooked));
    else if (strcmp(word, "hook-far") == 0)
        say("%s", hook_in(HOOK_FAR, *rest ? hooked_wide : hooked));
    else if (strcmp(word, "unhook") == 0)
        say("%s", hook_out());
    else
        return 0;
    return 1;
}

/* ---- libraries ---- */

static void *library;

static void call_in_library(const char *name)
{
    answer_function *function = NULL;

    if (library)
        *(void **)&function = dlsym(library, name);
    say("%d", function ? function() : -1);
}

/* Call "NAME" or "NAME VERSION" of libc, with zeros as arguments. */
static void call_in_libc(char *name)
{
    int (*function)(int, int, int) = NULL;
    char *version = split(name);

    *(void **)&function = *version ? dlvsym(RTLD_NEXT, name, version) : dlsym(RTLD_NEXT, name);
    say("%d", function ? function(0, 0, 0) : -2);
}

static void *(*volatile copy)(void *, const void *, size_t) = memcpy;

static void copy_text(const char *text)
{
    char copied[64] = "";

    copy(copied, text, strlen(text) % sizeof(copied));
    say("%s", copied);
}

/* Open a library, call its functions and close it, without end. */
static void *churner(void *path)
{
    while (__atomic_load_n(&running, __ATOMIC_RELAXED)) {
        void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        answer_function *function = NULL;
        int got;

        if (handle)
            *(void **)&function = dlsym(handle, "in_library");
        got = function ? function() : -1;
        if (got != 40 && got != 2)
            __atomic_store_n(&wrong, got ? got : -1, __ATOMIC_RELAXED);
        if (handle)
            dlclose(handle);
        __atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED);
    }
    return NULL;
}

static void churn(const char *path)
{
    static char kept[512];

    snprintf(kept, sizeof(kept), "%s", path);
    __atomic_store_n(&running, 1, __ATOMIC_RELAXED);
    if (pthread_create(&threads[thread_count++], NULL, churner, kept) != 0)
        _exit(9);
    say("started");
}

static int ask_library(const char *word, char *rest)
{
    if (strcmp(word, "dlopen") == 0) {
        library = dlopen(rest, RTLD_NOW | RTLD_LOCAL);
        say("%s", library ? "opened" : dlerror());
    } else if (strcmp(word, "dlclose") == 0)
        say("%s", library && dlclose(library) == 0 ? "closed" : "not open");
    else if (strcmp(word, "call") == 0)
        call_in_library(rest);
    else if (strcmp(word, "churn") == 0)
        churn(rest);
    else if (strcmp(word, "libc") == 0)
        call_in_libc(rest);
    else if (strcmp(word, "copy") == 0)
        copy_text(rest);
    else
        return 0;
    return 1;
}

/* ---- questions ---- */

static answer_function *volatile pointer = answer;

static const struct {
    const char *name;
    shape_function *function;
} shapes[] = {{"straddles_word", straddles_word},
              {"straddles_line", straddles_line},
              {"straddles_page", straddles_page},
              {"jumps_back", jumps_back},
              {"jumps_back_early", jumps_back_early},
              {"short_three", short_three},
              {"jumped_into", jumped_into},
              {"jumps_into", jumps_into},
              {"jumped_into_early", jumped_into_early},
              {"jumps_into_early", jumps_into_early},
              {"reads_near", reads_near},
              {"branches", branches},
              {"padded", padded},
              {"calls_first", calls_first},
              {"too_short", too_short},
              {"short_one", short_one},
              {"crowded_one", crowded_one},
              {"crowded_two", crowded_two},
              {"short_four", short_four},
              {"answer", answer},
              {"exported_answer", exported_answer},
              {"second", second},
              {"hooked", hooked},
              {"hooked_wide", hooked_wide},
              {"getppid", (shape_function *)getppid}};

static shape_function *shape(const char *name)
{
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
        if (strcmp(shapes[i].name, name) == 0)
            return shapes[i].function;
    return NULL;
}

static void ask_box(void)
{
    struct box b = {1, 2, "box"};

    b = grow(b, 1);
    say("%g %g %s", b.width, b.height, b.label);
}

/* Write the registers that a variadic function may read. Otherwise the code of this function would leave them unchanged
 * for the next call of a variadic function, and no replacement could be variadic. */
static OPAQUE int sum_of_four(void)
{
    int got = sum(4, 1, 2, 3, 4);

    __asm__ volatile("xor %%r8d, %%r8d\n xor %%r9d, %%r9d\n pxor %%xmm0, %%xmm0\n"
                     "pxor %%xmm1, %%xmm1\n"
                     :
                     :
                     : "r8", "r9", "xmm0", "xmm1", "cc");
    return got;
}

static int ask_functions(const char *word, const char *rest)
{
    if (strcmp(word, "answer") == 0)
        say("%d", answer());
    else if (strcmp(word, "second") == 0)
        say("%d", second());
    else if (strcmp(word, "exported") == 0)
        say("%d", exported_answer());
    else if (strcmp(word, "weak") == 0)
        say("%d", weak_answer());
    else if (strcmp(word, "alias") == 0)
        say("%d", exported_alias());
    else if (strcmp(word, "pointer") == 0)
        say("%d", pointer());
    else if (strcmp(word, "twins") == 0)
        say("%d %d", twin(), call_second_twin());
    else if (strcmp(word, "sum") == 0)
        say("%d", sum_of_four());
    else if (strcmp(word, "box") == 0)
        ask_box();
    else if (strcmp(word, "mean") == 0)
        say("%g", mean(1, 2, 6));
    else if (strcmp(word, "many") == 0)
        say("%ld", many(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
    else if (strcmp(word, "sum-to") == 0)
        say("%d", sum_to(atoi(rest)));
    else if (strcmp(word, "escape") == 0)
        say("%d", escape(atoi(rest)));
    else if (strcmp(word, "shape") == 0)
        say("%d", shape(rest) ? shape(rest)(2) : -1);
    else if (strcmp(word, "address") == 0)
        say("%lx", (unsigned long)(uintptr_t)shape(rest));
    else
        return 0;
    return 1;
}

static void command(const char *word, char *rest)
{
    if (ask_functions(word, rest) || live_through(word, rest) || ask_library(word, rest))
        return;
    if (strcmp(word, "greeting") == 0)
        say("hello");
    else if (strcmp(word, "getenv") == 0)
        say("%s", getenv(rest) ? getenv(rest) : "none");
    else if (strcmp(word, "getppid") == 0)
        say("%d", (int)getppid());
    else
        say("?");
}

int main(void)
{
    return loop();
}
