/* overlay.c - see overlay.h. */
#include "cli/build/overlay.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/build/file_bytes.h"
#include "cli/build/paths.h"
#include "cli/output/output.h"

void overlay_begin(struct overlay *overlay, const char *root, const struct word_list *roots)
{
    memset(overlay, 0, sizeof(*overlay));
    overlay->roots = roots;
    overlay->root = format_text("%s", root);
}

void overlay_free(struct overlay *overlay)
{
    for (size_t i = 0; i < overlay->file_count; i++) {
        free(overlay->files[i].path);
        free(overlay->files[i].text);
        hunk_lines_free(&overlay->files[i].lines);
    }
    free(overlay->files);
    free(overlay->root);
    words_free(&overlay->directories);
    words_free(&overlay->links);
    memset(overlay, 0, sizeof(*overlay));
}

static bool word_is_in(const struct word_list *words, const char *word)
{
    for (size_t i = 0; i < words->count; i++)
        if (strcmp(words->list[i], word) == 0)
            return true;
    return false;
}

/* Add the directory and all above it. */
static void add_directory(struct overlay *overlay, const char *real)
{
    char *above;

    if (word_is_in(&overlay->directories, real))
        return;
    if (strcmp(real, "/") != 0) {
        above = path_directory(real);
        add_directory(overlay, above);
        free(above);
    }
    words_add(&overlay->directories, real); /* after those above it */
}

void overlay_open_directory(struct overlay *overlay, const char *path)
{
    char *real = path_real(path);

    add_directory(overlay, real);
    if (strcmp(real, path) != 0 && !word_is_in(&overlay->links, path))
        words_add(&overlay->links, path);
    free(real);
}

void overlay_replace(struct overlay *overlay, const char *real_path, char *text, size_t size)
{
    struct overlay_file *file;
    struct stat facts;
    char *directory = path_directory(real_path);

    overlay->files =
        reallocate(overlay->files, (overlay->file_count + 1) * sizeof(*overlay->files));
    file = &overlay->files[overlay->file_count++];
    *file = (struct overlay_file){.path = format_text("%s", real_path), .text = text, .size = size};
    if (stat(real_path, &facts) == 0)
        file->time = facts.st_mtim;
    add_directory(overlay, directory);
    free(directory);
}

void overlay_take_lines(struct overlay *overlay, struct hunk_lines *lines)
{
    overlay->files[overlay->file_count - 1].lines = *lines;
    *lines = (struct hunk_lines){0};
}

void overlay_change(struct overlay *overlay, const char *real_path, const char *text, size_t size)
{
    for (size_t i = 0; i < overlay->file_count; i++) {
        struct overlay_file *file = &overlay->files[i];

        if (strcmp(file->path, real_path) != 0)
            continue;
        hunk_lines_free(&file->lines);
        free(file->text);
        file->text = allocate(size + 1);
        memcpy(file->text, text, size);
        file->size = size;
    }
}

const struct overlay_file *overlay_find(const struct overlay *overlay, const char *real_path)
{
    for (size_t i = 0; i < overlay->file_count; i++)
        if (strcmp(overlay->files[i].path, real_path) == 0)
            return &overlay->files[i];
    return NULL;
}

const char *overlay_outside(const struct overlay *overlay, const char *path)
{
    if (overlay->root && path_is_below(path, overlay->root))
        path += strlen(overlay->root);
    return *path ? path : "/";
}

/* ---------------------------------------------------- making the tree --- */

/* Return where a symbolic link of the user's must lead in the tree, malloc'd; NULL: to the file itself. */
static char *link_in_tree(const struct overlay *overlay, const char *path)
{
    char *real = realpath(path, NULL), *to = NULL;

    if (real && (overlay_find(overlay, real) || word_is_in(&overlay->directories, real)))
        to = format_text("%s%s", overlay->root, real);
    free(real);
    return to;
}

static int make_link(const struct overlay *overlay, const struct dirent *entry, const char *path,
                     const char *place)
{
    char *to =
        entry->d_type == DT_LNK || entry->d_type == DT_UNKNOWN ? link_in_tree(overlay, path) : NULL;
    int result = symlink(to ? to : path, place);

    free(to);
    return result;
}

/* Return whether no source includes a file of this name. A link takes long on some file systems. A precompiled header has the
 * unedited texts. */
