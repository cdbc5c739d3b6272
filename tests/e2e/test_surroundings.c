/*
 * test_surroundings.c - what surrounds a process and must not matter to the shim, nor the shim to it: limits,
 * filters, umask, locale. Each in a process whose threads are made by the first ring, and at its start.
 *
 * What these tests are worth. Broken on purpose, each failed: ppoll(2) alone, without the calls that replace it; no
 * descriptor held back; no fchmod(2) of the copy of a patch; no second try of the program's own thread; libasan not
 * put first; a user's child refused for root's directory. Not shown: that locale and memory limits need what is done
 * for them (without uselocale(3) on the listener, and with the listener made before the worker, the tests pass too).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <linux/mman.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/support/harness.h"

static const char *const first_ring[] = {"HOTPATCH_LISTEN=first-ring", NULL};
static const char *const at_start[] = {"HOTPATCH_LISTEN=start", NULL};
static const char *const *const ways[] = {first_ring, at_start};

/* A first ring is not for a sanitizer's runtime (scripts/run-tests). */
#define EACH_WAY(way)                                        \
    for (const char *const *const *way = ways + sanitized(); \
         way < ways + sizeof(ways) / sizeof(*ways); way++)

static void must_load(struct host *host, const char *patch)
{
    struct output *output;

    host_listen(host);
    output = hotpatch(host, "load", pid_text(host->pid), patch_file(patch), NULL);

    if (output->status != 0)
        fail_msg("load: exit %d: %s%s", output->status, output->out, output->error);
    output_free(output);
}

static void must_revert(struct host *host)
{
    struct output *output = hotpatch(host, "revert", pid_text(host->pid), "all", NULL);

    if (output->status != 0)
        fail_msg("revert: exit %d: %s%s; log: %s", output->status, output->out, output->error,
                 host_log(host));
    output_free(output);
}

/* A child that has rung no bell makes no FIFO. */
static void become_child(struct host *host)
{
    int child = 0;

    assert_int_equal(sscanf(host_ask(host, "fork"), "pid %d", &child), 1);
    host->pid = child;
}

/* ---- waits that the kernel refuses ---- */

/* How long a thread named `hotpatch` has had a processor, ns, proc_pid_schedstat(5); 0: another thread. */
static unsigned long long run_time(pid_t pid, const char *tid)
{
    char path[64], text[256] = "";
    unsigned long long time = 0;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/task/%.20s/comm", (int)pid, tid);
    file = fopen(path, "r");
    if (!file)
        return 0;
    if (!fgets(text, sizeof(text), file))
        text[0] = '\0';
    fclose(file);
    snprintf(path, sizeof(path), "/proc/%d/task/%.20s/schedstat", (int)pid, tid);
    file = strcmp(text, "hotpatch\n") == 0 ? fopen(path, "r") : NULL;
    if (!file)
        return 0;
    if (fscanf(file, "%llu", &time) != 1)
        time = 0;
    fclose(file);
    return time;
}

static unsigned long long run_time_of_ours(pid_t pid)
{
    unsigned long long time = 0;
    char path[64];
    DIR *directory;

    snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    directory = opendir(path);
    assert_non_null(directory);
    for (struct dirent *entry; (entry = readdir(directory));)
        time += entry->d_name[0] != '.' ? run_time(pid, entry->d_name) : 0;
    closedir(directory);
    return time;
}

/* A thread that asks again at once takes all that other processes leave it; one that sleeps for 20 ms at a
 * time has a few tenths of a percent. */
static void assert_asleep(const struct host *host, const char *what)
{
    enum { LOOK_US = 150000 };
    unsigned long long before = run_time_of_ours(host->pid), used;

    usleep(LOOK_US);
    used = run_time_of_ours(host->pid) - before;
    if (used > LOOK_US * 1000ULL / 20)
        fail_msg("%s: our threads ran for %llu us of %d", what, used / 1000, LOOK_US);
}

static const int errnos[] = {EPERM,  ENOENT, EINTR,  EIO,    ENXIO,  EBADF,  EAGAIN, ENOMEM,
                             EACCES, EFAULT, EINVAL, ENFILE, EMFILE, ENOSYS, 0};

/* What is refused, and whether a request can be answered then. */
struct refused_calls {
    const char *name;
    unsigned count;
    long numbers[8];
    bool answers;
};

