/*
 * needed.c - see needed.h. The search has the order of ld.so(8): DT_RPATH, the program's DT_RPATH, LD_LIBRARY_PATH,
 * DT_RUNPATH, /etc/ld.so.cache, the default directories.
 */
#include "loader/module/needed.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/machine.h"
#include "base/sys.h"
#include "base/text.h"
#include "elf/functions.h"
#include "elf/functions_read.h"
#include "elf/origin.h"
#include "elf/protection.h"
#include "loader/module/trust.h"
#include "loader/objects/library_cache.h"
#include "loader/objects/object.h"

enum { NEEDED_MAX = 1000 };

/* ---- libraries in the process ---- */

/* Return whether the process has the library, by DT_SONAME or by the whole path. */
static bool process_has(const char *name)
{
    for (struct object *o = objects_first(); o; o = o->next)
        if (!o->module &&
            ((o->soname && strcmp(o->soname, name) == 0) || strcmp(o->path, name) == 0))
            return true;
    return false;
}

/* Return whether the process may have the library. ld.so also knows an object by the names that it was opened with, and
 * does not report these names. */
static bool process_may_have(const char *name)
{
    for (struct object *o = objects_first(); o; o = o->next)
        if (!o->module && strcmp(o->base, name) == 0)
            return true;
    return false;
}

const struct needed *needed_named(const struct needed *list, const char *name)
{
    for (; list; list = list->next) {
        const char *soname = list->image ? image_soname(list->image) : NULL;

        if (strcmp(list->name, name) == 0 || strcmp(list->path, name) == 0 ||
            (soname && strcmp(soname, name) == 0))
            return list;
    }
    return NULL;
}

void needed_free(struct needed *list)
{
    while (list) {
        struct needed *next = list->next;

        functions_close(list->functions);
        free(list->name);
        free(list->path);
        free(list);
        list = next;
    }
}

/* ---- the file of a library ---- */

/* Return whether the file is for this machine. ld.so skips files for other machines. */
static bool is_for_this_machine(int fd)
{
    Elf64_Ehdr header = {.e_machine = EM_NONE};

    return sys_pread(fd, &header, sizeof(header), 0) != sizeof(header) ||
           memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
           (header.e_ident[EI_CLASS] == ELFCLASS64 && header.e_machine == machine_elf);
}

static int open_file(const char *path)
{
    int fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);

    if (fd >= 0 && !is_for_this_machine(fd)) {
        sys_close(fd);
        return -ENOENT;
    }
    return fd;
}

/* The object that needs a library: the patch, or a library that comes with it. */
struct user {
    const struct image *image;
    const char *origin; /* the directory of the object's file; NULL: not known */
    bool doubtful;      /* ld.so may search where needed.c cannot */
};

/* Open the file in the directory, or in one of the subdirectories for newer processors. */
static int open_below(const char *directory, size_t length, const char *name, char path[PATH_MAX])
{
    const int digits = length ? (int)length : 1;
    int fd = -ENOENT;

    if (!length)
        directory = ".";
    if (snprintf(path, PATH_MAX, "%.*s/%s", digits, directory, name) < PATH_MAX)
        fd = open_file(path);
    for (size_t i = 0; machine_hwcaps[i] && fd < 0; i++)
        if (snprintf(path, PATH_MAX, "%.*s/glibc-hwcaps/%s/%s", digits, directory,
                     machine_hwcaps[i], name) < PATH_MAX)
            fd = open_file(path);
    return fd;
}

/* Open the file in the first directory of `list` that has it. Return the descriptor, and the file's name in `path`. */
static int open_in(struct user *user, const char *list, const char *name, char path[PATH_MAX])
{
    for (bool more = list != NULL; more;) {
        size_t length = strcspn(list, ":");
        int fd = -ENOENT;

        if (memchr(list, '$', length)) /* $LIB, $PLATFORM */
            user->doubtful = true;
        else
            fd = open_below(list, length, name, path);
        if (fd >= 0)
            return fd;
        more = list[length] == ':';
        list += length + more;
    }
    return -ENOENT;
}

static int open_in_expanded(struct user *user, const char *list, const char *origin,
                            const char *name, char path[PATH_MAX])
{
    char *expanded = list && origin ? origin_expand(list, origin) : NULL;
    int fd = open_in(user, expanded ? expanded : list, name, path);

    free(expanded);
    return fd;
}

/* Return LD_LIBRARY_PATH as it was when the program started; NULL if it was not set. The program may change its
 * environment at any moment. */
static char *library_path(void)
{
    static const char key[] = "LD_LIBRARY_PATH=";
    int fd = sys_openat(AT_FDCWD, "/proc/thread-self/environ", O_RDONLY | O_CLOEXEC, 0);
    size_t room = 128 << 10, size = 0;
    char *bytes = fd >= 0 ? calloc(1, room + 1) : NULL, *found = NULL;
    ssize_t n;

    while (bytes && size < room && (n = sys_read(fd, bytes + size, room - size)) > 0)
        size += (size_t)n;
    for (size_t at = 0; at < size && !found; at += strlen(bytes + at) + 1)
        if (strncmp(bytes + at, key, sizeof(key) - 1) == 0)
            found = text_copy(bytes + at + sizeof(key) - 1);
    free(bytes);
    if (fd >= 0)
        sys_close(fd);
    for (char *p = found; p && *p; p++)
        if (*p == ';')
            *p = ':';
    return found;
}

