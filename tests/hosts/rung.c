/*
 * rung.c - forks a child for each round. The child runs one loop and is rung at a random moment: its first ring. The
 * child must continue, must be reached, and must get the results that it gets without the shim.
 *
 *   rung LOOP ROUNDS        one child for each round; a ring that made no thread is followed by others
 *   rung LOOP ROUNDS later  one child, which is rung ROUNDS times after it is reached
 *
 * Prints how many first rings were enough, and how long the threads took. Exit status 1 if a child hung, died or got
 * another result. RUNG_TRACED=1: each child is traced, as under a debugger. RUNG_LIMIT_MS: how long a child may take
 * for any step.
 */
#include <cpuid.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <netdb.h>
#include <pthread.h>
#include <regex.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/rseq.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define DOORBELL (SIGRTMIN + 12)
#define FIRST_US 400000 /* time until the next ring */
#define CHECK(condition)                                                                       \
    do {                                                                                       \
        if (!(condition)) {                                                                    \
            fprintf(stderr, "rung: line %d: %s: %s\n", __LINE__, #condition, strerror(errno)); \
            _exit(3);                                                                          \
        }                                                                                      \
    } while (0)

extern char **environ;

static struct {
    _Atomic bool ready, stop;
    _Atomic unsigned turns;
} * shared;

/* Do some work that the compiler does not remove. */
static unsigned spin(unsigned count)
{
    volatile unsigned value = count;

    for (unsigned i = 0; i < count; i++)
        value = value * 1664525 + 1013904223;
    return value;
}

/* ---- the loops: one round for each call ---- */

static void with_malloc(void)
{
    static unsigned seed = 1;
    enum { COUNT = 24 };
    unsigned char *block[COUNT];
    size_t size[COUNT];

    for (int i = 0; i < COUNT; i++) {
        seed = seed * 1664525 + 1013904223;
        size[i] = 1 + (seed >> 8) % (i % 8 == 7 ? 200000 : 3000);
        block[i] = i % 3 == 0 ? calloc(1, size[i]) : malloc(size[i]);
        CHECK(block[i]);
        block[i][0] = block[i][size[i] - 1] = (unsigned char)i;
    }
    for (int i = 0; i < COUNT; i++) {
        if (i % 5 == 0) {
            block[i] = realloc(block[i], size[i] + 5000);
            CHECK(block[i]);
        }
        CHECK(block[i][0] == i && block[i][size[i] - 1] == i);
        free(block[i]);
    }
}

static FILE *scratch(void)
{
    static FILE *file;

    if (!file) {
        file = tmpfile();
        CHECK(file);
        for (int i = 0; i < 3000; i++)
            fprintf(file, "line %d\n", i);
        fflush(file);
    }
    rewind(file);
    return file;
}

static void with_getc(void)
{
    FILE *file = scratch();
    int lines = 0, byte;

    while ((byte = getc(file)) != EOF)
        lines += byte == '\n';
    CHECK(lines == 3000);
}

static void with_printf(void)
{
    static FILE *file;

    if (!file)
        file = fopen("/dev/null", "w");
    for (int i = 0; i < 200; i++)
        CHECK(fprintf(file, "%05d %s %.3f\n", i, "text", i / 7.0) > 11);
}

static void with_fopen(void)
{
    FILE *file = fopen("/dev/null", "w");

    CHECK(file && fputs("text", file) >= 0);
    fflush(NULL);
    CHECK(fclose(file) == 0);
}

static void with_dlopen(void)
{
    void *library = dlopen("libresolv.so.2", RTLD_NOW);

    CHECK(library && dlsym(library, "ns_name_ntop"));
    CHECK(dlclose(library) == 0);
}

static void reap(pid_t child, int expected)
{
    int status = 0;

    CHECK(child > 0);
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == expected);
}

static void with_fork(void)
{
    pid_t child = fork();

    if (child == 0)
        _exit(7);
    reap(child, 7);
}

static void with_vfork(void)
{
    pid_t child = vfork();

    if (child == 0)
        _exit(7);
    reap(child, 7);
}

/* Make a child that runs in this process's memory and is rung before it ends. */
static void with_vfork_rung(void)
{
    pid_t child = vfork();

    if (child == 0) {
        pid_t self = (pid_t)syscall(SYS_getpid);

        syscall(SYS_tgkill, self, self, DOORBELL);
        _exit(7);
    }
    reap(child, 7);
}

static void with_posix_spawn(void)
{
    char *arguments[] = {"true", NULL};
    pid_t child;

    CHECK(posix_spawn(&child, "/bin/true", NULL, NULL, arguments, environ) == 0);
    reap(child, 0);
}