static const struct refused_calls refused_calls[] = {
    {"ppoll", 1, {SYS_ppoll}, true},
    {"ppoll, pselect6", 2, {SYS_ppoll, SYS_pselect6}, true},
    {"futex", 1, {SYS_futex}, true},
    {"read", 1, {SYS_read}, false},
    {"write", 1, {SYS_write}, false},
    {"openat", 1, {SYS_openat}, false},
    {"ppoll, pselect6, nanosleep", 3, {SYS_ppoll, SYS_pselect6, SYS_nanosleep}, true},
    {"all but rt_sigsuspend",
     6,
     {SYS_ppoll, SYS_pselect6, SYS_nanosleep, SYS_clock_nanosleep, SYS_rt_sigtimedwait, SYS_read},
     false},
};

static void try_refused(const char *const *way, const struct refused_calls *calls, int error)
{
    struct host *host = host_start("confined", way);
    char question[256] = "refuse", what[128];
    size_t length = strlen(question);

    snprintf(what, sizeof(what), "%s: %s", calls->name, strerror(error));
    must_load(host, "answer2");
    for (unsigned i = 0; i < calls->count; i++)
        length += (size_t)snprintf(question + length, sizeof(question) - length, " %ld %d",
                                   calls->numbers[i], error);
    host_say(host, question);
    if (strcmp(calls->name, "write") != 0)
        assert_string_equal(host_hear(host), "done");
    if (calls->answers) {
        struct output *output = hotpatch(host, "revert", pid_text(host->pid), "all", NULL);

        if (output->status == 3 || output->status == 6)
            fail_msg("%s: exit %d: %s", what, output->status, output->error);
        output_free(output);
    } else {
        send_raw(host, "ping\n", 5);
    }
    assert_asleep(host, what);
    assert_true(host_alive(host));
    host_kill(host);
}

/* TRIES=1: each way, each call and each error; else a few of them. */
static void a_wait_that_the_kernel_refuses_is_no_loop(void **state)
{
    const bool all = getenv("TRIES") != NULL;
    unsigned number = 0;

    (void)state;
    if (sanitized_for_threads())
        skip(); /* its runtime has a thread that counts as ours */
    for (size_t i = 0; i < sizeof(refused_calls) / sizeof(refused_calls[0]); i++)
        for (size_t k = 0; k < sizeof(errnos) / sizeof(errnos[0]); k++, number++)
            EACH_WAY(way)
    if (all || ((i + k) % 9 == 0 && (number + (way != ways)) % 2 == 0))
        try_refused(*way, &refused_calls[i], errnos[k]);
}

static void a_process_that_may_open_nothing_more_answers(void **state)
{
    static const int limits[] = {1, 2, 64};

    (void)state;
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
        EACH_WAY(way)
        {
            struct host *host = host_start("confined", *way);
            char question[64];

            must_load(host, "answer2");
            snprintf(question, sizeof(question), "limit %d %d", RLIMIT_NOFILE, limits[i]);
            host_expect(host, question, "done");
            assert_asleep(host, question);
            must_revert(host);
            host_expect(host, "answer", "1");
            if (limits[i] == 64)
                must_load(host, "answer3");
            assert_asleep(host, question);
            host_stop(host);
        }
}

static void a_process_that_could_open_nothing_from_the_start_is_refused(void **state)
{
    (void)state;
    for (int limit = 0; limit < 2; limit++)
        EACH_WAY(way)
        {
            struct host *host = host_start("confined", *way);
            struct output *output;
            char question[64];

            become_child(host);
            snprintf(question, sizeof(question), "limit %d %d", RLIMIT_NOFILE, limit);
            host_expect(host, question, "done");
            output = hotpatch(host, "load", pid_text(host->pid), patch_file("answer2"), NULL);
            if (limit == 0 || way == ways) {
                assert_int_equal(output->status, 1);
                assert_non_null(strstr(output->error, "HP-LIMIT"));
            }
            output_free(output);
            assert_asleep(host, question);
            host_stop(host);
        }
}

/* ---- memory ---- */

/* The largest step of address space that libc's allocator takes: a heap of 64 MiB, PROT_NONE but its beginning. */
static int count_arenas(pid_t pid)
{
    char path[64], line[512], rights[8];
    unsigned long begin, end;
    int count = 0;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
    file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file))
        count += sscanf(line, "%lx-%lx %7s", &begin, &end, rights) == 3 &&
                 strcmp(rights, "---p") == 0 && end - begin > (32ul << 20);
    fclose(file);
    return count;
}

