/*
 * watch_round.c - see watch_round.h.
 *
 * A patch states the whole difference between the present sources and the texts that its file was built from, so the
 * process has one patch of each file, and the next takes its place. All patches of a save are one transaction of each
 * process.
 */
#include "cli/verbs/watch_round.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/request.h"
#include "cli/output/clock.h"
#include "cli/output/output.h"
#include "cli/session/client.h"
#include "cli/session/reply.h"

enum update_kind { UPDATE_NONE, UPDATE_PATCH, UPDATE_REVERT, UPDATE_FAILED };

/* What the present sources mean for one binary. */
struct watched_update {
    struct watch_binary *binary;
    enum update_kind kind;
    char *pending; /* path of the new patch */
    struct build_result result;
    struct refusal why;
};

struct updates {
    struct watched_update *list; /* by the index of binaries */
    size_t count;
    const struct build_result **results; /* of patches that are live then */
    size_t result_count;
};

/* ---- building ---- */

static void update_build(struct watched_update *update, const struct edit_file *files, size_t count)
{
    struct watch_binary *binary = update->binary;
    char version[16];
    const struct edit edit = {.files = files, .file_count = count};
    const struct build_output output = {
        .path = update->pending, .name = binary->module, .version = version};

    snprintf(version, sizeof(version), "%u", binary->version + 1);
    if (build_patch(binary->build, &edit, &output, &update->result, &update->why) == 0)
        update->kind = UPDATE_PATCH;
    else if (update->why.items[0].code == HP_UNCHANGED)
        update->kind = UPDATE_REVERT;
    else
        update->kind = UPDATE_FAILED;
}

static void update_make(struct watched_update *update, struct watch_binaries *binaries)
{
    struct watch_binary *binary = update->binary;
    size_t count;
    struct edit_file *files;

    if (binary->before && watch_binary_date(binaries, binary, &update->why) != 0) {
        update->kind = UPDATE_FAILED;
        return;
    }
    files = unedited_edit(binary->unedited, binaries->sources, &count);
    update->pending = format_text("%s.new", binary->output);
    if (count)
        update_build(update, files, count);
    else
        update->kind = UPDATE_REVERT;
    free(files);
}

static struct updates updates_make(const struct watch_round *round)
{
    struct watch_binaries *binaries = round->binaries;
    struct updates updates = {.count = binaries->count};

    updates.list = allocate(binaries->count * sizeof(*updates.list));
    updates.results = allocate(binaries->count * sizeof(*updates.results));
    for (size_t i = 0; i < binaries->count; i++) {
        updates.list[i].binary = binaries->list[i];
        if (binaries->list[i]->build && binaries->list[i]->stale &&
            watch_processes_use(round->processes, binaries->list[i]))
            update_make(&updates.list[i], binaries);
        if (updates.list[i].kind == UPDATE_PATCH)
            updates.results[updates.result_count++] = &updates.list[i].result;
    }
    return updates;
}

static void updates_free(struct updates *updates)
{
    for (size_t i = 0; i < updates->count; i++) {
        if (updates->list[i].pending)
            unlink(updates->list[i].pending);
        free(updates->list[i].pending);
        build_result_free(&updates->list[i].result);
        refusal_clear(&updates->list[i].why);
    }
    free(updates->list);
    free(updates->results);
}

static bool updates_failed(const struct updates *updates)
{
    for (size_t i = 0; i < updates->count; i++)
        if (updates->list[i].kind == UPDATE_FAILED)
            return true;
    return false;
}

static void updates_report_failed(const struct watch_round *round, const struct updates *updates,
                                  const char *files)
{
    for (size_t i = 0; i < updates->count; i++) {
        const char *words = updates->list[i].result.compiler_words;

        if (updates->list[i].kind != UPDATE_FAILED)
            continue;
        report_refused(round->report, files, words, &updates->list[i].why);
        watch_files_failed(round->files, words ? format_text("%s", words) : NULL);
    }
}