static void with_system(void)
{
    int status = system("exit 7");

    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

static void with_popen(void)
{
    char line[16] = "";
    FILE *pipe = popen("echo word", "r");

    CHECK(pipe && fgets(line, sizeof(line), pipe) && strcmp(line, "word\n") == 0);
    CHECK(pclose(pipe) == 0);
}

static void *thread(void *argument)
{
    free(malloc(100));
    return argument;
}

static void with_pthread_create(void)
{
    pthread_t made;
    void *result;

    CHECK(pthread_create(&made, NULL, thread, shared) == 0);
    CHECK(pthread_join(made, &result) == 0 && result == shared);
}

static void *cancelled(void *unused)
{
    while (!unused)
        pause();
    return unused;
}

static void with_cancellation(void)
{
    pthread_t made;
    void *result;

    CHECK(pthread_create(&made, NULL, cancelled, NULL) == 0);
    CHECK(pthread_cancel(made) == 0);
    CHECK(pthread_join(made, &result) == 0 && result == PTHREAD_CANCELED);
}

static void with_regcomp(void)
{
    regmatch_t match[3];
    regex_t pattern;

    CHECK(regcomp(&pattern, "^([a-z]+[0-9]{2,5}|x*y?)(foo|ba[rz])*$", REG_EXTENDED) == 0);
    CHECK(regexec(&pattern, "abc123foobarbaz", 3, match, 0) == 0 && match[1].rm_eo == 6);
    CHECK(regexec(&pattern, "abc1 foobarbaz", 3, match, 0) == REG_NOMATCH);
    regfree(&pattern);
}

static int compare(const void *a, const void *b)
{
    int *copy = malloc(sizeof(*copy));
    int result;

    *copy = *(const int *)a;
    spin(200);
    result = (*copy > *(const int *)b) - (*copy < *(const int *)b);
    free(copy);
    return result;
}

static void with_qsort(void)
{
    enum { COUNT = 300 };
    int number[COUNT];

    for (int i = 0; i < COUNT; i++)
        number[i] = i * 7919 % COUNT;
    qsort(number, COUNT, sizeof(*number), compare);
    for (int i = 1; i < COUNT; i++)
        CHECK(number[i - 1] <= number[i]);
}

static int look(struct dl_phdr_info *info, size_t size, void *count)
{
    (void)info;
    (void)size;
    spin(2000);
    ++*(int *)count;
    return 0;
}

static void with_dl_iterate_phdr(void)
{
    int count = 0;

    dl_iterate_phdr(look, &count);
    CHECK(count > 3);
}

/* Use some time in a handler. The interrupted code is usually malloc. */
static void take_time(int signal)
{
    (void)signal;
    spin(20000);
}

static void (*on_alarm)(int) = take_time;

static void start_alarms(void)
{
    static bool started;
    struct itimerval often = {{0, 300}, {0, 300}};
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};

    if (started)
        return;
    started = true;
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
}

static void with_handlers(void)
{
    start_alarms();
    with_malloc();
}

static sigjmp_buf before;
static volatile sig_atomic_t may_jump;

static void jump(int signal)
{
    (void)signal;
    if (may_jump)
        siglongjmp(before, 1);
}

static void with_siglongjmp(void)
{
    on_alarm = jump;
    if (sigsetjmp(before, 1) == 0) {
        start_alarms();
        may_jump = 1;
        for (;;)
            spin(100);
    }
    may_jump = 0;
    with_malloc();
}

static ucontext_t main_context, other_context;

static void other_stack(void)
{
    for (;;) {
        with_malloc();
        spin(300);
        swapcontext(&other_context, &main_context);
    }
}

