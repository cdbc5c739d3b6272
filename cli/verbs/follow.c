/*
 * follow.c - hotpatch load --follow: watches the patches' files and loads each again when a complete file with
 * other contents has taken its place.
 *
 * path_watch.c notices that there may be other contents, whole_file.c whether they are complete. Contents are
 * compared by hash, since two builds may fall into one second. A file that is not whole is looked at again
 * after a while, without an event too: the kernel reports the end of writing before it counts the writer out.
 */
#include "cli/verbs/follow.h"

#include <json-c/json.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "cli/output/clock.h"
#include "cli/output/output.h"
#include "cli/output/results.h"
#include "cli/session/client.h"
#include "cli/session/reply.h"
#include "cli/session/request_run.h"
#include "cli/verbs/path_watch.h"
#include "cli/verbs/whole_file.h"

/* ms until a file that is not whole is looked at again: first, and at last after doubling. */
#define PAUSE_FIRST 50
#define PAUSE_LAST 1000
#define SAY_AFTER 1000 /* ms after which it is said that a file is waited for */

struct followed {
    const char *path;
    uint64_t hash;   /* of the contents last loaded or refused */
    uint64_t glance; /* of those last seen, where no writer can be ruled out */
    uint64_t since;  /* ms: it was touched */
    uint64_t next;   /* ms: the next look */
    unsigned pause;
    bool touched;
    bool said; /* that it is waited for */
};

struct follow {
    struct path_watch *watch;
    struct followed *files;
    size_t count;
};

struct follow *follow_begin(const char *const *paths, size_t count)
{
    struct follow *follow = allocate(sizeof(*follow));
    struct refusal ignored = {0};

    signal(SIGIO, SIG_IGN); /* see whole_file.c */
    follow->watch = path_watch_open(paths, count);
    follow->files = allocate(count * sizeof(*follow->files));
    follow->count = count;
    for (size_t i = 0; i < count; i++) {
        follow->files[i].path = paths[i];
        whole_file(paths[i], &follow->files[i].hash, &ignored);
    }
    refusal_clear(&ignored);
    return follow;
}

void follow_end(struct follow *follow)
{
    if (!follow)
        return;
    path_watch_close(follow->watch);
    free(follow->files);
    free(follow);
}

static void touch(struct followed *file)
{
    uint64_t now = now_ms();

    if (!file->touched)
        file->since = now;
    file->touched = true;
    file->next = now;
    file->pause = PAUSE_FIRST;
}

static void print_followed(struct json_object *reply, const struct process *process)
{
    struct json_object *modules = json_list(reply, "modules");

    (void)process;
    for (size_t i = 0; i < json_length(modules); i++) {
        struct json_object *module = json_item(modules, i);

        if (!json_true(module, "live") || json_true(module, "unchanged"))
            continue;
        print_module("reloaded", module);
        fputc('\n', stdout);
    }
}

static void say_waiting(struct followed *file, const struct refusal *why)
{
    char *line = format_text("waiting until %s is whole: %s", file->path,
                             why->count ? why->items[0].text : "it changes");

    warning_print(line);
    free(line);
    file->said = true;
}

/* Set the time of the next look. A file that is open for writing, or may be, is looked at again; of others an
 * event is awaited. */
static void look_later(struct followed *file, enum whole whole, const struct refusal *why)
{
    uint64_t now = now_ms();

    if (!file->said && now - file->since >= SAY_AFTER)
        say_waiting(file, why);
    if (file->said && whole == WHOLE_PART)
        file->touched = false;
    file->next = now + file->pause;
    file->pause = file->pause * 2 < PAUSE_LAST ? file->pause * 2 : PAUSE_LAST;
}

/* Return whether the file has complete contents other than those last loaded. */
static bool changed(struct followed *file)
{
    struct refusal why = {0};
    uint64_t hash = 0;
    enum whole whole;
    bool same;

    if (!file->touched || now_ms() < file->next)
        return false;
    whole = whole_file(file->path, &hash, &why);
    /* Where writers cannot be seen: as it was a while ago. */
    if (whole == WHOLE_UNSURE && (hash == file->glance || hash == file->hash))
        whole = WHOLE;
    file->glance = hash;
    same = hash == file->hash;
    if (whole == WHOLE) {
        file->touched = file->said = false;
        file->hash = hash;
    } else {
        look_later(file, whole, &why);
    }
    refusal_clear(&why);
    return whole == WHOLE && !same;
}

/* Load all files that were touched and are complete and different, in one transaction. */
static void reload_changed(struct follow *follow, const struct process_targets *targets,
                           const struct client_request *client_request, bool json)
{
    const char **paths = allocate(follow->count * sizeof(*paths));
    struct client_request again = *client_request;

    again.patches = paths;
    again.patch_count = 0;
    for (size_t i = 0; i < follow->count; i++)
        if (changed(&follow->files[i]))
            paths[again.patch_count++] = follow->files[i].path;
    if (again.patch_count)
        request_run(targets, &again, json, print_followed);
    free(paths);
}

/* Drop the processes that have ended. Return how many are left. */
static size_t drop_ended(struct process_targets *targets)
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

static struct pollfd *polls_make(const struct follow *follow, const struct process_targets *targets)
{
    struct pollfd *polls = allocate((targets->count + PATH_WATCH_POLLS + 1) * sizeof(*polls));

    path_watch_polls(follow->watch, polls);
    for (size_t i = 0; i < targets->count; i++)
        polls[i + PATH_WATCH_POLLS] =
            (struct pollfd){.fd = pidfd_open(targets->list[i].pid, 0), .events = POLLIN};
    polls[targets->count + PATH_WATCH_POLLS] = results_poll();
    return polls;
}

static void polls_close(struct pollfd *polls, size_t count)
{
    for (size_t i = PATH_WATCH_POLLS; i < count; i++)
        if (polls[i].fd >= 0)
            close(polls[i].fd);
    free(polls);
}

/* Wait for an event, the end of a process or of stdout's reader, a signal, or the time of the next look. */
static void wait_for_change(struct follow *follow, const struct process_targets *targets,
                            const sigset_t *waiting)
{
    size_t count = targets->count + PATH_WATCH_POLLS;
    struct pollfd *polls = polls_make(follow, targets);
    uint64_t now = now_ms(), next = path_watch_next(follow->watch), left;
    bool *touched = allocate(follow->count * sizeof(*touched));

    for (size_t i = 0; i < follow->count; i++)
        if (follow->files[i].touched && follow->files[i].next < next)
            next = follow->files[i].next;
    left = next > now ? next - now : 0;
    if (ppoll(polls, count + 1,
              next == UINT64_MAX ? NULL
                                 : &(struct timespec){.tv_sec = (time_t)(left / 1000),
                                                      .tv_nsec = (long)(left % 1000) * 1000000},
              waiting) < 0)
        polls[1].revents = 0;
    path_watch_take(follow->watch, polls, touched);
    for (size_t i = 0; i < follow->count; i++)
        if (touched[i])
            touch(&follow->files[i]);
    free(touched);
    polls_close(polls, count);
}

int follow_run(struct follow *follow, struct process_targets *targets,
               const struct client_request *client_request, bool json)
{
    sigset_t before;

    client_hold_signals(&before);
    for (size_t i = 0; i < follow->count; i++)
        touch(&follow->files[i]); /* what changed while the first load was under way */
    while (!client_interrupted() && results_wanted() && drop_ended(targets)) {
        reload_changed(follow, targets, client_request, json);
        if (!client_interrupted())
            wait_for_change(follow, targets, &before);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    return 0;
}
