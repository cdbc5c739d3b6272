/*
 * watch_files.c - see watch_files.h.
 *
 * path_watch.c notices that there may be other contents; they are compared by their bytes, since two saves may fall
 * into one second, or one tick of the file system's clock. A file that a descriptor can write to is not read
 * (whole_file.c), and one that is missing is waited for: an editor that saves by renaming has moved it away for a
 * moment.
 */
#include "cli/verbs/watch_files.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/base_name.h"
#include "cli/output/clock.h"
#include "cli/output/output.h"
#include "cli/verbs/whole_file.h"

/* ms until a file that is not complete is looked at again: first, and at last after doubling. */
#define PAUSE_FIRST 5
#define PAUSE_LAST 500
#define MISSING_MS 1000 /* after which a missing file counts as removed */
#define STABLE_MS \
    50 /* after which unchanged contents count as complete, where writers cannot be seen */
#define NAMES_MAX 4 /* more are counted */

struct watched_source {
    uint64_t since; /* ms: it was touched */
    uint64_t next;  /* ms: the next look */
    unsigned pause;
    bool touched, changed;
    bool glanced; /* it was read while writers could not be seen */
    bool said;    /* that it is waited for */
};

struct watch_files {
    struct path_watch *watch;
    struct sources *sources;
    struct watched_source *list; /* by the index of `sources` */
    size_t count;
    bool has_commands, commands; /* path 0 of `watch`; it was touched */
    char *words;                 /* of a compiler that has failed */
    bool heard;                  /* a file of a name among them has appeared */
};

static void touch_source(struct watched_source *source)
{
    uint64_t now = now_ms();

    if (!source->touched)
        source->since = now;
    source->touched = true;
    source->glanced = false;
    source->next = now;
    source->pause = PAUSE_FIRST;
}

struct watch_files *watch_files_open(struct sources *sources, const char *commands)
{
    struct watch_files *files = allocate(sizeof(*files));

    signal(SIGIO, SIG_IGN); /* see whole_file.c */
    files->sources = sources;
    files->has_commands = commands != NULL;
    files->watch = path_watch_open(&commands, commands ? 1 : 0);
    watch_files_extend(files);
    return files;
}

void watch_files_close(struct watch_files *files)
{
    if (!files)
        return;
    path_watch_close(files->watch);
    free(files->words);
    free(files->list);
    free(files);
}

void watch_files_extend(struct watch_files *files)
{
    size_t count = sources_count(files->sources);

    if (count == files->count)
        return;
    files->list = reallocate(files->list, count * sizeof(*files->list));
    for (; files->count < count; files->count++) {
        files->list[files->count] = (struct watched_source){0};
        path_watch_add(files->watch, sources_path(files->sources, files->count));
        touch_source(&files->list[files->count]); /* a change between its reading and this */
    }
}

void watch_files_polls(const struct watch_files *files, struct pollfd *polls)
{
    path_watch_polls(files->watch, polls);
}

uint64_t watch_files_next(const struct watch_files *files)
{
    uint64_t next = path_watch_next(files->watch);

    for (size_t i = 0; i < files->count; i++)
        if (files->list[i].touched && files->list[i].next < next)
            next = files->list[i].next;
    return next;
}

void watch_files_take(struct watch_files *files, const struct pollfd *polls)
{
    size_t first = files->has_commands ? 1 : 0;
    bool *touched = allocate((first + files->count) * sizeof(*touched));

    path_watch_take(files->watch, polls, touched);
    files->commands |= files->has_commands && touched[0];
    files->heard |= path_watch_heard(files->watch);
    for (size_t i = 0; i < files->count; i++)
        if (touched[first + i])
            touch_source(&files->list[i]);
    free(touched);
}

static void wait_for_source(struct watch_files *files, size_t index, const char *why)
{
    struct watched_source *source = &files->list[index];
    uint64_t now = now_ms();

    if (!source->said && now - source->since >= MISSING_MS) {
        char *line =
            format_text("waiting until %s is whole: %s", sources_path(files->sources, index), why);

        warning_print(line);
        free(line);
        source->said = true;
    }
    source->next = now + source->pause;
    source->pause = source->pause * 2 < PAUSE_LAST ? source->pause * 2 : PAUSE_LAST;
}

