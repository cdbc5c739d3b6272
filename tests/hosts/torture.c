/*
 * torture.c - a test host whose threads call patchable functions without end and check each answer, while the host is
 * patched, forks, starts threads and opens libraries.
 */
#include <hotpatch.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loop.h"

#define THREADS_MAX 1024
#define ANSWERS 16
#define IMPORT_V1 1000001
#define IMPORT_V2 1000002

struct pair {
    double a;
    long b;
};

/* torture_v1 adds 1, torture_v2 adds 2, torture_over adds 10 to the value of the function below. */
HOTPATCH_FUNCTION(int, answer, (void))
{
    return 1;
}

/* a: the argument plus 0, 1 or 2 of v1 and v2; b is unchanged. */
HOTPATCH_FUNCTION(struct pair, mix, (struct pair p, double by))
{
    p.a += by;
    return p;
}

HOTPATCH_DATA(const char *, label, "host");

static int (*volatile answer_pointer)(void) = answer;
static _Atomic int running;
static _Atomic unsigned long calls, wrong, last_wrong;
static _Atomic unsigned long seen[ANSWERS];
static pid_t parent;
static int (*_Atomic library_parents)(int, int, int);

static bool legal_answer(int got)
{
    return (got >= 1 && got <= 3) || (got >= 11 && got <= 13);
}

static void judge(bool legal, unsigned long what)
{
    if (legal)
        return;
    atomic_fetch_add(&wrong, 1);
    atomic_store(&last_wrong, what);
}

/* Make one call through every kind of slot. */
static void call_all(void)
{
    int got = answer();
    struct pair p = {1.5, 77};
    const char *text;
    int (*in_library)(int, int, int) = atomic_load(&library_parents);
    long id;

    judge(legal_answer(got), 100 + (unsigned long)got);
    if (got >= 0 && got < ANSWERS)
        atomic_fetch_add_explicit(&seen[got], 1, memory_order_relaxed);
    judge(legal_answer(answer_pointer()), 200);
    p = mix(p, 2);
    judge(p.b == 77 && (p.a == 3.5 || p.a == 4.5 || p.a == 5.5), 300);
    text = HOTPATCH_GET(label);
    judge(strcmp(text, "host") == 0 || strcmp(text, "v1") == 0 || strcmp(text, "v2") == 0, 400);
    id = getppid();
    judge(id == parent || id == IMPORT_V1 || id == IMPORT_V2, 500);
    if (in_library)
        judge(in_library(parent, IMPORT_V1, IMPORT_V2) == 0, 600);
    atomic_fetch_add_explicit(&calls, 1, memory_order_relaxed);
}

/* Posted by each thread that has called. On a busy machine a thread may wait for seconds for a processor. */
static sem_t begun;

/* Call without end. Callers keep every processor busy, and transactions must still be possible. */
static void *caller(void *unused)
{
    (void)unused;
    call_all();
    sem_post(&begun);
    setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), 19);
    while (atomic_load(&running))
        call_all();
    return NULL;
}

static pthread_t threads[THREADS_MAX];
static int thread_count;

static void await_begun(int count)
{
    while (count > 0) {
        if (sem_wait(&begun) == 0)
            count--;
    }
}

static void spin(int count)
{
    pthread_attr_t small;

    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 65536);
    sem_init(&begun, 0, 0);
    atomic_store(&running, 1);
    for (int i = 0; i < count && thread_count < THREADS_MAX; i++)
        if (pthread_create(&threads[thread_count], &small, caller, NULL) == 0)
            thread_count++;
    await_begun(thread_count);
    say("spinning %d", thread_count);
}

static void tell(void)
{
    say("calls %s wrong %lu (%lu)", calls > 0 ? "some" : "none", (unsigned long)wrong,
        (unsigned long)last_wrong);
}

static void halt(void)
{
    atomic_store(&running, 0);
    while (thread_count > 0)
        pthread_join(threads[--thread_count], NULL);
    tell();
}

/* ---- many threads that sleep until the gate opens, and then call once ---- */

static sem_t gate;

static void *sleeper(void *unused)
{
    (void)unused;
    while (sem_wait(&gate) != 0 && errno == EINTR)
        ;
    call_all();
    return NULL;
}

static void scan(int count)
{
    pthread_attr_t small;

    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 65536);
    sem_init(&gate, 0, 0);
    for (int i = 0; i < count && thread_count < THREADS_MAX; i++)
        if (pthread_create(&threads[thread_count], &small, sleeper, NULL) == 0)
            thread_count++;
    say("sleeping %d", thread_count);
}

