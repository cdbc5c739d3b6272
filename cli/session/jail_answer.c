/* jail_answer.c - see jail_answer.h. */
#include "cli/session/jail_answer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <limits.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base_name.h"
#include "base/utf8.h"
#include "cli/output/output.h"
#include "cli/process/proc_maps.h"
#include "cli/session/engine_files.h"

#define QUESTIONS_MAX 20000 /* of one request: a process may ask without end */
#define TIMES_MAX 2         /* that one patch is copied */
#define NAME_MAX_LENGTH 8   /* of a socket: the kernel gives five digits */

struct answer {
    int fd;    /* or -1 */
    int error; /* errno */
    char text[PATH_MAX];
};

/* ---- the process's own /proc ---- */

struct thread_search {
    pid_t pid;
    pid_t inner; /* its number may be that of another namespace */
    pid_t found;
};

static int is_inner_thread(pid_t tid, void *context)
{
    struct thread_search *search = context;

    if (process_inner_tid(search->pid, tid) != search->inner)
        return 0;
    search->found = tid;
    return 1;
}

/* Return the thread that the process knows as `inner`; 0: there is none. */
static pid_t outer_thread(const struct process *process, pid_t inner)
{
    struct thread_search search = {process->pid, inner, 0};

    process_threads(process->pid, is_inner_thread, &search);
    return search.found;
}

static void open_path(struct answer *answer, const char *path)
{
    answer->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    answer->error = answer->fd < 0 ? errno : 0;
}

static void open_own(struct answer *answer, const struct process *process, const char *name)
{
    char path[96];

    snprintf(path, sizeof(path), "/proc/%d/%s", process->view, name);
    open_path(answer, path);
}

/* "TID/NAME" */
static void open_task(struct answer *answer, const struct process *process, const char *what)
{
    static const char *const names[] = {"status", "stat", "syscall", "comm"};
    char *end, path[96];
    pid_t tid = outer_thread(process, (pid_t)strtol(what, &end, 10));

    answer->error = ENOENT;
    for (size_t i = 0; tid && *end == '/' && i < sizeof(names) / sizeof(*names); i++)
        if (strcmp(end + 1, names[i]) == 0) {
            snprintf(path, sizeof(path), "/proc/%d/task/%d/%s", process->pid, tid, names[i]);
            open_path(answer, path);
        }
}

/* A record of getdents64(2). */
struct record {
    uint64_t inode;
    int64_t offset;
    uint16_t length;
    uint8_t type;
    char name[13];
};

_Static_assert(sizeof(struct record) == 32,
               "what is read in pieces of 4,096 bytes holds whole records");

struct task_list {
    pid_t pid;
    int file;
};

static int list_task(pid_t tid, void *context)
{
    const struct task_list *list = context;
    struct record record = {.inode = 1, .length = sizeof(record), .type = DT_DIR};

    snprintf(record.name, sizeof(record.name), "%d", process_inner_tid(list->pid, tid));
    return write(list->file, &record, sizeof(record)) == sizeof(record) ? 0 : -EIO;
}

/* Answer with a file of directory records in place of the directory /proc/PID/task, by which a process could
 * leave the jail. */
static void list_tasks(struct answer *answer, const struct process *process)
{
    struct task_list list = {process->pid, memfd_create("hotpatch", MFD_CLOEXEC)};

    answer->fd = list.file;
    answer->error = list.file < 0 ? errno : -process_threads(process->pid, list_task, &list);
    if (list.file >= 0)
        lseek(list.file, 0, SEEK_SET);
}

/* ---- files that it has mapped ---- */

