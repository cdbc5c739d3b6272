/*
 * importer.c - a test host without hotpatch declarations. It opens libraries that import the same functions as the
 * host, and changes its own words as programs do.
 */
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <link.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "loop.h"

enum { LIBRARIES = 16, RACERS = 8 };

typedef const char *called(const char *argument);

static struct library {
    char path[512];
    void *handle;
} libraries[LIBRARIES];

static char *(*volatile pointer)(const char *) = getenv;

static char *own_getenv(const char *name)
{
    static char value[] = "own";

    (void)name;
    return value;
}

static const char *or_none(const char *text)
{
    return text ? text : "none";
}

/* ---- libraries ---- */

static const char *open_library(const char *path, bool apart)
{
    for (int i = 0; i < LIBRARIES; i++) {
        if (libraries[i].handle)
            continue;
        libraries[i].handle = dlmopen(apart ? LM_ID_NEWLM : LM_ID_BASE, path, RTLD_LAZY);
        snprintf(libraries[i].path, sizeof(libraries[i].path), "%s", path);
        return libraries[i].handle ? "opened" : dlerror();
    }
    return "too many";
}

static const char *close_library(const char *path)
{
    for (int i = 0; i < LIBRARIES; i++)
        if (libraries[i].handle && strcmp(libraries[i].path, path) == 0) {
            dlclose(libraries[i].handle);
            libraries[i].handle = NULL;
            return "closed";
        }
    return "not open";
}

static called *function_of(void *handle, const char *name)
{
    called *function = NULL;

    if (handle)
        *(void **)&function = dlsym(handle, name);
    return function;
}

static const char *call(const char *name, const char *argument)
{
    for (int i = 0; i < LIBRARIES; i++) {
        called *function = function_of(libraries[i].handle, name);

        if (function)
            return or_none(function(argument));
    }
    return "no such function";
}

/* Open, call and close a library in each round. An answer that neither the library nor a patch gives ends the round. */
static void churn(const char *path, int rounds)
{
    for (int i = 0; i < rounds; i++) {
        void *handle = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
        called *function = function_of(handle, "lazy_call");
        const char *got = function ? or_none(function("HOTPATCH_TEST_VALUE")) : "?";

        if (strcmp(got, "none") != 0 && strcmp(got, "patched") != 0) {
            say("%s in round %d", got, i);
            return;
        }
        dlclose(handle);
    }
    say("churned");
}

/* ---- the resolver's race ---- */

static struct {
    pthread_barrier_t begin, end;
    called *function;
    int wrong; /* atomic */
    int over;
} race;

static void *racer(void *unused)
{
    (void)unused;
    for (;;) {
        const char *got;

        pthread_barrier_wait(&race.begin);
        if (race.over)
            return NULL;
        got = or_none(race.function("HOTPATCH_TEST_VALUE"));
        if (strcmp(got, "none") != 0 && strcmp(got, "patched") != 0)
            __atomic_store_n(&race.wrong, 1, __ATOMIC_RELAXED);
        pthread_barrier_wait(&race.end);
    }
}

/* Let all threads call through an unbound word in every round. The library of the last round stays open. */
static void run_race(const char *path, int rounds)
{
    pthread_t threads[RACERS];

    pthread_barrier_init(&race.begin, NULL, RACERS + 1);
    pthread_barrier_init(&race.end, NULL, RACERS + 1);
    for (int i = 0; i < RACERS; i++)
        if (pthread_create(&threads[i], NULL, racer, NULL) != 0)
            _exit(9);
    for (int i = 0; i < rounds; i++) {
        const char *opened = open_library(path, false);

        for (int k = 0; k < LIBRARIES; k++)
            if (libraries[k].handle && strcmp(libraries[k].path, path) == 0)
                race.function = function_of(libraries[k].handle, "lazy_call");
        if (strcmp(opened, "opened") != 0 || !race.function)
            _exit(9);
        pthread_barrier_wait(&race.begin);
        pthread_barrier_wait(&race.end);
        if (i < rounds - 1)
            close_library(path);
    }
    race.over = 1;
    pthread_barrier_wait(&race.begin);
    for (int i = 0; i < RACERS; i++)
        pthread_join(threads[i], NULL);
    say(race.wrong ? "wrong" : "raced");
}

/* ---- the program's own words ---- */

static ElfW(Dyn) * dynamic_of(ElfW(Sxword) tag)
{
    for (ElfW(Dyn) *d = _DYNAMIC; d->d_tag != DT_NULL; d++)
        if (d->d_tag == tag)
            return d;
    _exit(9);
}

/* Return the word of the program's GOT for `name`. */
static uintptr_t *got_word(const char *name)
{
    const ElfW(Rela) *rela = (const ElfW(Rela) *)dynamic_of(DT_JMPREL)->d_un.d_ptr;
    size_t count = dynamic_of(DT_PLTRELSZ)->d_un.d_val / sizeof(*rela);
    const ElfW(Sym) *symbols = (const ElfW(Sym) *)dynamic_of(DT_SYMTAB)->d_un.d_ptr;
    const char *strings = (const char *)dynamic_of(DT_STRTAB)->d_un.d_ptr;
    const struct link_map *map = dlopen(NULL, RTLD_NOW);

    for (size_t i = 0; i < count; i++)
        if (strcmp(strings + symbols[ELF64_R_SYM(rela[i].r_info)].st_name, name) == 0)
            return (uintptr_t *)(map->l_addr + rela[i].r_offset);
    _exit(9);
}

/* A late resolver: after another thread has stored into an unbound word, the definition is stored over the value. */
static pthread_t late;
static uintptr_t *late_word, late_before;