/* Put the new patches in the places of the old. */
static void updates_accept(struct updates *updates)
{
    for (size_t i = 0; i < updates->count; i++) {
        struct watched_update *update = &updates->list[i];

        if (update->kind != UPDATE_NONE)
            update->binary->stale = false;
        if (update->kind == UPDATE_REVERT)
            update->binary->wanted = false;
        if (update->kind != UPDATE_PATCH)
            continue;
        chmod(update->pending, 0644);
        rename(update->pending, update->binary->output);
        update->binary->version++;
        update->binary->wanted = true;
    }
}

static void add_build_times(const struct updates *updates, struct save_times *times)
{
    for (size_t i = 0; i < updates->count; i++) {
        const struct build_times *its = &updates->list[i].result.times;

        times->compiled += its->compile;
        times->compared += its->compare + its->select + its->write;
    }
}

/* ---- loading ---- */

/* The version that a process must have of a part; 0: none. */
static unsigned part_wants(const struct watch_part *part)
{
    return part->binary->wanted ? part->binary->version : 0;
}

/* The requests that make processes have what they must: the same for all of a group. */
struct load_group {
    struct watch_process **members;
    size_t member_count;
    const char **patches;
    size_t patch_count;
};

static bool same_patches(const struct watch_process *process, const struct load_group *group)
{
    size_t count = 0;

    for (size_t i = 0; i < process->part_count; i++)
        if (part_wants(&process->parts[i]) &&
            process->parts[i].loaded != part_wants(&process->parts[i])) {
            if (count >= group->patch_count ||
                strcmp(group->patches[count], process->parts[i].binary->output) != 0)
                return false;
            count++;
        }
    return count == group->patch_count;
}

static void group_patches(const struct watch_process *process, struct load_group *group)
{
    group->patches = allocate((process->part_count + 1) * sizeof(*group->patches));
    for (size_t i = 0; i < process->part_count; i++)
        if (part_wants(&process->parts[i]) &&
            process->parts[i].loaded != part_wants(&process->parts[i]))
            group->patches[group->patch_count++] = process->parts[i].binary->output;
}

/* Run the request in the group. Return the replies, one for each member. */
static struct session_request *group_run(const struct load_group *group,
                                         const struct client_request *client_request)
{
    struct session_request *requests = allocate(group->member_count * sizeof(*requests));

    for (size_t i = 0; i < group->member_count; i++)
        requests[i].process = &group->members[i]->process;
    requests_run(requests, group->member_count, client_request);
    return requests;
}

static void requests_free(struct session_request *requests, size_t count)
{
    for (size_t i = 0; i < count; i++)
        json_object_put(requests[i].reply);
    free(requests);
}

static void note_loaded(struct watch_process *process)
{
    for (size_t i = 0; i < process->part_count; i++)
        if (part_wants(&process->parts[i]))
            process->parts[i].loaded = part_wants(&process->parts[i]);
}

/* Take the paths of patches, which are of no use to the user, off the errors. */
static void drop_paths(struct json_object *reply, const struct load_group *group)
{
    struct json_object *errors = json_list(reply, "errors");

    for (size_t i = 0; i < json_length(errors); i++)
        for (size_t j = 0; j < group->patch_count; j++) {
            struct json_object *error = json_item(errors, i);
            const char *text = json_text(error, "text");
            size_t length = strlen(group->patches[j]);

            if (strncmp(text, group->patches[j], length) == 0 &&
                strncmp(text + length, ": ", 2) == 0)
                json_object_object_add(error, "text", json_object_new_string(text + length + 2));
        }
}