static bool is_regular(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

/* Return whether the file is the one of `map`: maps names the same device and inode when this command maps it.
 * fstat(2) names others on some file systems. */
static bool is_mapped_file(int fd, const struct proc_map *map)
{
    void *here = is_regular(fd) ? mmap(NULL, 1, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
    struct proc_map own;
    char *maps;
    bool same;

    if (here == MAP_FAILED)
        return false;
    maps = process_file(getpid(), 0, "maps", NULL);
    same = proc_map_at(maps, (uintptr_t)here, &own) && own.inode == map->inode &&
           own.device == map->device;
    free(maps);
    munmap(here, 1);
    return same;
}

/* Open the file of a mapping. /proc/PID/map_files leads to that file. Where it may not be used, the path in maps
 * is opened, which may be the name of another file here. */
static void open_mapping(struct answer *answer, const struct process *process,
                         const struct proc_map *map)
{
    char *path =
        format_text("/proc/%d/map_files/%" PRIx64 "-%" PRIx64, process->view, map->begin, map->end);
    bool right;

    open_path(answer, path);
    free(path);
    right = answer->fd >= 0 && is_regular(answer->fd);
    if (answer->fd < 0) {
        open_path(answer, map->path);
        right = answer->fd >= 0 && is_mapped_file(answer->fd, map);
    }
    if (answer->fd < 0 || right)
        return;
    close(answer->fd);
    answer->fd = -1;
    answer->error = ENOENT;
}

/* "object ADDRESS" */
static void open_object(struct answer *answer, const struct process *process, const char *address)
{
    char *maps = process_file(process->view, 0, "maps", NULL);
    struct proc_map map;

    answer->error = ENOENT;
    if (proc_map_at(maps, strtoull(address, NULL, 16), &map) && *map.path == '/')
        open_mapping(answer, process, &map);
    free(maps);
}

static void open_exe_file(struct answer *answer, const struct process *process)
{
    open_own(answer, process, "exe");
    snprintf(answer->text, sizeof(answer->text), "%s", process->exe ? process->exe : "");
}

/* ---- files that are put into the jail ---- */

static void refuse_answer(struct answer *answer, struct refusal *why)
{
    answer->error = EACCES;
    snprintf(answer->text, sizeof(answer->text), "%s",
             why->count && why->items[0].text ? why->items[0].text : "");
    refusal_clear(why);
}

static bool has_files(struct jail_answers *answers, struct answer *answer)
{
    struct refusal why = {0};

    if (!answers->files)
        answers->files = jail_files_make(answers->process, answers->id, &why);
    if (!answers->files)
        refuse_answer(answer, &why);
    return answers->files != NULL;
}

static void bring_engine(struct jail_answers *answers, struct answer *answer)
{
    struct refusal why = {0};
    struct texts files = {0};
    size_t length;

    if (!has_files(answers, answer))
        return;
    snprintf(answer->text, sizeof(answer->text), "%s", jail_files_path(answers->files));
    engine_files_find(answers->process, &files, &why);
    for (size_t i = 0; i < files.count && why.count == 0; i++) {
        int fd = jail_files_copy(answers->files, files.list[i], base_name(files.list[i]), &why);

        if (fd >= 0)
            close(fd);
        length = strlen(answer->text);
        snprintf(answer->text + length, sizeof(answer->text) - length, " %s",
                 base_name(files.list[i]));
    }
    texts_free(&files);
    answer->fd = why.count ? -1 : dup(jail_files_directory(answers->files));
    if (why.count)
        refuse_answer(answer, &why);
}

/* Copy `source` into the jail as `name`, which is freed. No other load uses the name: ld.so takes a library with
 * a known name for loaded. */
static void bring_file(struct jail_answers *answers, struct answer *answer, const char *source,
                       char *name)
{
    struct refusal why = {0};

    snprintf(answer->text, sizeof(answer->text), "%s/%s", jail_files_path(answers->files), name);
    answer->fd = jail_files_copy(answers->files, source, name, &why);
    answer->error = 0;
    if (answer->fd < 0)
        refuse_answer(answer, &why);
    free(name);
}

static bool may_bring(struct jail_answers *answers, struct answer *answer)
{
    answer->error = EACCES;
    return answers->brought++ < answers->patch_count * TIMES_MAX && has_files(answers, answer);
}

static void bring_patch(struct jail_answers *answers, struct answer *answer, size_t number)
{
    if (may_bring(answers, answer))
        bring_file(answers, answer, answers->patches[number],
                   format_text("%s-%zu-%u.so", answers->id, number, answers->given));
}

/* Open a memory file in the listener's table: the file that the listener makes of a patch before it is loaded. No
 * other file is copied by root for the process. */
static int open_memory_file(const struct jail_answers *answers, int number)
{
    char *path =
        format_text("/proc/%d/task/%d/fd/%d", answers->process->pid, answers->thread, number);
    int named = open(path, O_PATH | O_CLOEXEC), own = memfd_create("hotpatch", MFD_CLOEXEC),
        fd = -1;
    struct stat st, ours;

    free(path);
    /* All memory files, and nothing that has a name, are of one device. */
    if (named >= 0 && own >= 0 && fstat(named, &st) == 0 && fstat(own, &ours) == 0 &&
        S_ISREG(st.st_mode) && st.st_dev == ours.st_dev && st.st_uid == answers->process->euid) {
        path = format_text("/proc/self/fd/%d", named);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        free(path);
    }
    if (named >= 0)
        close(named);
    if (own >= 0)
        close(own);
    return fd;
}

/* "copy NUMBER" */
static void bring_copy(struct jail_answers *answers, struct answer *answer, const char *number)
{
    int memory = may_bring(answers, answer) ? open_memory_file(answers, atoi(number)) : -1;
    char *source;

    if (memory < 0)
        return;
    source = format_text("/proc/self/fd/%d", memory);
    bring_file(answers, answer, source, format_text("%s-c-%u.so", answers->id, answers->given));
    free(source);
    close(memory);
}

/* Answer with the directory itself, for a worker that may not search the root directory. */
static void open_jail_directory(struct jail_answers *answers, struct answer *answer)
{
    answer->fd = dup(jail_files_directory(answers->files));
    answer->error = answer->fd < 0 ? errno : 0;
}

/* ---- questions ---- */

static bool is_directory_of(const struct jail_answers *answers, const char *what)
{
    return answers->files && strcmp(what, jail_files_path(answers->files)) == 0;
}

static void answer_find(struct jail_answers *answers, const char *what, struct answer *answer)
{
    const struct process *process = answers->process;

    for (size_t i = 0; i < answers->patch_count; i++)
        if (utf8_is_shown_as(answers->patches[i], what)) { /* `what` has been JSON */
            bring_patch(answers, answer, i);
            return;
        }
    if (strcmp(what, "/proc/thread-self/maps") == 0)
        open_own(answer, process, "maps");
    else if (strcmp(what, "/proc/self/stat") == 0)
        open_own(answer, process, "stat");
    else if (strcmp(what, "/proc/self/exe") == 0)
        open_exe_file(answer, process);
    else if (strcmp(what, "/proc/self/task") == 0)
        list_tasks(answer, process);
    else if (strncmp(what, "/proc/self/task/", 16) == 0)
        open_task(answer, process, what + 16);
    else if (strncmp(what, "object ", 7) == 0)
        open_object(answer, process, what + 7);
    else if (strncmp(what, "copy ", 5) == 0)
        bring_copy(answers, answer, what + 5);
    else if (strcmp(what, "engine") == 0)
        bring_engine(answers, answer);
    else if (is_directory_of(answers, what))
        open_jail_directory(answers, answer);
    else
        answer->error = ENOENT;
}

/* ---- sending ---- */

static int send_from_here(const char *name, const char *text, int fd)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t length = strlen(name);
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec part = {(char *)text, strlen(text)};
    struct msghdr message = {
        .msg_name = &to,
        .msg_namelen = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length),
        .msg_iov = &part,
        .msg_iovlen = 1,
    };
    int socket_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), result;

    memcpy(to.sun_path + 1, name, length);
    if (fd >= 0) {
        message.msg_control = control;
        message.msg_controllen = sizeof(control);
        CMSG_FIRSTHDR(&message)->cmsg_level = SOL_SOCKET;
        CMSG_FIRSTHDR(&message)->cmsg_type = SCM_RIGHTS;
        CMSG_FIRSTHDR(&message)->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)), &fd, sizeof(fd));
    }
    result = socket_fd < 0 || sendmsg(socket_fd, &message, MSG_NOSIGNAL) < 0 ? -1 : 0;
    if (socket_fd >= 0)
        close(socket_fd);
    return result;
}

