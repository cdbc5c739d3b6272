/*
 * jail_bring.c - see jail_bring.h.
 *
 * The command replies with the name of the file in the jail. The file is owned by root. Where this process's user may
 * not search the root directory itself (mode 0700, of root), no absolute name works. Then the worker alone makes the
 * command's directory its working directory, by a descriptor, and names are relative to that directory. The
 * descriptor is of a directory in the jail, so the worker can reach no file outside the jail by it.
 *
 * Runs on the listener; two steps run on the worker, which shares the host's descriptor table.
 */
#include "preload/jail_bring.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/sys.h"
#include "preload/jail.h"
#include "preload/worker.h"

#define STEP_LIMIT_MS 2000

struct entering {
    int socket; /* the worker's, in the host's table */
    char name[JAIL_NAME_SIZE];
    unsigned number;
    int result;
};

static void open_socket(void *data)
{
    struct entering *self = data;

    self->socket = jail_socket(self->name);
}

static void receive_and_enter(void *data)
{
    struct entering *self = data;
    char text[16];
    int directory = jail_receive(self->socket, self->number, text, sizeof(text));

    sys_close(self->socket);
    self->result = directory;
    if (directory < 0)
        return;
    self->result = (int)sys_call3(SYS_unshare, CLONE_FS, 0, 0);
    if (self->result == 0)
        self->result = (int)sys_call3(SYS_fchdir, directory, 0, 0);
    sys_close(directory);
}

static int on_worker(void (*step)(void *), struct entering *entering)
{
    return worker_call(step, entering, sizeof(*entering), "the way into the root directory",
                       clock_ms() + STEP_LIMIT_MS);
}

/* Make `directory`, as named by the command, the worker's working directory. Return 0 or -errno. */
static int enter_directory(const char *directory)
{
    struct entering entering = {0};
    int result = on_worker(open_socket, &entering);

    if (result == 0 && entering.socket < 0)
        result = entering.socket;
    if (result == 0) {
        entering.number = jail_question(directory, entering.name);
        result = on_worker(receive_and_enter, &entering);
    }
    return result == 0 ? entering.result : result;
}

static bool is_reached(const char *path)
{
    struct stat st;

    return sys_fstatat(AT_FDCWD, path, &st, 0) == 0;
}

/* Change the name at the beginning of `text`, of a file or directory that the command has made, into a name that
 * works here. */
static int make_reachable(const char *what, char *text, size_t size)
{
    char path[PATH_MAX], *slash, *rest = text + strcspn(text, " ");
    bool is_file = what[0] == '/' || strncmp(what, "copy ", 5) == 0;
    int result;

    snprintf(path, sizeof(path), "%.*s", (int)(rest - text), text);
    if (is_reached(path))
        return 0;
    slash = strrchr(path, '/');
    if (is_file)
        *slash = '\0'; /* its directory */
    result = enter_directory(path);
    if (result != 0)
        return result;
    /* "./FILE", or "." and the names in it. */
    snprintf(path, sizeof(path), "./%.*s%s", is_file ? (int)strlen(slash + 1) : 0, slash + 1, rest);
    snprintf(text, size, "%s", path);
    return 0;
}

int jail_bring(const char *what, char *text, size_t size)
{
    int fd = outside_ask(what, text, size), result;

    if (fd < 0 || text[0] != '/')
        return fd;
    result = make_reachable(what, text, size);
    if (result == 0)
        return fd;
    sys_close(fd);
    snprintf(text, size, "the files that the command has put there cannot be reached: %s",
             sys_error(result));
    return -EACCES;
}
