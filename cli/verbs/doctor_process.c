/* doctor_process.c - see doctor_process.h. */
#include "cli/verbs/doctor_process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base_name.h"
#include "base/machine.h"
#include "cli/debug/first_library.h"
#include "cli/output/output.h"
#include "cli/process/channel.h"
#include "cli/process/listens.h"
#include "cli/process/runtime_dirs.h"
#include "cli/session/jail_files.h"
#include "cli/session/reply.h"
#include "cli/verbs/preload_check.h"
#include "elf/functions.h"
#include "elf/functions_read.h"

enum { LOOKS = 50, LOOK_INTERVAL_US = 10000 };

#define ENGINE "libhotpatch_engine.so"

static void examine_state(const struct process *process, struct findings *findings)
{
    long tracer = process_status_number(process->pid, 0, "TracerPid:");

    finding_add(findings, FINDING_OK, HP_NONE, "process", "%d runs %s as user %u", process->pid,
                process->exe ? process->exe : process->comm, process->euid);
    if (process->state == 'T' || process->state == 't')
        finding_add(findings, FINDING_WARN, HP_NONE, "process",
                    "it is stopped: requests wait until it goes on");
    if (process->state == 'Z')
        finding_add(findings, FINDING_OK, HP_NONE, "process",
                    "its main thread has exited, others run on");
    if (tracer > 0)
        finding_add(findings, FINDING_WARN, HP_NONE, "process",
                    "process %ld traces it: a debugger may hold it up", tracer);
    if (process->foreign_root)
        finding_add(findings, FINDING_OK, HP_NONE, "process",
                    "its root or mount namespace is another: patches are copied to it");
    if (process->hidden_root)
        finding_add(findings, FINDING_WARN, HP_NONE, "process",
                    "its root directory cannot be looked at: it may be another");
}

static void examine_program(const struct process *process, struct findings *findings)
{
    struct verdict *verdict = allocate(sizeof(*verdict));
    struct refusal why = {0};
    char link[64];

    snprintf(link, sizeof(link), "/proc/%d/exe", process->view);
    if (process->emulated)
        finding_add(findings, FINDING_WARN, HP_NONE, "program",
                    "an emulator runs it: declared slots and imports alone can be patched");
    else if (process->exe && strstr(process->exe, "/valgrind/"))
        finding_add(findings, FINDING_NO, HP_STATIC, "program", "it runs under valgrind");
    else if (access(link, R_OK) != 0)
        finding_add(findings, FINDING_WARN, HP_NONE, "program", "its file cannot be read");
    else if (preload_check(link, verdict, &why) != 0)
        finding_add_refusal(findings, "program", &why);
    else
        finding_add(findings, FINDING_OK, HP_NONE, "program", "dynamic, %s, glibc", machine_family);
    free(verdict);
}

