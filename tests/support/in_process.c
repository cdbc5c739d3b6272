/*
 * in_process.c - see in_process.h: the engine with a shim that runs the worker's jobs at once.
 */
#include "tests/support/in_process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader/engine.h"
#include "preload/reply_json.h"
#include "tests/support/harness.h"

/* ---- the shim ---- */

struct in_process in_process;

static int directory_fd;

static int worker_run(struct worker_job *job, uint64_t deadline)
{
    (void)deadline;
    if (in_process.worker_busy)
        return -EBUSY;
    job->run(job);
    return 0;
}

static void worker_doing(char *buffer, size_t size)
{
    snprintf(buffer, size, "%s", in_process.worker_busy ? "something long" : "");
}

static void log_nothing(enum log_level level, const char *format, ...)
{
    (void)level;
    (void)format;
}

static int runtime_dir(const char **path)
{
    *path = in_process.directory;
    return directory_fd;
}

static int program(const char **path)
{
    static char name[4096];

    if (path)
        *path = readlink("/proc/self/exe", name, sizeof(name) - 1) > 0 ? name : NULL;
    return -1;
}

static struct registered_slot *registered(void)
{
    return NULL;
}

static void on_change(void *context)
{
    ++*(int *)context;
}

static struct change_handler *handlers(void)
{
    static struct change_handler handler = {on_change, &in_process.handled, NULL};

    return &handler;
}

static int at_safe_point(void (*commit_now)(void *), void *context, uint64_t until)
{
    (void)until;
    if (!in_process.at_safe_point_comes)
        return -ETIMEDOUT;
    commit_now(context);
    return 0;
}

static void nothing(void)
{
}

static void begin_section(void)
{
    in_process.sections++;
}

static void arming(bool on)
{
    (void)on;
}

static int open_here(const char *path, int flags)
{
    int fd = open(path, flags);

    return fd < 0 ? -errno : fd;
}

static int not_in_a_jail(const char *what, char *text, size_t size)
{
    (void)what;
    (void)text;
    (void)size;
    return -ENOLINK;
}

/* Return true: the test program is linked with libelf, which keeps the program's allocator. */
static bool was_there(const char *name)
{
    (void)name;
    return true;
}

static const struct shim_services shim_of_test = {
    .abi = ENGINE_ABI,
    .worker_run = worker_run,
    .worker_doing = worker_doing,
    .log = log_nothing,
    .runtime_dir = runtime_dir,
    .program = program,
    .registered = registered,
    .handlers = handlers,
    .at_safe_point = at_safe_point,
    .commit_begin = begin_section,
    .commit_end = nothing,
    .arming = arming,
    .pid = getpid,
    .open = open_here,
    .outside = not_in_a_jail,
    .allocate = malloc,
    .allocate_aligned = aligned_alloc,
    .resize = realloc,
    .release = free,
    .was_there = was_there,
};

/* ---- requests ---- */

static void take_result(void *context, const struct reported_result *result)
{
    struct refusal refused = {0};

    reply_json_result(context, result, &refused);
    refusal_clear(&refused);
}

const char *in_process_run(const char *lines)
{
    static char code[64];
    char text[4096];
    struct request *requests = calloc(16, sizeof(*requests));
    size_t count = 0;
    struct refusal why = {0};
    struct reply_json reply;
    const char *found;

    assert_true(strlen(lines) < sizeof(text));
    strcpy(text, lines);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        if (request_parse(line, strlen(line), &requests[count++], &why) != 0)
            fail_msg("request %s: %s", line, why.items[0].text);
    reply_json_begin(&reply, "", request_verb_name(requests[0].verb));
    hotpatch_engine_v1.handle(requests, count, take_result, &reply);
    reply_json_end(&reply, NULL, 0);
    free(in_process.reply);
    in_process.reply = json_take(&reply.head);
    reply_json_discard(&reply);
    free(requests);
    found = strstr(in_process.reply, "\"code\":\"");
    if (!found)
        return "apply";
    sscanf(found, "\"code\":\"%63[^\"]", code);
    return code;
}

const char *in_process_load(const char *keys, const char *patch)
{
    char line[4200];

    snprintf(line, sizeof(line), "load %s%s%s", keys, *keys ? " " : "", patch_file(patch));
    return in_process_run(line);
}

void assert_codes(const char *got, const char *wanted)
{
    if (strcmp(got, wanted) != 0)
        fail_msg("%s instead of %s: %s", got, wanted, in_process.reply);
}

void must_load(const char *patch)
{
    assert_codes(in_process_load("", patch), "apply");
}

int in_process_setup(void **state)
{
    char why[256];

    (void)state;
    strcpy(in_process.directory, "/tmp/in_process.XXXXXX");
    if (!mkdtemp(in_process.directory))
        return -1;
    directory_fd = open(in_process.directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return hotpatch_engine_v1.start(&shim_of_test, why, sizeof(why));
}

int in_process_teardown(void **state)
{
    char command[128];

    (void)state;
    free(in_process.reply);
    in_process.reply = NULL;
    close(directory_fd);
    snprintf(command, sizeof(command), "rm -rf %s", in_process.directory);
    return system(command);
}