static bool is_object_name(const char *name)
{
    static const char *const suffixes[] = {".o",  ".lo",   ".a",    ".so", ".d",
                                           ".la", ".gcno", ".gcda", ".gch"};
    const char *dot = strrchr(name, '.');

    for (size_t i = 0; dot && i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
        if (strcmp(dot, suffixes[i]) == 0)
            return true;
    return false;
}

static bool is_filled(const struct overlay *overlay, const char *directory)
{
    for (size_t i = 0; !overlay->full && i < overlay->roots->count; i++)
        if (path_is_below(directory, overlay->roots->list[i]))
            return true;
    return overlay->full;
}

/* Make the links of one directory. Replaced files and real directories have none. */
static int fill_directory(const struct overlay *overlay, const char *directory)
{
    DIR *entries = opendir(directory);
    const char *above = strcmp(directory, "/") == 0 ? "" : directory;
    int result = 0;

    if (!entries) /* a directory of new files, or one that can be entered but not read */
        return errno == ENOENT || errno == EACCES ? 0 : -1;
    for (struct dirent *entry; result == 0 && (entry = readdir(entries));) {
        char *path, *place;

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            is_object_name(entry->d_name))
            continue;
        path = format_text("%s/%s", above, entry->d_name);
        place = format_text("%s%s", overlay->root, path);
        if (!overlay_find(overlay, path) && !word_is_in(&overlay->directories, path) &&
            strcmp(path, overlay->root) != 0)
            result = make_link(overlay, entry, path, place);
        free(path);
        free(place);
    }
    closedir(entries);
    return result;
}

static int make_real_directory(const struct overlay *overlay, const char *directory)
{
    char *place = format_text("%s%s", overlay->root, strcmp(directory, "/") ? directory : "");
    int result = mkdir(place, 0700);

    if (result != 0 && errno == EEXIST)
        result = 0;
    free(place);
    return result == 0 && is_filled(overlay, directory) ? fill_directory(overlay, directory)
                                                        : result;
}

/* A file has the time of the one that it stands for, since __TIMESTAMP__ shows it. */
static int make_file(const struct overlay *overlay, const struct overlay_file *file)
{
    const struct timespec times[2] = {file->time, file->time};
    char *place = format_text("%s%s", overlay->root, file->path);
    int result = file->text ? file_bytes_write(place, file->text, file->size) : 0;

    if (result == 0 && file->text && file->time.tv_sec)
        utimensat(AT_FDCWD, place, times, 0);
    free(place);
    return result;
}

/* Make the links of the user's in a path whose real path is in the tree: /home -> R/data/home. */
static void make_path_links(const struct overlay *overlay, const char *path)
{
    for (const char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
        char *above =
            slash ? format_text("%.*s", (int)(slash - path), path) : format_text("%s", path);
        char *place = format_text("%s%s", overlay->root, above), *to;
        struct stat facts;

        if (lstat(above, &facts) == 0 && S_ISLNK(facts.st_mode) &&
            (to = link_in_tree(overlay, above))) {
            unlink(place);
            if (symlink(to, place) != 0)
                errno =
                    0; /* the directory above is none of the tree's: the dependencies will show it */
            free(to);
        }
        free(above);
        free(place);
        if (!slash)
            return;
    }
}

int overlay_make(struct overlay *overlay, struct refusal *why)
{
    int result = mkdir(overlay->root, 0700);

    for (size_t i = 0; i < overlay->directories.count && result == 0; i++)
        result = make_real_directory(overlay, overlay->directories.list[i]);
    for (size_t i = 0; i < overlay->file_count && result == 0; i++)
        result = make_file(overlay, &overlay->files[i]);
    for (size_t i = 0; i < overlay->links.count && result == 0; i++)
        make_path_links(overlay, overlay->links.list[i]);
    if (result != 0)
        return refuse(why, HP_OPEN, "make a view of the sources in %s: %s", overlay->root,
                      strerror(errno));
    return 0;
}

static int remove_entry(const char *path, const struct stat *facts, int flag, struct FTW *place)
{
    (void)facts;
    (void)flag;
    (void)place;
    return remove(path);
}

void overlay_clear(struct overlay *overlay)
{
    nftw(overlay->root, remove_entry, 32, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}
