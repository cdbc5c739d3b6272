/*
 * exec.c - execve(2) and its kin as the host calls them. A ring of the command never comes during an exec
 * (base/exec_notice.h).
 *
 * posix_spawn(3), system(3) and popen(3) are not here. glibc blocks every signal before the child exists. The child
 * unblocks them after it has set every caught signal to its default (sysdeps/unix/sysv/linux/spawni.c). The doorbell
 * is therefore never unblocked and caught in the child.
 *
 * Runs on any thread of the host, also in a signal handler, and in the child of vfork(2), which has its parent's
 * memory: no lock of the shim, no allocation.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "base/state.h"
#include "base/sys.h"
#include "preload/exec_notice.h"
#include "preload/libc_next.h"

#define EXPORTED __attribute__((visibility("default")))

typedef char *const *strings;
typedef int (*with_path)(const char *, strings);
typedef int (*with_environment)(const char *, strings, strings);
typedef int (*by_descriptor)(int, strings, strings);
typedef int (*from_directory)(int, const char *, strings, strings, int);

EXPORTED int execve(const char *path, char *const arguments[], char *const environment[]);
EXPORTED int execv(const char *path, char *const arguments[]);
EXPORTED int execvp(const char *file, char *const arguments[]);
EXPORTED int execvpe(const char *file, char *const arguments[], char *const environment[]);
EXPORTED int fexecve(int fd, char *const arguments[], char *const environment[]);
EXPORTED int execveat(int fd, const char *path, char *const arguments[], char *const environment[],
                      int flags);
EXPORTED int execl(const char *path, const char *argument, ...);
EXPORTED int execlp(const char *file, const char *argument, ...);
EXPORTED int execle(const char *path, const char *argument, ...);

enum { EXECVE, EXECV, EXECVP, EXECVPE, FEXECVE, EXECVEAT, FUNCTIONS };

static _Atomic(void *) next[FUNCTIONS] STATE;

static void *find_exec(int which)
{
    static const char names[FUNCTIONS][10] = {"execve",  "execv",   "execvp",
                                              "execvpe", "fexecve", "execveat"};

    void *symbol = libc_next(names[which], &next[which]);

    return symbol;
}

/* Look execve up at the start, because crash handlers call it. This costs each start 0.7 us. ld.so's lock is free in
 * a child of fork(3), and a thread may take its own lock again in its signal handlers. */
__attribute__((constructor)) static void find_execve(void)
{
    find_exec(EXECVE);
}

/* Make `call` with the function that was found, as `function`. */
#define EXECUTE(which, type, call)                    \
    do {                                              \
        struct exec_guard guard;                      \
        void *symbol = find_exec(which);              \
        type function;                                \
        int result;                                   \
                                                      \
        memcpy(&function, &symbol, sizeof(function)); \
        if (!function) {                              \
            errno = ENOSYS;                           \
            return -1;                                \
        }                                             \
        exec_begin(&guard);                           \
        result = function call;                       \
        exec_failed(&guard);                          \
        return result;                                \
    } while (0)

int execve(const char *path, char *const arguments[], char *const environment[])
{
    EXECUTE(EXECVE, with_environment, (path, arguments, environment));
}

int execv(const char *path, char *const arguments[])
{
    EXECUTE(EXECV, with_path, (path, arguments));
}

int execvp(const char *file, char *const arguments[])
{
    EXECUTE(EXECVP, with_path, (file, arguments));
}

int execvpe(const char *file, char *const arguments[], char *const environment[])
{
    EXECUTE(EXECVPE, with_environment, (file, arguments, environment));
}

int fexecve(int fd, char *const arguments[], char *const environment[])
{
    EXECUTE(FEXECVE, by_descriptor, (fd, arguments, environment));
}

int execveat(int fd, const char *path, char *const arguments[], char *const environment[],
             int flags)
{
    EXECUTE(EXECVEAT, from_directory, (fd, path, arguments, environment, flags));
}

/* ---- arguments one by one: an array of them on the stack, as libc makes it ---- */

/* Count the arguments up to the NULL, which is read too. */
static size_t count(const char *first, va_list *list)
{
    size_t number = 0;

    for (const char *argument = first; argument; argument = va_arg(*list, const char *))
        number++;
    return number;
}

static void gather_arguments(char **to, const char *first, va_list *list)
{
    const char *argument = first;

    for (; argument; argument = va_arg(*list, const char *))
        memcpy(to++, &argument, sizeof(argument));
    *to = NULL;
}

/* Declare `arguments`, those from `first` on, and `list`, which is after their NULL. */
#define GATHER(first)                \
    va_list list, counted;           \
    size_t number;                   \
                                     \
    va_start(list, first);           \
    va_copy(counted, list);          \
    number = count(first, &counted); \
    va_end(counted);                 \
    char *arguments[number + 1];     \
    gather_arguments(arguments, first, &list)

int execl(const char *path, const char *argument, ...)
{
    GATHER(argument);
    va_end(list);
    return execv(path, arguments);
}

int execlp(const char *file, const char *argument, ...)
{
    GATHER(argument);
    va_end(list);
    return execvp(file, arguments);
}

int execle(const char *path, const char *argument, ...)
{
    char **environment;

    GATHER(argument);
    environment = va_arg(list, char **);
    va_end(list);
    return execve(path, arguments, environment);
}