static void the_worker_has_one_arena_and_gets_it_with_its_first_load(void **state)
{
    (void)state;
    if (sanitized())
        skip(); /* its allocator is not libc's */
    EACH_WAY(way)
    {
        struct host *host = host_start("confined", *way);

        host_listen(host);
        assert_int_equal(count_arenas(host->pid), 0);
        must_load(host, "answer2");
        assert_int_equal(count_arenas(host->pid), 1);
        must_load(host, "answer3");
        must_revert(host);
        assert_int_equal(count_arenas(host->pid), 1);
        host_stop(host);
    }
}

static void locked_memory_and_address_space_leave_room_or_the_load_is_refused(void **state)
{
    /* kB of address space beyond what the program has; 0: no limit, but memory that is locked */
    static const int rooms[] = {0, 256, 3000, 40000};

    (void)state;
    if (sanitized())
        skip();
    for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++)
        EACH_WAY(way)
        {
            struct host *host = host_start("confined", *way);
            char question[64] = "locked memory";
            struct output *output;

            if (rooms[i] == 0) {
                host_expect(host, "lock-memory 3", "done"); /* MCL_CURRENT | MCL_FUTURE */
            } else {
                char path[64], *size;
                char *status;

                snprintf(path, sizeof(path), "/proc/%d/status", (int)host->pid);
                status = file_text(path);
                size = strstr(status, "VmSize:");
                snprintf(question, sizeof(question), "limit %d %lld", RLIMIT_AS,
                         (atoll(size + 7) + rooms[i]) * 1024);
                free(status);
                host_expect(host, question, "done");
            }
            output = hotpatch(host, "load", pid_text(host->pid), patch_file("answer2"), NULL);
            if (output->status != 0 && output->status != 1)
                fail_msg("%d kB: exit %d: %s", rooms[i], output->status, output->error);
            host_expect(host, "answer", output->status == 0 ? "2" : "1");
            output_free(output);
            assert_asleep(host, question);
            host_stop(host);
        }
}

/* ---- the host's own threads and processes ---- */

static int count_threads_of(unsigned uid)
{
    char command[128];
    FILE *pipe;
    int count = 0;

    snprintf(command, sizeof(command), "ps -L -o lwp= -U %u | wc -l", uid);
    pipe = popen(command, "r");
    assert_non_null(pipe);
    assert_int_equal(fscanf(pipe, "%d", &count), 1);
    pclose(pipe);
    return count;
}

/* RLIMIT_NPROC leaves no room but ours: the host's thread or child comes all the same, and a ring brings
 * ours back where there is room again. */
static void the_hosts_threads_and_children_come_before_ours(void **state)
{
    static const char *const questions[] = {"thread",         "child",           "child-by fork",
                                            "child-by clone", "child-by clone3", "child-by vfork"};

    (void)state;
    if (geteuid() != 0 || sanitized())
        skip();
    for (unsigned i = 0; i < sizeof(questions) / sizeof(questions[0]); i++)
        EACH_WAY(way)
        {
            struct host *host = host_start("confined", *way);
            const unsigned uid = 20000 + (unsigned)host->pid % 30000;
            char question[64];

            assert_int_equal(chown(host->directory, uid, uid), 0);
            snprintf(question, sizeof(question), "setuid %u", uid);
            host_expect(host, question, "done");
            become_child(host); /* whose FIFO is the user's */
            must_load(host, "answer2");
            snprintf(question, sizeof(question), "limit %d %d", RLIMIT_NPROC,
                     count_threads_of(uid));
            host_expect(host, question, "done");
            host_expect(host, questions[i], "done");
            host_expect(host, questions[i], "done");
            host_expect(host, "answer", "2");
            must_revert(host);
            host_expect(host, "answer", "1");
            host_stop(host);
        }
}

/* ---- umask ---- */

static void assert_modes(struct host *host, const char *directory)
{
    DIR *entries = opendir(directory);
    struct stat st;

    assert_non_null(entries);
    for (struct dirent *entry; (entry = readdir(entries));) {
        mode_t expected;

        if (entry->d_name[0] == '.')
            continue;
        assert_int_equal(fstatat(dirfd(entries), entry->d_name, &st, AT_SYMLINK_NOFOLLOW), 0);
        expected = S_ISDIR(st.st_mode) ? 0700 : strstr(entry->d_name, ".so") ? 0500 : 0600;
        if ((st.st_mode & 07777) != expected)
            fail_msg("%s/%s: mode %04o", directory, entry->d_name, st.st_mode & 07777);
        if (S_ISDIR(st.st_mode)) {
            char below[512];

            snprintf(below, sizeof(below), "%s/%.200s", directory, entry->d_name);
            assert_modes(host, below);
        }
    }
    closedir(entries);
}