static void *resolve_late(void *unused)
{
    while (__atomic_load_n(late_word, __ATOMIC_ACQUIRE) == late_before)
        usleep(100);
    __atomic_store_n(late_word, (uintptr_t)dlsym(RTLD_DEFAULT, "getenv"), __ATOMIC_RELEASE);
    return unused;
}

static const char *begin_late_resolver(void)
{
    late_word = got_word("getenv");
    late_before = *late_word;
    return pthread_create(&late, NULL, resolve_late, NULL) == 0 ? "begun" : "failed";
}

static uintptr_t page_of(const char *name)
{
    return (uintptr_t)got_word(name) & ~(uintptr_t)4095;
}

/* Change the protection of the word's page, as programs do that hook their own imports. */
static const char *protect_page(const char *name, int protection)
{
    return mprotect((char *)page_of(name), 4096, protection) == 0 ? "done" : strerror(errno);
}

static const char *store_own_value(const char *name)
{
    uintptr_t *volatile word = got_word(name);

    *word = *(volatile uintptr_t *)word;
    return "done";
}

/* ---- sandboxes ---- */

/* Let the system call fail with EPERM in all threads, or only the call with that argument. */
static const char *forbid(int number, int argument, uint64_t value)
{
    unsigned at = (unsigned)offsetof(struct seccomp_data, args) + 8 * (unsigned)argument;
    struct sock_filter any[] = {
        {BPF_LD | BPF_W | BPF_ABS, 0, 0, 0},
        {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, (uint32_t)number},
        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EPERM},
        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
    };
    struct sock_filter one[] = {
        {BPF_LD | BPF_W | BPF_ABS, 0, 0, 0},
        {BPF_JMP | BPF_JEQ | BPF_K, 0, 5, (uint32_t)number},
        {BPF_LD | BPF_W | BPF_ABS, 0, 0, at},
        {BPF_JMP | BPF_JEQ | BPF_K, 0, 3, (uint32_t)value},
        {BPF_LD | BPF_W | BPF_ABS, 0, 0, at + 4},
        {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, (uint32_t)(value >> 32)},
        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EPERM},
        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
    };
    struct sock_fprog program = {argument < 0 ? 4 : 8, argument < 0 ? any : one};

    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) != 0)
        return strerror(errno);
    return "done";
}

static const char *become(int uid)
{
    if (setgroups(0, NULL) != 0 || setgid((gid_t)uid) != 0 || setuid((uid_t)uid) != 0)
        return strerror(errno);
    return "done";
}

/* ---- questions ---- */

/* Print the result and errno. errno is read from memory: clang assumes that malloc does not change errno. */
static void report(long result)
{
    say("%ld %d", result, *(volatile int *)&errno);
}

/* Call a function of libc so that it succeeds if there is no injection. */
static void attempt(const char *what, const char *path)
{
    char *volatile block;
    int fd;

    errno = 0;
    if (strcmp(what, "rename") == 0) {
        report(rename(path, path));
    } else if (strcmp(what, "open") == 0) {
        fd = open(path, O_RDONLY);
        report(fd < 0 ? fd : 0);
        if (fd >= 0)
            close(fd);
    } else if (strcmp(what, "write") == 0) {
        report(write(1, "", 0));
    } else if (strcmp(what, "malloc") == 0) {
        block = malloc(100);
        report(block ? 0 : -1);
        free(block);
    } else {
        say("?");
    }
}

/* Return whether the word is a command of a sandbox. */
static int sandbox_command(const char *word, const char *rest)
{
    if (strcmp(word, "forbid-mprotect") == 0)
        say("%s", forbid(SYS_mprotect, *rest ? 0 : -1, strtoull(rest, NULL, 16)));
    else if (strcmp(word, "forbid-store") == 0)
        say("%s", forbid(SYS_pwrite64, 3, (uintptr_t)got_word(rest)));
    else if (strcmp(word, "unprotect") == 0)
        say("%s", protect_page(rest, PROT_READ | PROT_WRITE));
    else if (strcmp(word, "store") == 0)
        say("%s", store_own_value(rest));
    else if (strcmp(word, "setuid") == 0)
        say("%s", become(atoi(rest)));
    else
        return 0;
    return 1;
}

static void command(const char *word, char *rest)
{
    char *second = split(rest);

    if (sandbox_command(word, rest))
        return;
    if (strcmp(word, "answer") == 0)
        say("1");
    else if (strcmp(word, "greeting") == 0)
        say("hello");
    else if (strcmp(word, "dlopen") == 0)
        say("%s", open_library(rest, false));
    else if (strcmp(word, "dlmopen") == 0)
        say("%s", open_library(rest, true));
    else if (strcmp(word, "dlclose") == 0)
        say("%s", close_library(rest));
    else if (strcmp(word, "call") == 0)
        say("%s", call(rest, second));
    else if (strcmp(word, "getenv") == 0)
        say("%s", or_none(getenv(rest)));
    else if (strcmp(word, "pointer") == 0)
        say("%s", *rest ? or_none(pointer(rest)) : "1");
    else if (strcmp(word, "own-pointer") == 0)
        pointer = own_getenv, say("done");
    else if (strcmp(word, "own-got") == 0)
        *got_word(rest) = (uintptr_t)own_getenv, say("done");
    else if (strcmp(word, "begin-late-resolver") == 0)
        say("%s", begin_late_resolver());
    else if (strcmp(word, "end-late-resolver") == 0)
        say("%s", pthread_join(late, NULL) == 0 ? "ended" : "failed");
    else if (strcmp(word, "churn") == 0)
        churn(rest, atoi(second));
    else if (strcmp(word, "race") == 0)
        run_race(rest, atoi(second));
    else
        attempt(word, rest);
}

int main(void)
{
#ifndef __PIC__
    /* in code: so the PLT entry of getenv is its address in all libraries, too */
    pointer = getenv;
#endif
    return loop();
}
