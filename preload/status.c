/* status.c - see status.h. */
#include "preload/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/proc_text.h"
#include "base/state.h"
#include "base/sys.h"
#include "base/wall_time.h"
#include "preload/doorbell.h"
#include "preload/endpoint.h"
#include "preload/engine_lock.h"
#include "preload/jail.h"
#include "preload/log.h"
#include "preload/made_here.h"
#include "preload/reply_json.h"
#include "preload/self.h"
#include "preload/worker.h"

/* Held while the program's name and the start time are read: the listener and a host thread in the run-time API may
 * need them for the first time at the same moment. */
static struct lock facts STATE;

static struct {
    char program[PATH_MAX];
    uint64_t start_time;
    pid_t start_time_of; /* process of start_time */
    uint64_t requests;
    uint64_t records; /* number of all records made */
    char *history[STATUS_HISTORY];
    size_t first, count; /* ring */
    char sandbox[512];
} status;

/* Read the program's name, with the lock held. Not in the constructor, where reading /proc costs 20 us, because the
 * process is so young. */
static void read_program(void)
{
    char path[PATH_MAX];
    ssize_t length = sys_readlinkat(AT_FDCWD, "/proc/thread-self/exe", path, sizeof(path) - 1);
    int file = -1;

    path[length > 0 ? length : 0] = '\0';
    if (length <= 0)
        file = outside_ask("/proc/self/exe", path, sizeof(path));
    if (file >= 0)
        sys_close(file);
    memcpy(status.program, path, strlen(path) + 1);
}

/* Return the program's name, also on a host thread that calls the run-time API before the listener's start. */
const char *status_program(void)
{
    lock_acquire(&facts);
    if (!status.program[0])
        read_program();
    lock_release(&facts);
    return status.program; /* the name does not change any more */
}

static uint64_t read_start_time(void)
{
    char text[1024];
    int fd = outside_open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? fd : sys_read(fd, text, sizeof(text) - 1);

    if (fd >= 0)
        sys_close(fd);
    if (length <= 0)
        return 0;
    text[length] = '\0';
    return proc_number(proc_stat_field(text, PROC_STAT_START_TIME), 10);
}

uint64_t status_start_time(void)
{
    uint64_t start_time;

    lock_acquire(&facts);
    if (status.start_time_of != sys_getpid() || !made_here() || status.start_time == 0) {
        status.start_time = read_start_time();
        status.start_time_of = sys_getpid();
    }
    start_time = status.start_time;
    lock_release(&facts);
    return start_time;
}

void status_start(void)
{
    status_start_time();
    status_program();
}

static void write_time(char *buffer, size_t size)
{
    const struct timespec now = clock_now(CLOCK_REALTIME);

    wall_time_text(&now, buffer, size);
}

void status_set_sandbox(const char *text)
{
    snprintf(status.sandbox, sizeof(status.sandbox), "%s", text ? text : "");
}

void status_count_request(void)
{
    status.requests++;
}

void status_record_begin(struct json *record, const char *id, const char *verb)
{
    char time[64];

    write_time(time, sizeof(time));
    json_object_begin(record, NULL);
    json_unsigned(record, "n", ++status.records);
    json_string(record, "time", time);
    json_string(record, "id", id);
    json_string(record, "verb", verb);
}

void status_record_end(struct json *record, uint64_t microseconds)
{
    size_t at = (status.first + status.count) % STATUS_HISTORY;
    char *text;

    json_unsigned(record, "microseconds", microseconds);
    json_object_end(record);
    text = json_take(record);
    if (!text)
        return;
    if (status.count == STATUS_HISTORY) {
        free(status.history[status.first]);
        status.first = (status.first + 1) % STATUS_HISTORY;
    } else {
        status.count++;
    }
    status.history[at] = text;
}

static void write_head(struct json *json)
{
    char path[PATH_MAX + 32], doing[PATH_MAX];

    worker_doing(doing, sizeof(doing));
    json_number(json, "hotpatch", 1);
    json_number(json, "pid", sys_getpid());
    json_unsigned(json, "start_time", status_start_time());
    json_unsigned(json, "pid_ns", self_pid_ns());
    json_string(json, "nonce", self_nonce());
    json_string(json, "program", status.program);
    json_unsigned(json, "uid", sys_geteuid());
    json_number(json, "signal", doorbell_signal());
    json_string(json, "fifo", endpoint_path(path, sizeof(path)) ? path : NULL);
    json_string(json, "version", HOTPATCH_VERSION);
    json_boolean(json, "engine", engine_loaded());
    json_string(json, "sandbox", status.sandbox[0] ? status.sandbox : NULL);
    json_unsigned(json, "requests", status.requests);
    json_string(json, "busy", doing);
}

/* Write the document with the last `records` of the history; `threads`: and with what the program's threads are in. */
static void document(struct json *json, const char *key, size_t records, bool threads)
{
    json_object_begin(json, key);
    write_head(json);
    if (engine_loaded()) {
        struct reported_status engine_status = engine()->status();

        reply_json_status(json, &engine_status, threads);
    } else {
        json_array_begin(json, "slots");
        json_array_end(json);
        json_array_begin(json, "modules");
        json_array_end(json);
        if (threads) {
            json_array_begin(json, "old_calls");
            json_array_end(json);
            json_array_begin(json, "running");
            json_array_end(json);
        }
    }
    json_array_begin(json, "history");
    for (size_t i = status.count > records ? status.count - records : 0; i < status.count; i++)
        json_raw(json, NULL, status.history[(status.first + i) % STATUS_HISTORY]);
    json_array_end(json);
    json_object_end(json);
}

void status_document(struct json *json, const char *key)
{
    document(json, key, STATUS_HISTORY, true);
}

static int write_document(struct json *json)
{
    if (json->failed)
        return -ENOMEM;
    json->comma = false;
    json_raw(json, NULL, "\n");
    return json->failed ? -ENOMEM : endpoint_write_status(json->text, json->length);
}

/* A status file with thousands of slots is not written again after a request that changes no slot. */
enum { LONG_FILE = 256 * 1024 };

static size_t last_length;

bool status_is_long(void)
{
    return last_length > LONG_FILE;
}

int status_write(void)
{
    struct json json = {0};
    int result;

    document(&json, NULL, STATUS_FILE_HISTORY, false);
    result = write_document(&json);
    last_length = json.length;
    json_discard(&json);
    /* If the program has just changed its user, the next endpoint_check() makes directory and file again. */
    if (result != 0 && !endpoint_user_changed())
        log_write(jail_in() ? LOG_INFO : LOG_ERROR, "the status file could not be written: %s",
                  sys_error(result));
    return result;
}

void status_write_first(void)
{
    char buffer[PATH_MAX * 2 + 1024];
    struct json json = {.text = buffer, .capacity = sizeof(buffer), .fixed = true};

    if (engine_loaded() || status.count) {
        status_write();
        return;
    }
    document(&json, NULL, STATUS_FILE_HISTORY, false);
    if (write_document(&json) == -ENOMEM)
        status_write();
}

void status_reset(void)
{
    lock_reset(&facts);
    if (status.sandbox[0])
        status.sandbox[0] = '\0';
    if (engine_fork_torn())
        status.first = status.count = 0;
}