static void the_umask_does_not_matter(void **state)
{
    static const char *const masks[] = {"0777", "0477"};

    (void)state;
    for (size_t i = 0; i < sizeof(masks) / sizeof(masks[0]); i++)
        for (int user = 0; user < 2; user++)
            EACH_WAY(way)
            {
                struct host *host = host_start("confined", *way);
                char question[32];

                snprintf(question, sizeof(question), "umask %s", masks[i]);
                host_expect(host, question, "done");
                if (user == 1 && geteuid() == 0) {
                    assert_int_equal(chmod(host->scratch, 0755), 0);
                    assert_int_equal(chown(host->directory, 61234, 61234), 0);
                    host_expect(host, "setuid 61234", "done");
                }
                become_child(host);
                must_load(host, "answer2");
                host_expect(host, "answer", "2");
                assert_modes(host, host->directory);
                host_expect(host, "get-umask", masks[i]);
                host_stop(host);
            }
}

/* ---- a user's command and a user's process ---- */

/* A child has no FIFO before its first ring, and the user may not enter root's directory, where the command
 * looks for one too. */
static void a_user_reaches_a_child_that_has_no_fifo_yet(void **state)
{
    static const char *const masks[] = {"0777", "0477", "0000"};

    (void)state;
    if (geteuid() != 0)
        skip();
    assert_true(mkdir("/run/hotpatch", 0700) == 0 || errno == EEXIST);
    for (size_t i = 0; i < sizeof(masks) / sizeof(masks[0]); i++)
        EACH_WAY(way)
        {
            struct host *host = host_start("confined", *way);
            char question[32];
            struct output *output;

            assert_int_equal(chmod(host->scratch, 0755), 0);
            assert_int_equal(chown(host->directory, 61234, 61234), 0);
            snprintf(question, sizeof(question), "umask %s", masks[i]);
            host_expect(host, question, "done");
            host_expect(host, "setuid 61234", "done");
            host_expect(host, "dumpable", "done");
            become_child(host);
            output = run_program(host, (const char *[]){"setpriv", "--reuid=61234", "--regid=61234",
                                                        "--clear-groups", built("hotpatch"), "load",
                                                        pid_text(host->pid), patch_file("answer2"),
                                                        NULL});
            if (output->status != 0)
                fail_msg("umask %s: exit %d: %s", masks[i], output->status, output->error);
            output_free(output);
            host_expect(host, "answer", "2");
            host_stop(host);
        }
}

/* ---- locale ---- */

/* A patch whose library the dynamic linker opens, and finds to be none. */
static const char *needs_wrong(struct host *host)
{
    char command[1024];

    snprintf(command, sizeof(command),
             "cd %s && echo 'int lost(void) { return 1; }' > lost.c && "
             "gcc -shared -fPIC -o liblost.so lost.c && "
             "gcc -shared -fPIC -I'%s' -o needs.so '%s' -Wl,--no-as-needed -L. -llost "
             "-Wl,-rpath,%s && "
             "head -c 1000 /dev/zero > liblost.so",
             host->scratch, source_file("include"), source_file("tests/patches/answer2.c"),
             host->scratch);
    assert_int_equal(system(command), 0);
    return host_path(host, "needs.so");
}

static void speak_german(const char *locale, const char *const *way)
{
    char path[64];
    const char *const environment[] = {way[0], path, NULL};
    struct host *host;
    struct output *output;

    snprintf(path, sizeof(path), "LOCPATH=%s", locale);
    host = host_start("confined", environment);
    host_expect(host, "locale de_DE.UTF-8", "done");
    host_listen(host);
    output = hotpatch(host, "load", pid_text(host->pid), needs_wrong(host), NULL);
    assert_int_equal(output->status, 1);
    assert_non_null(strstr(output->error, "invalid ELF header"));
    output_free(output);
    output = hotpatch(host, "load", pid_text(host->pid), "--fail", "answer=3", "--probability",
                      "0.5", NULL);
    assert_int_equal(output->status, 0);
    output_free(output);
    output = hotpatch(host, "status", pid_text(host->pid), "--json", NULL);
    assert_non_null(strstr(output->out, "probability=0.5"));
    json_object_put(json_tokener_parse(output->out));
    output_free(output);
    must_revert(host);
    host_stop(host);
}