/* Load the group's patches. Return the number of processes that have them. */
static size_t group_load(const struct watch_round *round, const struct load_group *group,
                         const char *files)
{
    const struct client_request client_request = {
        .verb = "load",
        .keys = "",
        .patches = group->patches,
        .patch_count = group->patch_count,
        .timeout = REQUEST_TIMEOUT_DEFAULT,
        .changes = true,
    };
    struct session_request *requests = group_run(group, &client_request);
    size_t done = 0;

    for (size_t i = 0; i < group->member_count; i++) {
        if (reply_exit(requests[i].reply) == 0) {
            note_loaded(group->members[i]);
            done++;
        } else if (process_alive(&group->members[i]->process)) {
            drop_paths(requests[i].reply, group);
            report_failed(round->report, files, group->members[i]->process.pid, requests[i].reply);
        }
    }
    requests_free(requests, group->member_count);
    return done;
}

static bool needs_load(const struct watch_process *process)
{
    for (size_t i = 0; i < process->part_count; i++)
        if (part_wants(&process->parts[i]) &&
            process->parts[i].loaded != part_wants(&process->parts[i]))
            return true;
    return false;
}

/* Load into all processes that lack a patch. Return the number of processes that got it. */
static size_t load_all(const struct watch_round *round, const char *files)
{
    struct watch_processes *processes = round->processes;
    bool *taken = allocate(processes->count * sizeof(*taken));
    size_t done = 0;

    for (size_t i = 0; i < processes->count; i++) {
        struct load_group group = {0};

        if (taken[i] || !needs_load(&processes->list[i]))
            continue;
        group.members = allocate(processes->count * sizeof(struct watch_process *));
        group_patches(&processes->list[i], &group);
        for (size_t j = i; j < processes->count; j++)
            if (!taken[j] && needs_load(&processes->list[j]) &&
                same_patches(&processes->list[j], &group)) {
                taken[j] = true;
                group.members[group.member_count++] = &processes->list[j];
            }
        done += group_load(round, &group, files);
        free(group.members);
        free(group.patches);
    }
    free(taken);
    return done;
}

/* Return whether the patch is not in the process, by its reply to a revert. */
static bool is_out(struct json_object *reply)
{
    struct json_object *first = json_item(json_list(reply, "errors"), 0);

    return reply_exit(reply) == 0 || strcmp(json_text(first, "code"), "HP-NO-LAYER") == 0;
}

static struct watch_part *part_of(struct watch_process *process, const struct watch_binary *binary)
{
    for (size_t i = 0; i < process->part_count; i++)
        if (process->parts[i].binary == binary)
            return &process->parts[i];
    return NULL;
}

/* Revert the binary's patch wherever it is. Return the number of processes that have it no more. */
static size_t watched_revert(const struct watch_round *round, const struct watch_binary *binary,
                             const char *files)
{
    struct watch_processes *processes = round->processes;
    char *keys = format_text("name=%s", binary->module);
    const struct client_request client_request = {
        .verb = "revert", .keys = keys, .timeout = REQUEST_TIMEOUT_DEFAULT, .changes = true};
    struct load_group group = {.members =
                                   allocate(processes->count * sizeof(struct watch_process *))};
    struct session_request *requests;
    size_t done = 0;

    for (size_t i = 0; i < processes->count; i++) {
        const struct watch_part *part = part_of(&processes->list[i], binary);

        if (part && part->loaded)
            group.members[group.member_count++] = &processes->list[i];
    }
    requests = group_run(&group, &client_request);
    for (size_t i = 0; i < group.member_count; i++) {
        if (is_out(requests[i].reply)) {
            part_of(group.members[i], binary)->loaded = 0;
            done++;
        } else if (process_alive(&group.members[i]->process)) {
            report_failed(round->report, files, group.members[i]->process.pid, requests[i].reply);
        }
    }
    requests_free(requests, group.member_count);
    free(group.members);
    free(keys);
    return done;
}

/* Revert what is not wanted any more. Return the largest number of processes of one binary. */
static size_t revert_unwanted(const struct watch_round *round, const char *files)
{
    size_t most = 0;

    for (size_t i = 0; i < round->binaries->count; i++) {
        const struct watch_binary *binary = round->binaries->list[i];
        size_t done = binary->build && !binary->wanted ? watched_revert(round, binary, files) : 0;

        most = done > most ? done : most;
    }
    return most;
}