static void with_swapcontext(void)
{
    static char *stack;

    if (!stack) {
        stack = mmap(NULL, 1 << 18, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        getcontext(&other_context);
        other_context.uc_stack.ss_sp = stack;
        other_context.uc_stack.ss_size = 1 << 18;
        makecontext(&other_context, other_stack, 0);
    }
    for (int i = 0; i < 5; i++) {
        CHECK(swapcontext(&main_context, &other_context) == 0);
        with_malloc();
    }
}

/* Add one to the word in a restartable sequence. A single thread uses it only to be interrupted there. */
static void with_rseq(void)
{
    struct rseq *area = (struct rseq *)((char *)__builtin_thread_pointer() + __rseq_offset);
    static uint64_t word;
    static struct {
        uint32_t version, flags;
        uint64_t start, length, abort;
    } __attribute__((aligned(32))) section;
    uint64_t until = word + 1000;

    while (word < until)
        __asm__ volatile("lea 2f(%%rip), %%rax\n\t"
                         "mov %%rax, 8(%1)\n\t"
                         "lea 3f(%%rip), %%rcx\n\t"
                         "sub %%rax, %%rcx\n\t"
                         "mov %%rcx, 16(%1)\n\t"
                         "lea 5f(%%rip), %%rax\n\t"
                         "mov %%rax, 24(%1)\n"
                         "1: mov %1, %0\n"
                         "2: mov (%2), %%rax\n\t"
                         "inc %%rax\n\t"
                         "mov %%rax, (%2)\n"
                         "3: jmp 6f\n\t"
                         ".byte 0x0f, 0xb9, 0x3d\n\t"
                         ".long 0x53053053\n"
                         "5: jmp 1b\n"
                         "6:"
                         : "=m"(area->rseq_cs)
                         : "r"(&section), "r"(&word)
                         : "rax", "rcx", "memory", "cc");
    CHECK(word == until);
}

static bool has_rtm(void)
{
    unsigned a, b, c, d;

    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_RTM);
}

static void with_rtm(void)
{
    static uint64_t word;
    uint64_t until = word + 1000;

    /* If the transaction is aborted it begins again, and never ends if each trap aborts it. A page must be copied
     * outside of the transaction. */
    while (word < until)
        __asm__ volatile("1: xbegin 2f\n\t"
                         "incq %0\n\t"
                         "xend\n\t"
                         "jmp 3f\n"
                         "2: addq $0, %0\n\t"
                         "jmp 1b\n"
                         "3:"
                         : "+m"(word)
                         :
                         : "rax", "memory", "cc");
    CHECK(word == until);
}

static void with_elision(void)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static unsigned word;
    unsigned until = word + 1000;

    while (word < until) {
        pthread_mutex_lock(&lock);
        word++;
        pthread_mutex_unlock(&lock);
    }
    with_malloc();
}

static ssize_t take(void *cookie, const char *text, size_t size)
{
    void *block = malloc(size + 1);

    (void)text;
    spin(300);
    free(block);
    *(size_t *)cookie += size;
    return (ssize_t)size;
}

static void with_cookie(void)
{
    size_t taken = 0;
    FILE *file = fopencookie(&taken, "w", (cookie_io_functions_t){.write = take});

    CHECK(file);
    setvbuf(file, NULL, _IOLBF, 64);
    for (int i = 0; i < 10; i++)
        CHECK(fprintf(file, "line %d\n", i) == 7);
    fclose(file);
    CHECK(taken == 70);
}

static void slow(void)
{
    spin(3000);
}

static void with_atfork(void)
{
    static bool registered;

    if (!registered)
        CHECK(pthread_atfork(slow, slow, slow) == 0);
    registered = true;
    with_fork();
}

static void with_constructor(void)
{
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 32);
    void *library;

    CHECK(length > 0);
    path[length] = '\0';
    strcpy(strrchr(path, '/') + 1, "libslow.so");
    library = dlopen(path, RTLD_NOW);
    CHECK(library);
    CHECK(dlclose(library) == 0);
}

static void with_memcpy(void)
{
    static unsigned char from[1 << 20], to[1 << 20];

    from[12345]++;
    memcpy(to, from, sizeof(to));
    CHECK(memcmp(to, from, sizeof(to)) == 0);
    memset(to, 0, sizeof(to));
}

/* ---- loops of programs that use the signals of stepping ---- */

static volatile sig_atomic_t traps, faults;

static void count_trap(int signal)
{
    (void)signal;
    traps++;
}

static void with_own_traps(void)
{
    struct sigaction action = {.sa_handler = count_trap}, now;
    int before_it = traps;

    sigaction(SIGTRAP, &action, NULL);
    __asm__ volatile("int3");
    with_malloc();
    CHECK(traps == before_it + 1);
    CHECK(sigaction(SIGTRAP, NULL, &now) == 0 && now.sa_handler == count_trap);
}

static void with_traps_blocked(void)
{
    sigset_t trap, now;

    sigemptyset(&trap);
    sigaddset(&trap, SIGTRAP);
    sigprocmask(SIG_BLOCK, &trap, NULL);
    with_malloc();
    CHECK(sigprocmask(SIG_BLOCK, NULL, &now) == 0 && sigismember(&now, SIGTRAP));
}

/* Check that a ring restores the signals that it takes for a short time. */
static void with_signals_unchanged(void)
{
    struct sigaction now;
    sigset_t mask;

    with_malloc();
    CHECK(sigaction(SIGTRAP, NULL, &now) == 0 && now.sa_handler == SIG_DFL);
    CHECK(sigaction(SIGSEGV, NULL, &now) == 0 && now.sa_handler == SIG_DFL);
    CHECK(sigprocmask(SIG_BLOCK, NULL, &mask) == 0 && sigisemptyset(&mask));
}