static void let_go(void)
{
    for (int i = 0; i < thread_count; i++)
        sem_post(&gate);
    halt();
}

/* ---- threads that start and end all the time ---- */

static void *short_life(void *unused)
{
    (void)unused;
    call_all();
    return NULL;
}

enum { BORN = 8 };

/* With TSan the threads have stacks that stay. libc unmaps a thread's stack, and ld.so maps the engine there, by calls that
 * TSan does not see: it took the engine's bytes for what the ended thread had written. */
static const pthread_attr_t *born_attributes(int number)
{
#ifdef __SANITIZE_THREAD__
    enum { STACK_SIZE = 2 << 20 };
    static _Alignas(4096) char stacks[BORN][STACK_SIZE];
    static pthread_attr_t attributes[BORN];

    pthread_attr_init(&attributes[number]);
    pthread_attr_setstack(&attributes[number], stacks[number], STACK_SIZE);
    return &attributes[number];
#else
    (void)number;
    return NULL;
#endif
}

static void *births(void *unused)
{
    (void)unused;
    while (atomic_load(&running)) {
        pthread_t born[BORN];
        int count = 0;

        while (count < BORN &&
               pthread_create(&born[count], born_attributes(count), short_life, NULL) == 0)
            count++;
        while (count > 0)
            pthread_join(born[--count], NULL);
        sem_post(&begun);
    }
    return NULL;
}

static void churn(void)
{
    sem_init(&begun, 0, 0);
    atomic_store(&running, 1);
    if (pthread_create(&threads[thread_count], NULL, births, NULL) == 0) {
        thread_count++;
        await_begun(1);
    }
    say("churning");
}

/* ---- fork ---- */

/* Let the child ring its own doorbell and be patched, under its own pid. Return 0 if it was. */
static int patchable(const char *patch)
{
    char fifo[512], reply[512], line[1024], answered[4096] = "";
    const char *directory = getenv("HOTPATCH_DIR");
    struct stat st;
    int to, from, length;

    snprintf(fifo, sizeof(fifo), "%.400s/%d.fifo", directory ? directory : "", (int)getpid());
    snprintf(reply, sizeof(reply), "%.400s/c%d.reply", directory ? directory : "", (int)getpid());
    for (int i = 0; (to = open(fifo, O_WRONLY | O_NONBLOCK)) < 0; i++) {
        if (i == 10000)
            return 21;
        if (i % 20 == 0)
            syscall(SYS_kill, getpid(), SIGRTMIN + 12);
        usleep(1000);
    }
    if (fstat(to, &st) != 0 || !S_ISFIFO(st.st_mode) || mkfifo(reply, 0600) != 0)
        return 22;
    from = open(reply, O_RDWR);
    length = snprintf(line, sizeof(line), "load reply=c%d.reply %s\n", (int)getpid(), patch);
    if (write(to, line, (size_t)length) != length)
        return 23;
    for (size_t got = 0; !strchr(answered, '\n') && got + 1 < sizeof(answered);) {
        ssize_t more = read(from, answered + got, sizeof(answered) - got - 1);

        if (more <= 0)
            return 24;
        got += (size_t)more;
    }
    unlink(reply);
    if (!strstr(answered, "\"result\":\"done\""))
        return 25;
    return answer() > 10 ? 0 : 26;
}

static int child(const char *patch)
{
    parent = (pid_t)syscall(SYS_getppid);
    wrong = 0;
    for (int i = 0; i < 100; i++)
        call_all();
    if (wrong)
        return 11;
    return patch ? patchable(patch) : 0;
}

/* Make `count` children, one after the other. Every tenth child is patched, and is reported. */
static void forks(int count, const char *patch)
{
    int bad = 0;

    for (int i = 0; i < count && !bad; i++) {
        int status = 0;
        pid_t pid = fork();

        if (pid == 0) {
            alarm(30); /* a child that hangs is a failure with a signal */
            exit(child(i % 10 == 0 ? patch : NULL));
        }
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
        if (pid < 0 || status != 0)
            bad = status ? status : -1;
        if (i % 10 == 9)
            say("ten");
    }
    say("children %d bad 0x%x", count, (unsigned)bad);
}

/* ---- libraries that come and go ---- */