/* ---- rounds ---- */

/* Print that nothing is to be patched: the reason of the first binary that has one. */
static void report_unchanged(const struct watch_round *round, const struct updates *updates,
                             const char *files)
{
    for (size_t i = 0; i < updates->count; i++)
        if (updates->list[i].why.count) {
            report_event(round->report, "unchanged", "%s: %s", files,
                         refusal_text(&updates->list[i].why, 0));
            return;
        }
    report_event(round->report, "unchanged", "%s: as the program was built", files);
}

/* Take events that came meanwhile. Return whether contents have changed again. */
static bool changed_meanwhile(const struct watch_round *round)
{
    struct pollfd polls[PATH_WATCH_POLLS];

    watch_files_polls(round->files, polls);
    if (poll(polls, PATH_WATCH_POLLS, 0) > 0)
        watch_files_take(round->files, polls);
    return watch_files_pending(round->files);
}

static void extend_binaries(const struct watch_round *round, const struct updates *updates)
{
    struct refusal ignored = {0};

    for (size_t i = 0; i < updates->count; i++)
        if (updates->list[i].kind == UPDATE_PATCH)
            watch_binary_extend(round->binaries, updates->list[i].binary, &ignored);
    refusal_clear(&ignored);
    watch_files_extend(round->files);
}

/* Return whether new code is live. */
static bool round_switch(const struct watch_round *round, struct updates *updates,
                         const char *files, struct save_times *times, double began)
{
    double built = precise_ms();
    size_t reverted, loaded;

    updates_accept(updates);
    reverted = revert_unwanted(round, files);
    loaded = load_all(round, files);
    times->loaded = precise_ms() - built;
    times->live = times->noticed + precise_ms() - began;
    if (loaded)
        report_live(round->report, files, times, updates->results, updates->result_count, loaded);
    else if (reverted)
        report_reverted(round->report, files, times, reverted);
    else if (!updates->result_count && *files)
        report_unchanged(round, updates, files);
    return loaded > 0;
}

/* Forget unedited objects that may have been compiled from a source that was saved at that moment. */
static void forget_mixed(const struct watch_round *round, const struct updates *updates)
{
    struct refusal ignored = {0};

    for (size_t i = 0; i < updates->count; i++)
        if (updates->list[i].kind == UPDATE_FAILED &&
            updates->list[i].why.items[0].code == HP_BASELINE)
            watch_binary_reopen(round->binaries, updates->list[i].binary, &ignored);
    refusal_clear(&ignored);
}

enum round_end watch_round_run(const struct watch_round *round, bool last)
{
    struct save_times times = {.noticed = watch_files_age(round->files)};
    double began = precise_ms();
    char *files = watch_files_names(round->files);
    enum round_end end = ROUND_DONE;
    struct updates updates;

    if (watch_files_changed(round->files))
        watch_binaries_stale(round->binaries);
    watch_processes_refresh(round->processes);
    updates = updates_make(round);

    add_build_times(&updates, &times);
    if (!last && changed_meanwhile(round)) {
        end = ROUND_STALE;
        forget_mixed(round, &updates);
    } else {
        watch_files_clear(round->files);
        if (updates_failed(&updates))
            updates_report_failed(round, &updates, files);
        else
            watch_files_failed(round->files, NULL);
        if (!updates_failed(&updates) && round_switch(round, &updates, files, &times, began))
            end = ROUND_LIVE;
        extend_binaries(round, &updates);
    }
    updates_free(&updates);
    free(files);
    return end;
}

void watch_round_revert(const struct watch_round *round)
{
    for (size_t i = 0; i < round->binaries->count; i++)
        round->binaries->list[i]->wanted = false;
    revert_unwanted(round, "");
}
