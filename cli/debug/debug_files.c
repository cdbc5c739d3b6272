/*
 * debug_files.c - separate debug files: those given with --debug, and where others lie ("Separate Debug
 * Files" in gdb's manual): /usr/lib/debug/.build-id/XX/REST.debug, and the name in .gnu_debuglink
 * beside the object, in .debug there, or below /usr/lib/debug.
 *
 * Each is looked for as the target's root directory has it, then the command's own. A FIFO of that name,
 * which a target's owner could make, holds nobody up.
 */
#include "cli/debug/debug_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/output/output.h"
#include "cli/process/open_resolved.h"

#define DIRECTORY "/usr/lib/debug"

char *debug_build_id_text(const unsigned char *bytes, ssize_t count)
{
    char *text = allocate((size_t)(count > 0 ? count : 0) * 2 + 1);

    text[0] = '\0';
    for (ssize_t i = 0; i < count; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    return text;
}

char *debug_build_id(Elf *elf)
{
    const void *bytes = NULL;
    ssize_t count = dwelf_elf_gnu_build_id(elf, &bytes);

    return debug_build_id_text(bytes, count);
}

/* ------------------------------------------------------- files of --debug --- */

static int debug_file_read(struct debug_file *file, struct refusal *why)
{
    int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    Elf *elf;

    if (fd < 0)
        return refuse(why, HP_OPEN, "open %s: %s", file->path, strerror(errno));
    elf_version(EV_CURRENT);
    elf = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? elf_begin(fd, ELF_C_READ_MMAP, NULL) : NULL;
    if (!S_ISREG(st.st_mode))
        refuse(why, HP_NOT_REGULAR, "%s is not a regular file", file->path);
    else if (elf_kind(elf) != ELF_K_ELF)
        refuse(why, HP_NOT_ELF, "%s is not an ELF file", file->path);
    else
        file->build_id = debug_build_id(elf);
    if (file->build_id && !*file->build_id)
        refuse(why, HP_BUILD_ID, "%s has no build-id, so nothing tells what it belongs to",
               file->path);
    elf_end(elf);
    close(fd);
    return file->build_id && *file->build_id ? 0 : -1;
}

int debug_files_open(struct debug_files *files, const char *const *paths, size_t count,
                     struct refusal *why)
{
    size_t before = why->count;

    files->list = allocate((count + 1) * sizeof(*files->list));
    files->count = count;
    for (size_t i = 0; i < count; i++) {
        files->list[i] = (struct debug_file){.path = paths[i]};
        debug_file_read(&files->list[i], why);
    }
    return why->count == before ? 0 : -1;
}

void debug_files_free(struct debug_files *files)
{
    for (size_t i = 0; i < files->count; i++)
        free(files->list[i].build_id);
    free(files->list);
    *files = (struct debug_files){0};
}

/* ------------------------------------------------------------------ finding --- */

static int open_given(const struct debug_files *given, const char *build_id, char **name)
{
    for (size_t i = 0; i < given->count; i++) {
        int fd;

        if (!given->list[i].build_id || strcmp(given->list[i].build_id, build_id) != 0)
            continue;
        fd = open(given->list[i].path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (fd < 0)
            continue;
        *name = format_text("%s", given->list[i].path);
        return fd;
    }
    return -1;
}

/* Compare the CRC-32 of gdb's manual, computed bit by bit: few objects lack a build-id. */
static bool has_crc(int fd, uint32_t wanted)
{
    unsigned char bytes[4096];
    uint32_t crc = 0xffffffff;
    ssize_t n;

    while ((n = read(fd, bytes, sizeof(bytes))) > 0)
        for (ssize_t i = 0; i < n; i++) {
            crc ^= bytes[i];
            for (int bit = 0; bit < 8; bit++)
                crc = crc & 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
        }
    return n == 0 && ~crc == wanted;
}

static bool belongs(int fd, const char *build_id, uint32_t crc)
{
    struct stat st;
    bool same;
    char *id;
    Elf *elf;

    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return false;
    if (!*build_id)
        return has_crc(fd, crc) && lseek(fd, 0, SEEK_SET) == 0;
    elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
    id = elf_kind(elf) == ELF_K_ELF ? debug_build_id(elf) : NULL;
    same = id && strcmp(id, build_id) == 0;
    free(id);
    elf_end(elf);
    return same;
}

/* Open `path` in `root`; -1: the command's own root. */
static int open_below_root(int root, const char *path)
{
    if (root < 0)
        return open_resolved(AT_FDCWD, path, O_NONBLOCK, 0);
    return open_resolved(root, path, O_NONBLOCK, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

/* Try `path`, which is freed, or becomes `*name`. */
static int try_path(const struct debug_place *place, char *path, const char *build_id, uint32_t crc,
                    char **name)
{
    int roots[] = {place->root, -1};

    for (size_t i = place->root < 0; i < 2; i++) {
        int fd = open_below_root(roots[i], path);

        if (fd >= 0 && belongs(fd, build_id, crc)) {
            *name = path;
            return fd;
        }
        if (fd >= 0)
            close(fd);
    }
    free(path);
    return -1;
}

static int find_by_link(const struct debug_place *place, const char *build_id, const char *link,
                        uint32_t crc, char **name)
{
    const char *slash = strrchr(place->path, '/');
    int length = slash ? (int)(slash - place->path) : 0, fd;
    const char *directory = slash ? place->path : "";

    fd = try_path(place, format_text("%.*s%s%s", length, directory, slash ? "/" : "", link),
                  build_id, crc, name);
    if (fd < 0)
        fd = try_path(place,
                      format_text("%.*s%s.debug/%s", length, directory, slash ? "/" : "", link),
                      build_id, crc, name);
    if (fd < 0 && *place->path == '/')
        fd = try_path(place, format_text(DIRECTORY "%.*s/%s", length, directory, link), build_id,
                      crc, name);
    return fd;
}

int debug_file_find(const struct debug_files *given, const struct debug_place *place,
                    const char *build_id, const char *link, uint32_t crc, char **name)
{
    int fd = -1;

    if (*build_id)
        fd = open_given(given, build_id, name);
    if (fd < 0 && strlen(build_id) > 2)
        fd = try_path(place,
                      format_text(DIRECTORY "/.build-id/%.2s/%s.debug", build_id, build_id + 2),
                      build_id, 0, name);
    if (fd < 0 && link && *link && !strchr(link, '/'))
        fd = find_by_link(place, build_id, link, crc, name);
    return fd;
}
