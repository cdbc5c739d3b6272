/* endpoint_files.c - see endpoint_files.h. */
#include "preload/endpoint_files.h"

#include "base/sys.h"
#include "preload/plain_text.h"

void endpoint_file_name(char name[NAME_MAX], const char *stem, const char *suffix)
{
    const char *end = name + NAME_MAX;

    text_add(text_add(text_add(name, end, stem), end, "."), end, suffix);
}

static int stat_fifo(const struct runtime_dir *dir, const char *stem, struct stat *st)
{
    char name[NAME_MAX];

    endpoint_file_name(name, stem, "fifo");
    return sys_fstatat(dir->fd, name, st, AT_SYMLINK_NOFOLLOW);
}

bool endpoint_files_lead_to(const struct runtime_dir *dir, const char *stem, ino_t ino)
{
    struct stat st;

    return stat_fifo(dir, stem, &st) == 0 && S_ISFIFO(st.st_mode) && st.st_ino == ino;
}

bool endpoint_files_stay(const struct runtime_dir *dir, const char *stem)
{
    struct stat st;

    return stat_fifo(dir, stem, &st) != -ENOENT;
}

int endpoint_files_open(const struct runtime_dir *dir, const char *stem, ino_t ino)
{
    char name[NAME_MAX];

    endpoint_file_name(name, stem, "fifo");
    return runtime_dir_open_fifo(dir, name, ino);
}

static void remove_one(const struct runtime_dir *dir, const char *stem, const char *suffix)
{
    char name[NAME_MAX];

    endpoint_file_name(name, stem, suffix);
    sys_unlinkat(dir->fd, name, 0);
}

void endpoint_files_remove(const struct runtime_dir *dir, const char *stem)
{
    if (dir->fd < 0)
        return;
    remove_one(dir, stem, "json");
    remove_one(dir, stem, "fifo");
}

int endpoint_files_remove_by_path(const char *path, const char *stem, const char *suffix)
{
    char whole[PATH_MAX + NAME_MAX], name[NAME_MAX];
    const char *end = whole + sizeof(whole);

    endpoint_file_name(name, stem, suffix);
    text_add(text_add(text_add(whole, end, path), end, "/"), end, name);
    return sys_unlinkat(AT_FDCWD, whole, 0);
}
