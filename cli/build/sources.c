/* sources.c - see sources.h. */
#include "cli/build/sources.h"

#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/output/fatal.h"
#include "cli/output/output.h"

#define TEXT_MAX (64 << 20) /* no compiler reads a larger file in the time of an edit */

/* A text that several holders share. */
struct source_text {
    size_t holders;
    size_t size;
    char bytes[];
};

struct source_file {
    char *path;
    size_t index;
    struct source_text *text; /* NULL: there is no file that can be read */
};

struct sources {
    struct source_file **files;
    size_t count, capacity;
    void *by_path; /* tsearch(3) */
    struct build_owner owner;
};

struct unedited_file {
    struct source_text *text; /* NULL: there was no file */
    bool there;               /* in the unedited sources */
};

struct unedited {
    struct unedited_file *files; /* by index */
    size_t count;
};

/* ---- texts ---- */

static struct source_text *text_hold(struct source_text *text)
{
    if (text)
        text->holders++;
    return text;
}

static void text_drop(struct source_text *text)
{
    if (text && --text->holders == 0)
        free(text);
}

static bool texts_equal(const struct source_text *a, const struct source_text *b)
{
    if (!a || !b || a == b)
        return a == b;
    return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

/* Read to the end; NULL on an error. */
static struct source_text *text_read(int fd)
{
    size_t capacity = 16384;
    struct source_text *text = allocate(sizeof(*text) + capacity);
    ssize_t n = -1;

    text->holders = 1;
    while (text->size <= TEXT_MAX &&
           (n = read(fd, text->bytes + text->size, capacity - text->size)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            break;
        text->size += (size_t)n;
        if (text->size == capacity)
            text = reallocate(text, sizeof(*text) + (capacity *= 2));
    }
    if (n == 0)
        return text;
    free(text);
    return NULL;
}

/* Open the file with the rights of the owner: a link that the owner has put there leads root to nothing that the
 * owner may not read. */
static int open_as(const char *path, const struct build_owner *owner)
{
    int fd;

    owner_enter(owner);
    /* O_NONBLOCK: a FIFO of that name must not hold the command up. */
    fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    owner_leave(owner);
    return fd;
}

static struct source_text *file_text(const char *path, const struct build_owner *owner)
{
    int fd = open_as(path, owner);
    struct source_text *text = NULL;
    struct stat st;

    if (fd < 0)
        return NULL;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        text = text_read(fd);
    close(fd);
    return text;
}

/* ---- the list ---- */

static int by_path(const void *a, const void *b)
{
    const struct source_file *left = a, *right = b;

    return strcmp(left->path, right->path);
}

struct sources *sources_new(const struct build_owner *owner)
{
    struct sources *sources = allocate(sizeof(*sources));

    sources->owner = *owner;
    return sources;
}

static void node_ignore(void *file)
{
    (void)file;
}

void sources_free(struct sources *sources)
{
    if (!sources)
        return;
    tdestroy(sources->by_path, node_ignore);
    for (size_t i = 0; i < sources->count; i++) {
        text_drop(sources->files[i]->text);
        free(sources->files[i]->path);
        free(sources->files[i]);
    }
    free(sources->files);
    free(sources);
}

static struct source_file *file_new(struct sources *sources, const char *path)
{
    struct source_file *file = allocate(sizeof(*file));

    file->path = format_text("%s", path);
    file->index = sources->count;
    file->text = file_text(path, &sources->owner);
    if (sources->count == sources->capacity) {
        sources->capacity = sources->capacity ? sources->capacity * 2 : 64;
        sources->files = reallocate(sources->files, sources->capacity * sizeof(*sources->files));
    }
    sources->files[sources->count++] = file;
    return file;
}

size_t sources_add(struct sources *sources, const char *path)
{
    struct source_file wanted = {.path = format_text("%s", path)}, *file;
    struct source_file **found = tfind(&wanted, &sources->by_path, by_path);

    free(wanted.path);
    if (found)
        return (*found)->index;
    file = file_new(sources, path);
    if (!tsearch(file, &sources->by_path, by_path))
        fatal(HP_MEMORY, "hotpatch has no memory left");
    return file->index;
}

size_t sources_count(const struct sources *sources)
{
    return sources->count;
}

const char *sources_path(const struct sources *sources, size_t index)
{
    return sources->files[index]->path;
}

int sources_open(const struct sources *sources, size_t index)
{
    return open_as(sources->files[index]->path, &sources->owner);
}

bool sources_there(const struct sources *sources, size_t index)
{
    return sources->files[index]->text != NULL;
}

bool sources_refresh(struct sources *sources, size_t index)
{
    struct source_file *file = sources->files[index];
    struct source_text *text = file_text(file->path, &sources->owner);

    if (texts_equal(text, file->text)) {
        text_drop(text);
        return false;
    }
    text_drop(file->text);
    file->text = text;
    return true;
}

/* ---- unedited sources ---- */

struct unedited *unedited_new(void)
{
    return allocate(sizeof(struct unedited));
}

void unedited_free(struct unedited *unedited)
{
    if (!unedited)
        return;
    for (size_t i = 0; i < unedited->count; i++)
        text_drop(unedited->files[i].text);
    free(unedited->files);
    free(unedited);
}

/* Return the place of the file's text, or NULL where one is kept already. */
static struct unedited_file *place_for(struct unedited *unedited, const struct sources *sources,
                                       size_t index)
{
    if (index >= unedited->count) {
        unedited->files = reallocate(unedited->files, sources->count * sizeof(*unedited->files));
        memset(unedited->files + unedited->count, 0,
               (sources->count - unedited->count) * sizeof(*unedited->files));
        unedited->count = sources->count;
    }
    if (unedited->files[index].there)
        return NULL;
    unedited->files[index].there = true;
    return &unedited->files[index];
}

void unedited_add(struct unedited *unedited, const struct sources *sources, size_t index)
{
    struct unedited_file *file = place_for(unedited, sources, index);

    if (file)
        file->text = text_hold(sources->files[index]->text);
}

void unedited_add_new(struct unedited *unedited, const struct sources *sources, size_t index)
{
    place_for(unedited, sources, index);
}

size_t unedited_files(const struct unedited *unedited)
{
    size_t count = 0;

    for (size_t i = 0; i < unedited->count; i++)
        count += unedited->files[i].there;
    return count;
}

struct unedited *unedited_copy(const struct unedited *unedited)
{
    struct unedited *copy = unedited_new();

    copy->files = allocate(unedited->count * sizeof(*copy->files));
    copy->count = unedited->count;
    for (size_t i = 0; i < unedited->count; i++) {
        copy->files[i] = unedited->files[i];
        text_hold(copy->files[i].text);
    }
    return copy;
}

bool unedited_differs(const struct unedited *unedited, const struct sources *sources, size_t index)
{
    return index < unedited->count && unedited->files[index].there &&
           !texts_equal(unedited->files[index].text, sources->files[index]->text);
}

static struct edit_file file_edit(const char *path, const struct source_text *old,
                                  const struct source_text *new)
{
    return (struct edit_file){
        .path = path,
        .old_text = old ? old->bytes : NULL,
        .old_size = old ? old->size : 0,
        .new_text = new ? new->bytes : NULL,
        .new_size = new ? new->size : 0,
    };
}

struct edit_file *unedited_compare(const struct unedited *from, const struct unedited *to,
                                   const struct sources *sources, size_t *count)
{
    struct edit_file *files = allocate((from->count + 1) * sizeof(*files));

    *count = 0;
    for (size_t i = 0; i < from->count && i < to->count; i++)
        if (from->files[i].there && to->files[i].there &&
            !texts_equal(from->files[i].text, to->files[i].text))
            files[(*count)++] =
                file_edit(sources->files[i]->path, from->files[i].text, to->files[i].text);
    return files;
}

struct edit_file *unedited_edit(const struct unedited *unedited, const struct sources *sources,
                                size_t *count)
{
    struct edit_file *files = allocate((unedited->count + 1) * sizeof(*files));

    *count = 0;
    for (size_t i = 0; i < unedited->count; i++)
        if (unedited_differs(unedited, sources, i))
            files[(*count)++] = file_edit(sources->files[i]->path, unedited->files[i].text,
                                          sources->files[i]->text);
    return files;
}