/* Of the program's file, as it was executed. What cannot be read is said elsewhere. */
static void examine_text(const struct process *process, struct findings *findings)
{
    struct functions *functions;
    struct elf_error ignored;
    char link[64];
    int file;

    if (process->emulated) /* that file is the emulator's */
        return;
    snprintf(link, sizeof(link), "/proc/%d/exe", process->view);
    file = open(link, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return;
    if (functions_of_file(&functions, file, &ignored) == 0) {
        finding_add_text(findings, functions);
        functions_close(functions);
    }
    close(file);
}

static void examine_library(const struct process *process, struct findings *findings)
{
    char *preload = process_environ(process, "LD_PRELOAD");

    if (process->shim)
        finding_add(findings, FINDING_OK, HP_NONE, "library", "%s is mapped", process->shim);
    else if (!process->maps_readable)
        finding_add(findings, FINDING_WARN, HP_NONE, "library", "its mappings cannot be read");
    else if (preload && strstr(preload, "libhotpatch_preload"))
        finding_add(findings, FINDING_NO, HP_NO_SHIM, "library",
                    "LD_PRELOAD=%s was set, and the dynamic linker did not load it", preload);
    else
        finding_add(findings, FINDING_NO, HP_NO_SHIM, "library",
                    "it is not mapped: LD_PRELOAD was %s", preload ? preload : "not set");
    free(preload);
}

static void examine_settings(const struct process *process, struct findings *findings)
{
    static const char *const names[] = {"HOTPATCH_DISABLE", "HOTPATCH_EXCLUDE", "HOTPATCH_INCLUDE"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char *value = process_environ(process, names[i]);

        if (value && *value)
            finding_add(findings, FINDING_WARN, HP_NONE, "settings", "%s=%s was set", names[i],
                        value);
        free(value);
    }
    if (process_listens(process) == LISTENS_NEVER)
        finding_add(findings, FINDING_WARN, HP_NONE, "settings", "HOTPATCH_LISTEN=never was set");
}

static void examine_first_of_process(const struct process *process, struct findings *findings)
{
    char link[64], *first, *preload;

    snprintf(link, sizeof(link), "/proc/%d/exe", process->view);
    first = first_library(link);
    if (!first)
        return;
    preload = process_environ(process, "LD_PRELOAD");
    if (process->shim && preload && strstr(preload, first))
        finding_add(findings, FINDING_OK, HP_NONE, "sanitizer",
                    "%s, which the program needs first, is in LD_PRELOAD", first);
    else
        finding_add(
            findings, process->shim ? FINDING_OK : FINDING_WARN, HP_NONE, "sanitizer",
            "it needs %s, which must come first: hotpatch run puts it before the library in "
            "LD_PRELOAD",
            first);
    free(preload);
    free(first);
}

static bool same_open_file(int a, int b)
{
    struct stat left, right;

    return fstat(a, &left) == 0 && fstat(b, &right) == 0 && left.st_dev == right.st_dev &&
           left.st_ino == right.st_ino;
}

static void examine_directories(const struct process *process, const struct channel *channel,
                                struct findings *findings)
{
    size_t count, shown = 0;
    struct dir_candidate *list = candidates_find(process, &count);

    for (size_t i = 0; i < count; i++) {
        bool chosen = list[i].fd >= 0 && same_open_file(list[i].fd, channel->dir);

        if (chosen && !shown++)
            finding_add(findings, FINDING_OK, HP_NONE, "directory",
                        "%s (%s), of user %u, mode %04o", list[i].path, list[i].origin,
                        list[i].owner, list[i].mode);
        else if (list[i].fd < 0 && list[i].error != ENOENT)
            finding_add(findings, FINDING_WARN, HP_NONE, "directory", "%s (%s)", list[i].why,
                        list[i].origin);
    }
    if (!channel->path)
        finding_add(findings, FINDING_WARN, HP_NONE, "directory", "it has no runtime directory");
    candidates_free(list, count);
}

struct thread_rights {
    pid_t pid;
    uint64_t capabilities;
    long seccomp;
    long no_new_privs;
    size_t threads;
    size_t richer; /* threads of the shim with rights that the program gave up */
};

static int compare_rights(pid_t tid, void *context)
{
    struct thread_rights *rights = context;
    uint64_t capabilities = 0;

    rights->threads++;
    process_mask(rights->pid, tid, "CapEff:", &capabilities);
    if ((capabilities & ~rights->capabilities) ||
        process_status_number(rights->pid, tid, "Seccomp:") < rights->seccomp ||
        process_status_number(rights->pid, tid, "NoNewPrivs:") < rights->no_new_privs)
        rights->richer++;
    return 0;
}

static void examine_threads(const struct process *process, bool waits, struct findings *findings)
{
    struct thread_rights rights = {.pid = process->pid};

    process_mask(process->pid, 0, "CapEff:", &rights.capabilities);
    rights.seccomp = process_status_number(process->pid, 0, "Seccomp:");
    rights.no_new_privs = process_status_number(process->pid, 0, "NoNewPrivs:");
    process_shim_threads(process->pid, compare_rights, &rights);
    if (rights.threads == 0 && process->emulated) /* said of the FIFO */
        return;
    if (rights.threads == 0 && waits)
        finding_add(findings, FINDING_OK, HP_NONE, "threads",
                    "none yet: the first ring of the doorbell makes them");
    else if (rights.threads == 0 && process_listens(process) == LISTENS_NEVER)
        finding_add(findings, FINDING_NO, HP_NEVER, "threads", "none, and none will be made");
    else if (rights.threads == 0)
        finding_add(findings, FINDING_NO, HP_NOT_LISTENING, "threads",
                    "the library's threads do not run");
    else
        finding_add(findings, rights.threads < 2 ? FINDING_WARN : FINDING_OK, HP_NONE, "threads",
                    "%zu of the library's 2 threads run", rights.threads);
    if (rights.richer)
        finding_add(findings, FINDING_WARN, HP_NONE, "rights",
                    "the program gave up rights since it started; the library's threads follow "
                    "at the next request or refuse it (HP-SANDBOX)");
    else if (rights.threads)
        finding_add(findings, FINDING_OK, HP_NONE, "rights",
                    "the library's threads have no more rights than the program");
}

/* Just behind a request it is busy for a moment. */
static bool listener_waits(const struct process *process, int number)
{
    for (int i = 0; i < LOOKS; i++) {
        if (process_listener(process->pid, number) != 0)
            return true;
        usleep(LOOK_INTERVAL_US);
    }
    return false;
}

static void examine_signal(const struct process *process, bool waits, struct json_object *status,
                           struct findings *findings)
{
    int number = status ? (int)json_integer(status, "signal", 0) : process_doorbell(process);

    if (number < 1 || number > 64)
        finding_add(findings, FINDING_OK, HP_NONE, "signal",
                    "no doorbell; the FIFO works without it");
    else if (process_listens(process) == LISTENS_NEVER)
        finding_add(findings, FINDING_OK, HP_NONE, "signal", "%d is caught, and does nothing",
                    number);
    else if (process->emulated)
        finding_add(findings, FINDING_WARN, HP_NONE, "signal",
                    "the emulator gives signals other numbers: never send it %d", number);
    else if (!process_catches(process, number))
        finding_add(findings, FINDING_WARN, HP_NONE, "signal",
                    "%d is not caught: never send it, it would end the process", number);
    else if (!waits && !listener_waits(process, number))
        finding_add(findings, FINDING_WARN, HP_NONE, "signal",
                    "%d is caught, but no thread of the library waits for it now", number);
    else
        finding_add(findings, FINDING_OK, HP_NONE, "signal", "%d is the doorbell", number);
}

struct trap_blockers {
    pid_t pid;
    size_t count;
};

static int count_if_blocked(pid_t tid, void *context)
{
    struct trap_blockers *blockers = context;
    uint64_t blocked = 0;

    process_mask(blockers->pid, tid, "SigBlk:", &blocked);
    blockers->count += (blocked >> (SIGTRAP - 1)) & 1;
    return 0;
}

/* A function that such a thread is in keeps its first bytes until it sleeps elsewhere. */
static void examine_entries(const struct process *process, struct findings *findings)
{
    struct trap_blockers blockers = {process->pid, 0};

    process_threads(process->pid, count_if_blocked, &blockers);
    if (blockers.count)
        finding_add(findings, FINDING_WARN, HP_NONE, "entries",
                    "%zu of its threads block SIGTRAP: a function is replaced while they sleep, or "
                    "refused (HP-SIGTRAP-BLOCKED)",
                    blockers.count);
    else
        finding_add(findings, FINDING_OK, HP_NONE, "entries", "no thread blocks SIGTRAP");
}

static void examine_status(struct json_object *status, struct findings *findings)
{
    const char *sandbox = json_text(status, "sandbox"), *busy = json_text(status, "busy");

    if (!status) {
        finding_add(findings, FINDING_OK, HP_NONE, "status", "no status file has been written yet");
        return;
    }
    finding_add(findings, FINDING_OK, HP_NONE, "status", "version %s, %lld requests so far",
                json_text(status, "version"), (long long)json_integer(status, "requests", 0));
    if (*sandbox)
        finding_add(findings, FINDING_NO, HP_SANDBOX, "status", "%s", sandbox);
    if (*busy)
        finding_add(findings, FINDING_WARN, HP_NONE, "status", "it is busy with %s", busy);
}

/* proc(5) writes a mapping's path from the reader's root where that can reach it, else from the
 * process's. */
static bool file_is_there(const struct process *process, const char *path)
{
    char *inside = format_text("/proc/%d/root%s", process->view, path);
    bool found = access(inside, R_OK) == 0 || access(path, R_OK) == 0;

    free(inside);
    return found;
}

static bool library_found(const struct process *process, const char *soname)
{
    char *list = format_text("%s:/usr/local/lib", machine_library_path), *rest = list, *place;
    bool found = false;

    while (!found && (place = strsep(&rest, ":"))) {
        char *path = format_text("%s/%s", place, soname);

        found = file_is_there(process, path);
        free(path);
    }
    free(list);
    return found;
}

static const char *library_missing(const struct process *process)
{
    const char *const needed[] = {"libelf.so.1", machine_decoder_libs[0]};

    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
        if (!library_found(process, needed[i]))
            return needed[i];
    return NULL;
}

/* The command brings engine and libraries. */
static void examine_jail(const struct process *process, struct findings *findings)
{
    struct refusal why = {0};
    struct jail_files *files;
    char id[32];

    snprintf(id, sizeof(id), "doctor-%d", (int)getpid());
    files = jail_files_make(process, id, &why);

    if (files)
        finding_add(findings, FINDING_OK, HP_NONE, "engine",
                    "it is put into the root directory for the time of the first load");
    else
        finding_add_refusal(findings, "engine", &why);
    jail_files_remove(files);
    refusal_clear(&why);
}

static void examine_engine(const struct process *process, struct json_object *status,
                           struct findings *findings)
{
    const char *missing;
    char *beside;

    if (json_true(status, "engine")) {
        finding_add(findings, FINDING_OK, HP_NONE, "engine", "it is loaded");
        return;
    }
    if (!process->shim)
        return;
    beside =
        format_text("%.*s" ENGINE, (int)(base_name(process->shim) - process->shim), process->shim);
    if (!file_is_there(process, beside))
        finding_add(findings, FINDING_NO, HP_ENGINE, "engine", "%s is not there", beside);
    else if ((missing = library_missing(process)))
        finding_add(findings, FINDING_WARN, HP_NONE, "engine",
                    "%s is there; %s, which it needs, was not found", beside, missing);
    else
        finding_add(findings, FINDING_OK, HP_NONE, "engine",
                    "%s is there, and is loaded at the first patch", beside);
    free(beside);
}

enum { DAMAGED_NAMED = 3 };

/* Others may write to entries at any moment: the answer counts, not the status file. */
static void examine_damage(struct json_object *status, struct findings *findings)
{
    struct json_object *slots = json_list(status, "slots");
    long long damaged = json_integer(status, "damaged", 0);
    int named = 0;

    if (damaged == 0)
        return;
    finding_add(findings, FINDING_WARN, HP_NONE, "damage",
                "%lld armed %s damaged by what other tools have written there; hotpatch reload "
                "repairs those where the file's bytes are back",
                damaged, damaged == 1 ? "entry is" : "entries are");
    for (size_t i = 0; i < json_length(slots) && named < DAMAGED_NAMED; i++) {
        struct json_object *slot = json_item(slots, i), *damage = NULL;

        if (!json_true(slot, "damaged"))
            continue;
        json_object_object_get_ex(slot, "damage", &damage);
        finding_add(findings, FINDING_WARN, HP_NONE, "damage", "%s: %s", json_text(slot, "name"),
                    json_text(damage, "text"));
        named++;
    }
}

static bool is_found(const struct findings *findings, enum error_code code)
{
    for (size_t i = 0; i < findings->count; i++)
        if (findings->list[i].level == FINDING_NO && findings->list[i].code == code)
            return true;
    return false;
}

/* The last word: does it answer? What stands there already is not said twice. */
static void examine_answer(struct json_object *reply, struct findings *findings)
{
    struct json_object *errors = json_list(reply, "errors"), *first, *status = NULL;
    enum error_code code;

    if (reply_exit(reply) == 0) {
        finding_add(findings, FINDING_OK, HP_NONE, "answer", "it answers requests");
        json_object_object_get_ex(reply, "status", &status);
        examine_damage(status, findings);
        return;
    }
    first = json_length(errors) ? json_item(errors, 0) : NULL;
    code = error_code_of(json_text(first, "code"));
    if (!code)
        code = HP_UNKNOWN;
    if (!is_found(findings, code))
        finding_add(findings, FINDING_NO, code, "answer", "%s", json_text(first, "text"));
}

void process_examine(const struct process *process, struct json_object *reply,
                     struct findings *findings)
{
    struct channel channel;
    struct refusal why = {0};
    struct json_object *status = NULL;
    bool waits = process_waits_for_ring(process);

    examine_state(process, findings);
    examine_program(process, findings);
    examine_library(process, findings);
    examine_first_of_process(process, findings);
    examine_settings(process, findings);
    if (process->maps_readable && !process->shim)
        return;
    if (channel_open(process, &channel, &why) == 0 && channel.jail)
        finding_add(findings, FINDING_OK, HP_NONE, "pipes",
                    "thread %d has pipes for requests and replies, in a root directory without a "
                    "runtime directory",
                    channel.ends.thread);
    else if (channel.fifo >= 0)
        finding_add(findings, FINDING_OK, HP_NONE, "fifo", "%s/%s.fifo has a reader", channel.path,
                    channel.stem);
    else if (waits && why.items[0].code == HP_NOT_LISTENING)
        finding_add(findings, FINDING_OK, HP_NONE, "fifo", "nobody reads it before the first ring");
    else
        finding_add_refusal(findings, "fifo", &why);
    if (!channel.jail)
        examine_directories(process, &channel, findings);
    if (channel.dir >= 0)
        status = status_file_read(channel.dir, process);
    examine_threads(process, waits, findings);
    examine_signal(process, waits, status, findings);
    if (!process->emulated)
        examine_entries(process, findings);
    examine_text(process, findings);
    examine_status(status, findings);
    if (channel.jail)
        examine_jail(process, findings);
    else
        examine_engine(process, status, findings);
    examine_answer(reply, findings);
    json_object_put(status);
    channel_close(&channel);
    refusal_clear(&why);
}