static char *guarded;

static void open_page(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)context;
    CHECK(info->si_addr == guarded);
    faults++;
    mprotect(guarded, 4096, PROT_READ | PROT_WRITE);
}

static void jump_from_fault(int signal)
{
    (void)signal;
    siglongjmp(before, 1);
}

/* Raise faults, with a handler that repairs the cause and with a handler that jumps out. */
static void with_faults(void)
{
    struct sigaction repair = {.sa_sigaction = open_page, .sa_flags = SA_SIGINFO},
                     leave = {.sa_handler = jump_from_fault};
    int before_it = faults;
    sigset_t mask;

    if (!guarded)
        guarded = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    sigaction(SIGSEGV, &repair, NULL);
    mprotect(guarded, 4096, PROT_READ);
    spin(300);
    free(malloc(3000));
    *guarded = 1;
    CHECK(faults == before_it + 1);
    sigaction(SIGSEGV, &leave, NULL);
    mprotect(guarded, 4096, PROT_NONE);
    if (sigsetjmp(before, 1) == 0) {
        free(malloc(3000));
        *guarded = 1;
        CHECK(!"the page cannot be written");
    }
    CHECK(sigprocmask(SIG_BLOCK, NULL, &mask) == 0 && sigisemptyset(&mask));
}

static void with_getaddrinfo(void)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST}, *list;

    CHECK(getaddrinfo("127.0.0.1", "80", &hints, &list) == 0);
    freeaddrinfo(list);
}

static bool always(void)
{
    return true;
}

static const struct {
    const char *name;
    void (*once)(void);
    bool (*can)(void);
} loops[] = {
    {"malloc", with_malloc, always},
    {"getc", with_getc, always},
    {"printf", with_printf, always},
    {"fopen", with_fopen, always},
    {"dlopen", with_dlopen, always},
    {"fork", with_fork, always},
    {"vfork", with_vfork, always},
    {"posix_spawn", with_posix_spawn, always},
    {"system", with_system, always},
    {"popen", with_popen, always},
    {"pthread_create", with_pthread_create, always},
    {"cancellation", with_cancellation, always},
    {"regcomp", with_regcomp, always},
    {"qsort", with_qsort, always},
    {"dl_iterate_phdr", with_dl_iterate_phdr, always},
    {"handlers", with_handlers, always},
    {"siglongjmp", with_siglongjmp, always},
    {"swapcontext", with_swapcontext, always},
    {"rseq", with_rseq, always},
    {"rtm", with_rtm, has_rtm},
    {"elision", with_elision, always},
    {"cookie", with_cookie, always},
    {"atfork", with_atfork, always},
    {"constructor", with_constructor, always},
    {"memcpy", with_memcpy, always},
    {"getaddrinfo", with_getaddrinfo, always},
    {"vfork_rung", with_vfork_rung, always},
    {"own_traps", with_own_traps, always},
    {"traps_blocked", with_traps_blocked, always},
    {"signals", with_signals_unchanged, always},
    {"faults", with_faults, always},
};

/* ---- a child ---- */

static void run(void (*once)(void))
{
    shared->ready = true;
    while (!shared->stop) {
        once();
        shared->turns++;
    }
    exit(0);
}

/* ---- the process that rings ---- */

static bool traced;
static long limit_ms = 20000;
static unsigned hung, died, most_rings;

static long now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void rest_us(long us)
{
    struct timespec rest = {0, us * 1000};

    nanosleep(&rest, NULL);
}

/* Pass the signal that has stopped the child to the child. Return false if the child has ended, with `status`. */
static bool serve(pid_t child, int *status)
{
    pid_t got = waitpid(child, status, WNOHANG | __WALL);

    if (got != child)
        return true;
    if (!WIFSTOPPED(*status))
        return false;
    ptrace(PTRACE_CONT, child, NULL,
           *status >> 16 ? 0L : (long)WSTOPSIG(*status)); /* an event of ptrace, or a signal */
    return true;
}

/* Return whether the child's listener reads the FIFO. */
static bool is_reached(pid_t child)
{
    char path[PATH_MAX];
    int file;

    snprintf(path, sizeof(path), "%s/%d.fifo", getenv("HOTPATCH_DIR"), (int)child);
    file = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (file >= 0)
        close(file);
    return file >= 0;
}

struct child {
    pid_t pid;
    int status;
    bool ended;
};

static void attend(struct child *child)
{
    if (!child->ended)
        child->ended = !serve(child->pid, &child->status);
}

