/*
 * follow.c - hotpatch load --follow: watches the patches' files and loads each anew when a
 * complete file with other contents has taken its place.
 *
 * The directory is watched, not the file: a linker unlinks and makes anew. Contents are
 * compared by hash, since two builds may fall into one second; a half-written file is no
 * complete ELF file and waits for the next event.
 */
#include "follow.h"

#include <elf.h>
#include <errno.h>
#include <json-c/json.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "answer.h"
#include "ask.h"
#include "file_image.h"
#include "output.h"
#include "results.h"

struct followed {
    const char *path;
    const char *name; /* its base name */
    int watch;        /* inotify's, of its directory */
    uint64_t hash;    /* of the contents last loaded or refused */
    bool touched;
};

struct follow {
    int inotify;
    struct followed *files;
    size_t count;
};

/* FNV-1a; it tells contents apart, it does not vouch for them. */
static uint64_t hash_of(const void *bytes, size_t size)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (const unsigned char *p = bytes; size--; p++)
        hash = (hash ^ *p) * UINT64_C(0x100000001b3);
    return hash;
}

/* The section headers are the last thing that linkers write: they must lie in the file. */
static bool sections_inside(const struct file_image *file)
{
    Elf64_Ehdr header;

    if (file->size < sizeof(header))
        return false;
    memcpy(&header, file->bytes, sizeof(header));
    return header.e_shoff <= file->size &&
           (uint64_t)header.e_shnum * header.e_shentsize <= file->size - header.e_shoff;
}

/* Is there a complete shared object, and what is the hash of its contents? */
static bool complete(const char *path, uint64_t *hash)
{
    struct refusal ignored = {0};
    struct file_image file;
    bool whole = file_image_open(&file, path, ET_DYN, &ignored) == 0;

    refusal_clear(&ignored);
    if (!whole)
        return false;
    *hash = hash_of(file.bytes, file.size);
    whole = sections_inside(&file);
    file_image_close(&file);
    return whole;
}

struct follow *follow_begin(const char *const *paths, size_t count, struct refusal *why)
{
    struct follow *follow = allocate(sizeof(*follow));

    follow->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    follow->files = allocate(count * sizeof(*follow->files));
    follow->count = count;
    for (size_t i = 0; i < count; i++) {
        struct followed *file = &follow->files[i];
        char *directory = format_text("%s", paths[i]);

        strrchr(directory, '/')[1] = 0;
        file->path = paths[i];
        file->name = strrchr(paths[i], '/') + 1;
        file->watch = inotify_add_watch(follow->inotify, directory, IN_CLOSE_WRITE | IN_MOVED_TO);
        if (file->watch < 0)
            refuse(why, HP_OPEN, "watch %s: %s", directory, strerror(errno));
        free(directory);
        complete(file->path, &file->hash);
    }
    if (why->count == 0)
        return follow;
    follow_end(follow);
    return NULL;
}

void follow_end(struct follow *follow)
{
    if (!follow)
        return;
    close(follow->inotify);
    free(follow->files);
    free(follow);
}

static void touch_all(struct follow *follow)
{
    for (size_t i = 0; i < follow->count; i++)
        follow->files[i].touched = true;
}

static void read_events(struct follow *follow)
{
    char buffer[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
    ssize_t n;

    while ((n = read(follow->inotify, buffer, sizeof(buffer))) > 0)
        for (char *at = buffer; at < buffer + n;) {
            const struct inotify_event *event = (const void *)at;

            if (event->mask & IN_Q_OVERFLOW)
                touch_all(follow);
            for (size_t i = 0; i < follow->count && event->len; i++)
                if (follow->files[i].watch == event->wd &&
                    strcmp(follow->files[i].name, event->name) == 0)
                    follow->files[i].touched = true;
            at += sizeof(*event) + event->len;
        }
}

static void print_followed(struct json_object *answer, const struct process *process)
{
    struct json_object *modules = json_list(answer, "modules");

    (void)process;
    for (size_t i = 0; i < json_length(modules); i++) {
        if (!json_true(json_item(modules, i), "live"))
            continue;
        print_module("reloaded", json_item(modules, i));
        fputc('\n', stdout);
    }
}

/* One transaction of all that were touched and are complete and other than before. */
static void reload_changed(struct follow *follow, const struct targets *targets,
                           const struct order *order, bool json)
{
    const char **changed = allocate(follow->count * sizeof(*changed));
    struct order again = *order;

    again.patches = changed;
    again.patch_count = 0;
    for (size_t i = 0; i < follow->count; i++) {
        struct followed *file = &follow->files[i];
        uint64_t hash;

        if (!file->touched || !complete(file->path, &hash))
            continue;
        file->touched = false;
        if (hash == file->hash)
            continue;
        file->hash = hash;
        changed[again.patch_count++] = file->path;
    }
    if (again.patch_count)
        order_run(targets, &again, json, print_followed);
    free(changed);
}

/* Drops the processes that have ended; how many are left. */
static size_t drop_ended(struct targets *targets)
{
    size_t kept = 0;

    for (size_t i = 0; i < targets->count; i++) {
        if (process_alive(&targets->list[i])) {
            targets->list[kept++] = targets->list[i];
            continue;
        }
        fprintf(stderr, "process %d has ended\n", targets->list[i].pid);
        process_close(&targets->list[i]);
    }
    targets->count = kept;
    return kept;
}

static struct pollfd *polls_make(const struct follow *follow, const struct targets *targets)
{
    struct pollfd *polls = allocate((targets->count + 1) * sizeof(*polls));

    polls[0] = (struct pollfd){.fd = follow->inotify, .events = POLLIN};
    for (size_t i = 0; i < targets->count; i++)
        polls[i + 1] = (struct pollfd){.fd = pidfd_open(targets->list[i].pid, 0), .events = POLLIN};
    return polls;
}

static void polls_close(struct pollfd *polls, size_t count)
{
    for (size_t i = 1; i <= count; i++)
        if (polls[i].fd >= 0)
            close(polls[i].fd);
    free(polls);
}

int follow_run(struct follow *follow, struct targets *targets, const struct order *order, bool json)
{
    sigset_t before;

    client_hold_signals(&before);
    touch_all(follow); /* what changed while the first load was under way */
    while (!client_interrupted() && results_flush() && drop_ended(targets)) {
        size_t count = targets->count;
        struct pollfd *polls;

        reload_changed(follow, targets, order, json);
        polls = polls_make(follow, targets);
        if (!client_interrupted())
            ppoll(polls, count + 1, NULL, &before);
        polls_close(polls, count);
        read_events(follow);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    return 0;
}