static const char *program_rpath(const struct user *user)
{
    const struct image *program = object_program()->image;

    if (!program || image_search_path(user->image, true))
        return NULL;
    return image_search_path(program, false);
}

static int search(struct user *user, const char *name, char path[PATH_MAX])
{
    char *from_environment = library_path(), *program = text_copy(object_program()->path);
    char *slash = program ? strrchr(program, '/') : NULL;
    int fd;

    if (slash)
        slash[slash == program] = '\0';
    fd = open_in_expanded(user, image_search_path(user->image, false), user->origin, name, path);
    if (fd < 0)
        fd = open_in_expanded(user, program_rpath(user), program, name, path);
    if (fd < 0)
        fd = open_in_expanded(user, from_environment, program, name, path);
    if (fd < 0)
        fd = open_in_expanded(user, image_search_path(user->image, true), user->origin, name, path);
    if (fd < 0 && library_cache_find(name, path))
        fd = open_file(path);
    if (fd < 0)
        fd = open_in(user, machine_library_path, name, path);
    free(from_environment);
    free(program);
    return fd;
}

static int open_needed(struct user *user, const char *name, char path[PATH_MAX])
{
    char *expanded;
    int fd;

    if (!strchr(name, '/'))
        return search(user, name, path);
    expanded = user->origin ? origin_expand(name, user->origin) : NULL;
    snprintf(path, PATH_MAX, "%s", expanded ? expanded : name);
    user->doubtful |= strchr(path, '$') != NULL;
    fd = open_file(path);
    free(expanded);
    return fd;
}

/* ---- reading a library ---- */

struct needed_search {
    const char *path, *origin; /* those of the patch */
    struct needed **list, **end;
    size_t count;
    struct refusal *why;
};

static int check_file(const struct needed_search *search, int fd, const char *path)
{
    unsigned char head[4096];
    struct stat st;
    ssize_t size = sys_pread(fd, head, sizeof(head), 0);
    const char *problem = size > 0 ? elf_head_problem(head, (size_t)size) : NULL;
    size_t origin = search->origin ? strlen(search->origin) : 0;

    if (problem)
        return refuse(search->why, HP_WX, "%s needs %s: %s", search->path, path, problem);
    if (size <= 0 || sys_fstat(fd, &st) != 0)
        return 0;
    if (elf_head_cut_short(head, (size_t)size, (uint64_t)st.st_size))
        return refuse(search->why, HP_ELF_CORRUPT,
                      "%s needs %s: a PT_LOAD reaches beyond the end of the file", search->path,
                      path);
    if (origin && strncmp(path, search->origin, origin) == 0 && path[origin] == '/')
        return trust_file(fd, path, &st, search->why);
    return 0;
}

/* Read the library. A file that cannot be read is left to ld.so. */
static struct needed *read_library(int fd, const char *name, const char *path)
{
    struct needed *library = calloc(1, sizeof(*library));
    struct elf_error fault;

    if (!library)
        return NULL;
    library->name = text_copy(name);
    library->path = text_copy(path);
    if (!library->name || !library->path) {
        needed_free(library);
        return NULL;
    }
    if (fd >= 0 && functions_of_file(&library->functions, fd, &fault) == 0)
        library->image = functions_image(library->functions);
    return library;
}

/* Add the library to the list. `fd` is -1 if its file was not found. */
static int add_library(struct needed_search *search, int fd, const char *name, const char *path)
{
    if (search->count++ >= NEEDED_MAX)
        return 0;
    *search->end = read_library(fd, name, path);
    if (!*search->end)
        return refuse(search->why, HP_MEMORY, "read %s: no memory", path);
    search->end = &(*search->end)->next;
    return 0;
}

static int find_one(struct needed_search *search, struct user *user, const char *name)
{
    char path[PATH_MAX];
    int fd, result;

    if (process_has(name) || needed_named(*search->list, name))
        return 0;
    fd = open_needed(user, name, path);
    if (fd < 0 && process_may_have(name))
        return 0;
    if (fd < 0 && user->doubtful)
        return add_library(search, -1, name,
                           name); /* ld.so must find it: its definitions are not known */
    if (fd < 0)
        return refuse(search->why, HP_NEEDED, "%s: cannot open shared object file: %s", name,
                      sys_error(-fd));
    if (process_has(path)) {
        sys_close(fd);
        return 0;
    }
    result = check_file(search, fd, path);
    if (result == 0)
        result = add_library(search, fd, name, path);
    sys_close(fd);
    return result;
}

static void find_all(struct needed_search *search, struct user *user)
{
    const char *name;

    for (size_t i = 0; (name = image_needed(user->image, i)) != NULL; i++)
        find_one(search, user, name);
}

int needed_find(struct needed **list, const struct image *patch, const char *path,
                const char *origin, struct refusal *why)
{
    struct needed_search search = {
        .path = path, .origin = origin, .list = list, .end = list, .why = why};
    struct user user = {patch, origin, false};
    size_t before = why->count;

    find_all(&search, &user);
    for (struct needed *library = *list; library; library = library->next) {
        char *directory = text_copy(library->path),
             *slash = strrchr(directory ? directory : "", '/');

        user = (struct user){library->image, directory, false};
        if (slash)
            slash[slash == directory] = '\0';
        if (slash && library->image)
            find_all(&search, &user);
        free(directory);
    }
    return why->count > before ? -1 : 0;
}
