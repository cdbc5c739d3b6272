/*
 * tree_edit.c - see tree_edit.h. Files that no compiler reads, objects and programs are not looked at; symbolic links to
 * directories are not followed.
 */
#include "cli/build/tree_edit.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/build/file_bytes.h"
#include "cli/build/paths.h"
#include "cli/build/source_place.h"
#include "cli/output/output.h"

struct tree_walk {
    const char *from, *to;
    struct word_list names; /* of the sources in either tree, from its root */
    struct refusal *why;
};

static bool is_directory(const char *path)
{
    struct stat facts;

    return lstat(path, &facts) == 0 && S_ISDIR(facts.st_mode);
}

/* Note the sources below `name` of one tree. */
static int walk_tree(struct tree_walk *walk, const char *root, const char *name)
{
    char *path = path_absolute(root, name);
    DIR *entries = opendir(path);
    int result = 0;

    if (!entries)
        result = refuse(walk->why, HP_OPEN, "open %s: %s", path, strerror(errno));
    for (struct dirent *entry; result == 0 && (entry = readdir(entries));) {
        char *below, *whole;

        if (*entry->d_name == '.')
            continue;
        below = format_text("%s%s%s", name, *name ? "/" : "", entry->d_name);
        whole = path_absolute(root, below);
        if (is_directory(whole))
            result = walk_tree(walk, root, below);
        else if (source_is_code(below))
            words_add(&walk->names, below);
        free(below);
        free(whole);
    }
    if (entries)
        closedir(entries);
    free(path);
    return result;
}

static int compare_tree_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Return where the compile commands have the file `name` of the trees: in `from`, or in the tree of the unit that ends so. */
static char *place_in_commands(const struct build *build, const char *from, const char *name)
{
    const struct unit *found = NULL;

    for (size_t i = 0; i < build->units.count; i++) {
        if (path_is_below(build->units.list[i].file, from) ||
            path_is_below(build->units.list[i].real, from))
            return path_absolute(from, name);
        if (!found && path_has_tail(build->units.list[i].file, name))
            found = &build->units.list[i];
    }
    return found ? format_text("%s", found->file) : NULL;
}

/* Return the root of the tree that the compile commands name, malloc'd. */
static char *commands_root(const struct build *build, const char *from,
                           const struct word_list *names)
{
    for (size_t i = 0; i < names->count; i++) {
        char *place = place_in_commands(build, from, names->list[i]);
        size_t length = place ? strlen(place) - strlen(names->list[i]) : 0;

        if (place && length > 1) {
            place[length - 1] = '\0';
            return place;
        }
        free(place);
    }
    return format_text("%s", build->source_dir);
}

static bool read_text(const char *root, const char *name, char **text, size_t *size)
{
    char *path = path_absolute(root, name);
    bool there = file_bytes_read(path, text, size, NULL) == 0;

    if (!there)
        *text = NULL;
    free(path);
    return there;
}

/* Add the file if its texts differ. */
static void add_difference(struct edit_list *list, const struct tree_walk *walk, const char *root,
                           const char *name)
{
    char *old_text, *new_text;
    size_t old_size = 0, new_size = 0;
    bool old_there = read_text(walk->from, name, &old_text, &old_size);
    bool new_there = read_text(walk->to, name, &new_text, &new_size);
    struct edit_file *file;

    if (old_there == new_there &&
        (!old_there || (old_size == new_size && memcmp(old_text, new_text, old_size) == 0))) {
        free(old_text);
        free(new_text);
        return;
    }
    file = edit_list_add(list, path_absolute(root, name), old_text, old_size);
    edit_list_change(file, new_text, new_size);
}

int tree_edit(struct edit_list *list, struct build *build, const char *from, const char *to,
              struct refusal *why)
{
    struct tree_walk walk = {.from = from, .to = to, .why = why};
    int result;

    owner_enter(&build->place.owner);
    result = walk_tree(&walk, from, "");
    if (result == 0)
        result = walk_tree(&walk, to, "");
    if (result == 0 && walk.names.count) {
        char *root = commands_root(build, from, &walk.names);

        qsort(walk.names.list, walk.names.count, sizeof(char *), compare_tree_names);
        for (size_t i = 0; i < walk.names.count; i++)
            if (i == 0 || strcmp(walk.names.list[i], walk.names.list[i - 1]) != 0)
                add_difference(list, &walk, root, walk.names.list[i]);
        free(root);
    }
    owner_leave(&build->place.owner);
    words_free(&walk.names);
    if (result == 0 && !list->count)
        result = refuse(why, HP_SOURCE, "the sources of %s and %s are the same", from, to);
    return result;
}