static void libraries(char *path, int count)
{
    int bad = 0;

    for (int i = 0; i < count && !bad; i++) {
        void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        void *symbol = handle ? dlsym(handle, "library_answer") : NULL;
        int (*function)(void);

        memcpy(&function, &symbol, sizeof(function));
        if (!function) {
            bad = 1;
        } else {
            int got = function();

            /* the value of libslots.c or of patches/library_value.c */
            bad = got == 40 || got == 42 ? 0 : 1000 + got;
            if (dlclose(handle) != 0)
                bad = 2;
        }
        call_all();
    }
    say("opened %d bad %d", count, bad);
}

static void *library;

static void open_library(const char *path)
{
    library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    say("%s", library ? "opened" : dlerror());
}

/* Let all threads also call the library's imports from now on. */
static void call_library(void)
{
    int (*function)(int, int, int);
    void *symbol = library ? dlsym(library, "library_parents") : NULL;

    memcpy(&function, &symbol, sizeof(function));
    atomic_store(&library_parents, function);
    say("%s", function ? "called" : "no such function");
}

static void ask_library(void)
{
    void *symbol = library ? dlsym(library, "library_answer") : NULL;
    int (*function)(void);

    memcpy(&function, &symbol, sizeof(function));
    say("%d", function ? function() : -1);
}

static void close_library(void)
{
    say("%s", dlclose(library) == 0 ? "closed" : dlerror());
    library = NULL;
}

/* ---- no more mappings ---- */

static char *filler;
static size_t filler_pages;

/* Map pages until about `left` mappings of vm.max_map_count (proc(5)) are free. */
static void fill_maps(int left)
{
    static char *spare[256];
    size_t pages = 1 << 18;

    if (left > 256)
        left = 256;
    for (int i = 0; i < left; i++) {
        /* Adjacent mappings have different protections; otherwise the kernel would merge them. */
        spare[i] = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        mprotect(spare[i], 4096, PROT_NONE);
    }
    filler_pages = pages;
    filler =
        mmap(NULL, pages * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    for (size_t i = 0; i < pages; i += 2)
        if (mprotect(filler + i * 4096, 4096, PROT_READ) != 0)
            break;
    for (int i = 0; i < left; i++)
        munmap(spare[i], 8192);
    say("full");
}

static void free_maps(void)
{
    munmap(filler, filler_pages * 4096);
    say("free");
}

static void *loop_thread(void *unused)
{
    (void)unused;
    exit(loop());
}

static void leave_main(void)
{
    pthread_t thread;

    pthread_create(&thread, NULL, loop_thread, NULL);
    pthread_exit(NULL);
}

static void command(const char *word, char *rest)
{
    if (strcmp(word, "answer") == 0)
        say("%d", answer());
    else if (strcmp(word, "label") == 0)
        say("%s", HOTPATCH_GET(label));
    else if (strcmp(word, "parent") == 0)
        say("%s", getppid() == parent ? "own" : "patched");
    else if (strcmp(word, "pointer") == 0)
        say("%d", answer_pointer());
    else if (strcmp(word, "greeting") == 0)
        say("hello");
    else if (strcmp(word, "spin") == 0)
        spin(atoi(rest));
    else if (strcmp(word, "crowd") == 0)
        scan(atoi(rest));
    else if (strcmp(word, "let-go") == 0)
        let_go();
    else if (strcmp(word, "churn") == 0)
        churn();
    else if (strcmp(word, "halt") == 0)
        halt();
    else if (strcmp(word, "tell") == 0)
        tell();
    else if (strcmp(word, "seen") == 0)
        say("%lu", (unsigned long)seen[atoi(rest) & (ANSWERS - 1)]);
    else if (strcmp(word, "forks") == 0) {
        char *patch = split(rest);

        forks(atoi(rest), patch);
    } else if (strcmp(word, "libraries") == 0) {
        char *count = split(rest);

        libraries(rest, atoi(count));
    } else if (strcmp(word, "open") == 0)
        open_library(rest);
    else if (strcmp(word, "call-library") == 0)
        call_library();
    else if (strcmp(word, "library") == 0)
        ask_library();
    else if (strcmp(word, "close") == 0)
        close_library();
    else if (strcmp(word, "fill-maps") == 0)
        fill_maps(atoi(rest));
    else if (strcmp(word, "free-maps") == 0)
        free_maps();
    else if (strcmp(word, "leave-main") == 0)
        leave_main();
    else
        say("?");
}

int main(void)
{
    parent = getppid();
    return loop();
}