/* Send from the process's network namespace, to which abstract names belong (unix(7)); a child process goes
 * there. */
static void send_from_there(const struct process *process, const char *name, const char *text,
                            int fd)
{
    char path[64];
    int namespace;
    pid_t child;

    snprintf(path, sizeof(path), "/proc/%d/ns/net", process->view);
    namespace = open(path, O_RDONLY | O_CLOEXEC);
    child = namespace < 0 ? -1 : fork();
    if (child == 0)
        _exit(setns(namespace, CLONE_NEWNET) != 0 || send_from_here(name, text, fd) != 0);
    while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
        ;
    if (namespace >= 0)
        close(namespace);
}

static void send_answer(const struct process *process, unsigned number, const char *to,
                        const struct answer *answer)
{
    char *text =
        format_text("%u %d %s", number, answer->fd < 0 && !answer->error ? ENOENT : answer->error,
                    answer->text);

    if (process->foreign_net)
        send_from_there(process, to, text, answer->fd);
    else
        send_from_here(to, text, answer->fd);
    free(text);
}

bool jail_answer(struct jail_answers *answers, struct json_object *line)
{
    struct answer *answer;
    const char *what = json_text(line, "need"), *to = json_text(line, "to");

    if (!*what || strlen(to) > NAME_MAX_LENGTH || answers->given++ > QUESTIONS_MAX)
        return *what != 0;
    answer = allocate(sizeof(*answer));
    *answer = (struct answer){.fd = -1};
    answer_find(answers, what, answer);
    send_answer(answers->process, (unsigned)json_integer(line, "ask", 0), to, answer);
    if (answer->fd >= 0)
        close(answer->fd);
    free(answer);
    return true;
}

void jail_answers_end(struct jail_answers *answers)
{
    jail_files_remove(answers->files);
    answers->files = NULL;
}