/* Return whether the child is reached. Return false after the time, or if the child has ended. */
static bool await_reached(struct child *child, long until)
{
    while (!is_reached(child->pid)) {
        attend(child);
        if (child->ended || now_us() > until)
            return false;
        rest_us(20);
    }
    return true;
}

static void await_end(struct child *child)
{
    long until = now_us() + limit_ms * 1000;

    shared->stop = true;
    while (!child->ended && now_us() < until) {
        attend(child);
        rest_us(50);
    }
    if (!child->ended) {
        hung++;
        fprintf(stderr, "rung: the child hangs after %u turns\n", shared->turns);
        kill(child->pid, SIGKILL);
        while (waitpid(child->pid, &child->status, __WALL) == child->pid &&
               WIFSTOPPED(child->status))
            ptrace(PTRACE_CONT, child->pid, NULL, NULL);
    } else if (!WIFEXITED(child->status) || WEXITSTATUS(child->status) != 0) {
        died++;
        fprintf(stderr, "rung: the child ended with status 0x%x\n", (unsigned)child->status);
    }
}

static void ring(const struct child *child)
{
    syscall(SYS_tgkill, child->pid, child->pid, DOORBELL);
}

static struct child start_child(void (*once)(void))
{
    struct child child = {0};

    memset(shared, 0, sizeof(*shared));
    fflush(stdout);
    child.pid = fork();
    if (child.pid == 0)
        run(once);
    while (!shared->ready)
        rest_us(20);
    if (traced)
        ptrace(PTRACE_SEIZE, child.pid, NULL, NULL);
    rest_us(rand() % 2000);
    return child;
}

/* Return the time in us; -1 if the first ring was not enough. */
static long one_round(void (*once)(void))
{
    struct child child = start_child(once);
    long from = now_us(), took = -1;
    unsigned rings = 1;
    bool reached;

    ring(&child);
    reached = await_reached(&child, from + FIRST_US);
    if (reached)
        took = now_us() - from;
    while (!reached && !child.ended && now_us() < from + limit_ms * 1000) {
        ring(&child);
        rings++;
        reached = await_reached(&child, now_us() + 3000 + rand() % 3000);
    }
    if (!reached && !child.ended) {
        hung++;
        fprintf(stderr, "rung: %u rings did not reach the child\n", rings);
    }
    most_rings = rings > most_rings ? rings : most_rings;
    await_end(&child);
    return took;
}

static void later_rings(void (*once)(void), unsigned count)
{
    struct child child = start_child(once);
    long until = now_us() + limit_ms * 1000;

    do
        ring(&child);
    while (!await_reached(&child, now_us() + 5000) && now_us() < until && !child.ended);
    for (unsigned i = 0; i < count && !child.ended; i++) {
        ring(&child);
        rest_us(rand() % 200);
        attend(&child);
    }
    if (!child.ended && !is_reached(child.pid))
        hung++;
    await_end(&child);
    printf("%u later rings; ", count);
}

static int by_value(const void *a, const void *b)
{
    return (*(const long *)a > *(const long *)b) - (*(const long *)a < *(const long *)b);
}

static void first_rings(void (*once)(void), unsigned rounds)
{
    long *took = calloc(rounds + 1, sizeof(*took)), t;
    unsigned count = 0;

    for (unsigned i = 0; i < rounds && hung + died < 10; i++) {
        t = one_round(once);
        if (t >= 0)
            took[count++] = t;
    }
    qsort(took, count, sizeof(*took), by_value);
    printf("%u first rings, %u were enough (median %ld us, longest %ld us), at most %u rings; ",
           rounds, count, took[count / 2], count ? took[count - 1] : 0, most_rings);
    free(took);
}

int main(int argc, char **argv)
{
    void (*once)(void) = NULL;

    for (size_t i = 0; argc >= 3 && i < sizeof(loops) / sizeof(*loops); i++)
        if (strcmp(argv[1], loops[i].name) == 0) {
            once = loops[i].once;
            if (!loops[i].can()) {
                printf("%s: this processor cannot\n", argv[1]);
                return 0;
            }
        }
    if (!once)
        return 2;
    traced = getenv("RUNG_TRACED") != NULL;
    if (getenv("RUNG_LIMIT_MS"))
        limit_ms = atol(getenv("RUNG_LIMIT_MS"));
    srand((unsigned)now_us());
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    printf("%-16s", argv[1]);
    if (argc == 4)
        later_rings(once, (unsigned)atoi(argv[2]));
    else
        first_rings(once, (unsigned)atoi(argv[2]));
    printf("%u hung, %u died\n", hung, died);
    return hung || died;
}