/* Read the file. Return whether its contents are final: no writer is left that was seen. */
static bool read_source(struct watch_files *files, size_t index)
{
    struct watched_source *source = &files->list[index];
    struct refusal why = {0};
    int fd = sources_open(files->sources, index);
    enum whole before = whole_writers(fd, &why), after = before;

    if (fd < 0 && now_ms() - source->since < MISSING_MS) {
        wait_for_source(files, index, "it is gone");
        return false;
    }
    if (before != WHOLE_WRITTEN) {
        source->changed |= sources_refresh(files->sources, index);
        after = whole_writers(fd, &why); /* a writer may have come while it was read */
    }
    if (fd >= 0)
        close(fd);
    if (after == WHOLE_WRITTEN)
        wait_for_source(files, index, why.count ? why.items[0].text : "it changes");
    refusal_clear(&why);
    return after == WHOLE || fd < 0;
}

static void look_at_source(struct watch_files *files, size_t index)
{
    struct watched_source *source = &files->list[index];
    bool changed = source->changed;

    source->changed = false;
    if (read_source(files, index)) {
        source->touched = source->said = false;
    } else if (source->next <= now_ms()) { /* WHOLE_UNSURE */
        if (source->glanced && !source->changed)
            source->touched = source->said = false;
        source->glanced = true;
        source->next = now_ms() + STABLE_MS;
    }
    source->changed |= changed;
}

bool watch_files_changed(struct watch_files *files)
{
    uint64_t now = now_ms();
    bool changed = files->heard;

    for (size_t i = 0; i < files->count; i++) {
        if (files->list[i].touched && files->list[i].next <= now)
            look_at_source(files, i);
        changed |= files->list[i].changed;
    }
    return changed;
}

bool watch_files_pending(const struct watch_files *files)
{
    for (size_t i = 0; i < files->count; i++)
        if (files->list[i].touched)
            return true;
    return false;
}

bool watch_files_commands(const struct watch_files *files)
{
    return files->commands;
}

char *watch_files_names(const struct watch_files *files)
{
    char *names = format_text("%s", "");
    size_t count = 0;

    for (size_t i = 0; i < files->count; i++) {
        char *longer;

        if (!files->list[i].changed || count++ >= NAMES_MAX)
            continue;
        longer = format_text("%s%s%s", names, *names ? ", " : "",
                             base_name(sources_path(files->sources, i)));
        free(names);
        names = longer;
    }
    if (count > NAMES_MAX) {
        char *longer = format_text("%s and %zu more", names, count - NAMES_MAX);

        free(names);
        names = longer;
    }
    return names;
}

static double age_of(const struct timespec *now, const struct timespec *then)
{
    return (double)(now->tv_sec - then->tv_sec) * 1e3 +
           (double)(now->tv_nsec - then->tv_nsec) / 1e6;
}

/* By the time of the inode's last change: a rename counts, and keeps the time of the last write. */
double watch_files_age(const struct watch_files *files)
{
    struct timespec now;
    double age = -1;

    clock_gettime(CLOCK_REALTIME, &now);
    for (size_t i = 0; i < files->count; i++) {
        struct stat st;
        double its;

        if (!files->list[i].changed || stat(sources_path(files->sources, i), &st) != 0)
            continue;
        its = age_of(&now, &st.st_ctim);
        if (its >= 0 && (age < 0 || its < age))
            age = its;
    }
    return age < 0 ? 0 : age;
}

void watch_files_failed(struct watch_files *files, char *words)
{
    free(files->words);
    files->words = words;
    path_watch_listen(files->watch, words);
}

void watch_files_clear(struct watch_files *files)
{
    files->commands = files->heard = false;
    for (size_t i = 0; i < files->count; i++)
        files->list[i].changed = false;
}