static void texts_are_english_and_numbers_have_points(void **state)
{
    char directory[] = "/tmp/hotpatch-locale-XXXXXX", command[256];

    (void)state;
    assert_non_null(mkdtemp(directory));
    snprintf(command, sizeof(command), "localedef -i de_DE -f UTF-8 %s/de_DE.UTF-8", directory);
    assert_int_equal(system(command), 0);
    EACH_WAY(way) speak_german(directory, *way);
    snprintf(command, sizeof(command), "rm -r %s", directory);
    assert_int_equal(system(command), 0);
}

/* ---- what stands in for libc ---- */

static void patch_past_lies(const char *preload, const char *const *way)
{
    const char *const environment[] = {way[0], preload, NULL};
    struct host *host = host_start("confined", environment);

    must_load(host, "answer2");
    host_expect(host, "answer", "2");
    must_revert(host);
    host_expect(host, "answer", "1");
    host_stop(host);
}

/* hosts/liblies.c: clocks that stand, waits that do not wait, files of another user. */
static void libraries_that_stand_in_for_libc_are_not_asked(void **state)
{
    char before[512], after[512];

    (void)state;
    if (sanitized())
        skip(); /* its runtime stands in for the same calls, and asks the next one */
    snprintf(before, sizeof(before), "LD_PRELOAD=%s:%s", built("hosts/liblies.so"),
             built("libhotpatch_preload.so"));
    snprintf(after, sizeof(after), "LD_PRELOAD=%s:%s", built("libhotpatch_preload.so"),
             built("hosts/liblies.so"));
    EACH_WAY(way)
    {
        patch_past_lies(before, *way);
        patch_past_lies(after, *way);
    }
}

static void the_command_does_not_ask_them_either(void **state)
{
    char preload[256];

    (void)state;
    if (sanitized())
        skip();
    snprintf(preload, sizeof(preload), "LD_PRELOAD=%s", built("hosts/liblies.so"));
    EACH_WAY(way)
    {
        struct host *host = host_start("confined", *way);
        const char *const load[] = {
            "env", preload, built("hotpatch"), "load", pid_text(host->pid), patch_file("answer2"),
            NULL};
        struct output *output = run_program(host, load);

        if (output->status != 0)
            fail_msg("load: exit %d: %s%s", output->status, output->out, output->error);
        output_free(output);
        host_expect(host, "answer", "2");
        host_stop(host);
    }
}

/*
 * Every function of another library that shim and engine use, reviewed. What only the kernel knows (clocks, files,
 * users, waits) is asked by system calls; memory comes from the heap; no function here depends on the process's
 * locale unless the thread has the "C" locale (listener.c, linker_error.c). Before a name is added here: may a library
 * that stands in for libc lie about it, does it allocate, take a lock of the host's, or translate a text?
 */
static const char both_may_use[] =
    /* of the compiler and the dynamic linker */
    "_ITM_deregisterTMCloneTable|_ITM_registerTMCloneTable|__cxa_finalize|__gmon_start__|__errno_"
    "location|"
    "_dl_find_object|dl_iterate_phdr|dlerror|dlopen|dlsym|getauxval|"
    /* on memory alone */
    "memchr|memcmp|memcpy|memmem|memmove|memset|strcasecmp|strchr|strcmp|strcpy|strcspn|strlen|"
    "strncasecmp|strncmp|strnlen|"
    "strrchr|strsep|strspn|strstr|strtol|strtoul|strtoull|snprintf|vsnprintf|"
    /* what clang makes of memcmp and strcpy */
    "bcmp|strcat|"
    /* the thread's own locale; mutexes of ours */
    "newlocale|uselocale|pthread_mutex_lock|pthread_mutex_unlock|"
    /* a mapping of ours: no library stands in for it without passing it on */
    "munmap";
static const char shim_may_use[] =
    /* the environment at the start, and what libc keeps about the process */
    "__environ|environ|__libc_single_threaded|__libc_current_sigrtmax|__libc_current_sigrtmin|"
    "__rseq_offset|__rseq_size|gnu_get_libc_version|dladdr|__register_atfork|"
    /* the end of the process, as the host's last thread brings it about */
    "_exit|exit|"
    /* our threads and their stacks */
    "pthread_attr_destroy|pthread_attr_init|pthread_attr_setstack|pthread_join|pthread_key_create|"
    "pthread_self|pthread_setspecific|sched_yield|madvise|mprotect|"
    /* of a relative path in LD_PRELOAD or HOTPATCH_PATCH, which libc's dynamic linker completes likewise */
    "getcwd|"
    "sigaddset|sigemptyset|strtok_r";
static const char engine_may_use[] =
    /* libelf, whose memory is the heap's */
    "elf_begin|elf_end|elf_errmsg|elf_getscn|elf_getshdrstrndx|elf_kind|elf_memory|elf_nextscn|elf_"
    "strptr|"
    "elf_version|gelf_getclass|gelf_getphdr|gelf_getshdr|"
    "__ctype_b_loc|dlclose|dlinfo|dlvsym|fnmatch|mmap|mremap|pthread_mutex_destroy|pthread_mutex_"
    "init|"
    "sprintf|stpcpy|strerrorname_np|strncpy|strtoll|sysconf";

static int strangers(const char *library, const char *own)
{
    char command[4096];

    snprintf(command, sizeof(command),
             "nm -D --undefined-only %s | awk '{ sub(\"@.*\", \"\", $2); print $2 }' | "
             "grep -vxE '%s|%s'",
             built("%s", library), both_may_use, own);
    return system(command); /* it prints what it found, and succeeds then */
}

static void shim_and_engine_use_no_function_that_was_not_reviewed(void **state)
{
    (void)state;
    if (sanitized())
        skip();
    assert_int_not_equal(strangers("libhotpatch_preload.so", shim_may_use), 0);
    assert_int_not_equal(strangers("libhotpatch_engine.so", engine_may_use), 0);
}

/* ---- AddressSanitizer ---- */

static void say_what_is_done(const char *target)
{
    struct output *output =
        run_program(NULL, (const char *[]){built("hotpatch"), "doctor", target, NULL});

    if (!strstr(output->out, "ok    sanitizer") || !strstr(output->out, "libasan.so"))
        fail_msg("doctor %s: %s%s", target, output->out, output->error);
    output_free(output);
}

/* The program prints its process's number and waits for the end of its input. */
static void run_starts_a_program_that_needs_libasan_and_doctor_says_so(void **state)
{
    char directory[] = "/tmp/hotpatch-asan-XXXXXX", command[768], text[64] = "";
    FILE *pipe;

    (void)state;
    if (sanitized())
        skip();
    assert_non_null(mkdtemp(directory));
    snprintf(command, sizeof(command),
             "cd %s && mkfifo hold && echo '#include <stdio.h>\n#include <unistd.h>\n"
             "int main(void) { char c; printf(\"%%d\", getpid()); putchar(10); fflush(stdout); "
             "return read(0, &c, 1) != 0; }' | gcc -fsanitize=address -x c -o program -",
             directory);
    assert_int_equal(system(command), 0);
    snprintf(command, sizeof(command), "%s/program", directory);
    say_what_is_done(command);
    snprintf(command, sizeof(command), "cd %s && HOTPATCH_DIR=%s exec %s run ./program < hold",
             directory, directory, built("hotpatch"));
    pipe = popen(command, "r");
    assert_non_null(pipe);
    snprintf(command, sizeof(command), "%s/hold", directory);
    int hold = open(command, O_WRONLY);

    assert_true(hold >= 0);
    assert_non_null(fgets(text, sizeof(text), pipe));
    text[strcspn(text, "\n")] = '\0';
    say_what_is_done(text);
    close(hold);
    assert_int_equal(pclose(pipe), 0);
    snprintf(command, sizeof(command), "rm -r %s", directory);
    assert_int_equal(system(command), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wait_that_the_kernel_refuses_is_no_loop),
        cmocka_unit_test(a_process_that_may_open_nothing_more_answers),
        cmocka_unit_test(a_process_that_could_open_nothing_from_the_start_is_refused),
        cmocka_unit_test(the_worker_has_one_arena_and_gets_it_with_its_first_load),
        cmocka_unit_test(locked_memory_and_address_space_leave_room_or_the_load_is_refused),
        cmocka_unit_test(the_hosts_threads_and_children_come_before_ours),
        cmocka_unit_test(the_umask_does_not_matter),
        cmocka_unit_test(a_user_reaches_a_child_that_has_no_fifo_yet),
        cmocka_unit_test(texts_are_english_and_numbers_have_points),
        cmocka_unit_test(libraries_that_stand_in_for_libc_are_not_asked),
        cmocka_unit_test(the_command_does_not_ask_them_either),
        cmocka_unit_test(shim_and_engine_use_no_function_that_was_not_reviewed),
        cmocka_unit_test(run_starts_a_program_that_needs_libasan_and_doctor_says_so),
    };

    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests_name("surroundings", tests, NULL, NULL);
}
