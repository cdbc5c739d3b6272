/*
 * requests.c - requests by FIFO, and their replies; see requests.h.
 *
 * Called only in the test program.
 */
#include "tests/support/requests.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/harness.h"

static int open_fifo(struct host *host)
{
    const char *path = host_fifo(host);
    int fd = open_when_read(host->pid, path);
    if (fd < 0)
        fail_msg("open %s: %s; log:\n%s", path, strerror(errno), host_log(host));
    return fd;
}

void send_raw(struct host *host, const void *bytes, size_t size)
{
    int fd = open_fifo(host);
    assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
    ssize_t written = write(fd, bytes, size);
    if (written != (ssize_t)size)
        fail_msg("write to %s: %zd, %s; log:\n%s", host_fifo(host), written, strerror(errno),
                 host_log(host));
    close(fd);
}

/* Put " reply=NAME" after the verb of the last line. */
static size_t add_reply(char *to, size_t size, const char *line, const char *name)
{
    const char *last = strrchr(line, '\n');
    const char *verb = last ? last + 1 : line;
    size_t head = (size_t)(verb - line) + strcspn(verb, " ");
    int length = snprintf(to, size, "%.*s reply=%s%s\n", (int)head, line, name, line + head);
    assert_true(length > 0 && (size_t)length < size);
    return (size_t)length;
}

static char *await_line(struct host *host, int fd)
{
    size_t size = 0, capacity = 1 << 16;
    char *text = malloc(capacity);
    assert_non_null(text);
    for (;;) {
        await_readable(host, fd, "reply");
        if (size + 1 == capacity)
            assert_non_null(text = realloc(text, capacity *= 2));
        ssize_t got = read(fd, text + size, capacity - size - 1);
        if (got < 0 && errno == EAGAIN)
            continue;
        if (got < 0)
            fail_msg("read reply: %s", strerror(errno));
        size += (size_t)got;
        text[size] = '\0';
        if (size > 0 && text[size - 1] == '\n')
            return text;
    }
}

static struct reply *reply_read(char *text)
{
    struct reply *reply = calloc(1, sizeof(*reply));
    assert_non_null(reply);
    reply->json = json_tokener_parse(text);
    if (!reply->json)
        fail_msg("the reply is not JSON: %s", text);
    free(text);
    assert_int_equal(json_object_get_int(member(reply->json, "hotpatch")), 1);
    reply->exit_code = json_object_get_int(member(reply->json, "exit"));
    json_object *errors = member(reply->json, "errors");
    bool done = strcmp(member_text(reply->json, "result"), "done") == 0;
    snprintf(reply->code, sizeof(reply->code), "apply");
    if (done) {
        assert_int_equal(reply->exit_code, 0);
        assert_int_equal(json_object_array_length(errors), 0);
        return reply;
    }
    assert_int_not_equal(reply->exit_code, 0);
    assert_true(json_object_array_length(errors) > 0);
    json_object *first = json_object_array_get_idx(errors, 0);
    snprintf(reply->code, sizeof(reply->code), "%s", member_text(first, "code"));
    snprintf(reply->text, sizeof(reply->text), "%s", member_text(first, "text"));
    return reply;
}

static struct reply *vrequest(struct host *host, const char *format, va_list arguments)
{
    char line[8192], whole[8192], name[32];
    vsnprintf(line, sizeof(line), format, arguments);
    snprintf(name, sizeof(name), "t%u.reply", host->replies++);
    const char *path = path_of(host->directory, name);
    if (mkfifo(path, 0600) != 0)
        fail_msg("mkfifo %s: %s", path, strerror(errno));
    /* The directory's owner may have changed with the host's uid. */
    struct stat owner;
    assert_int_equal(stat(host->directory, &owner), 0);
    assert_int_equal(lchown(path, owner.st_uid, owner.st_gid), 0);
    int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    assert_true(fd >= 0);
    send_raw(host, whole, add_reply(whole, sizeof(whole), line, name));
    char *text = await_line(host, fd);
    close(fd);
    unlink(path);
    return reply_read(text);
}

struct reply *request(struct host *host, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    struct reply *reply = vrequest(host, format, arguments);
    va_end(arguments);
    return reply;
}

void reply_free(struct reply *reply)
{
    json_object_put(reply->json);
    free(reply);
}

const char *outcome(struct host *host, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    struct reply *reply = vrequest(host, format, arguments);
    va_end(arguments);
    if (strcmp(reply->code, "apply") != 0)
        print_message("%s: %s\n", reply->code, reply->text);
    const char *code = strdup(reply->code);
    reply_free(reply);
    return code;
}

void host_listen(struct host *host)
{
    assert_string_equal(outcome(host, "ping"), "apply");
}

void must_apply(struct host *host, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    struct reply *reply = vrequest(host, format, arguments);
    va_end(arguments);
    if (strcmp(reply->code, "apply") != 0)
        fail_msg("refused: %s", json_object_to_json_string(member(reply->json, "errors")));
    reply_free(reply);
}

const char *last_refusal(struct host *host)
{
    struct reply *reply = request(host, "status");
    json_object *history = member(reply->json, "status.history");
    const char *code = NULL;
    for (size_t i = json_object_array_length(history); i-- > 0 && !code;) {
        json_object *record = json_object_array_get_idx(history, i);
        json_object *value = json_object_object_get(record, "code");
        if (value && json_object_get_string(value))
            code = strdup(json_object_get_string(value));
    }
    if (!code)
        fail_msg("no refusal in the history: %s", json_object_to_json_string(history));
    reply_free(reply);
    return code;
}

void assert_unchanged(struct host *host)
{
    host_expect(host, "answer", "1");
    host_expect(host, "pointer", "1");
    host_expect(host, "greeting", "hello");
    assert_string_equal(outcome(host, "ping"), "apply");
    assert_true(host_alive(host));
}

json_object *member(json_object *object, const char *path)
{
    char name[64];
    json_object *at = object;
    for (const char *rest = path; rest;) {
        const char *dot = strchr(rest, '.');
        snprintf(name, sizeof(name), "%.*s", dot ? (int)(dot - rest) : (int)strlen(rest), rest);
        if (!json_object_object_get_ex(at, name, &at))
            fail_msg("no %s in %s", path, json_object_to_json_string(object));
        rest = dot ? dot + 1 : NULL;
    }
    return at;
}

const char *member_text(json_object *object, const char *path)
{
    const char *text = json_object_get_string(member(object, path));
    return text ? text : "";
}

json_object *slot_named(json_object *array, const char *name)
{
    for (size_t i = 0; i < json_object_array_length(array); i++) {
        json_object *slot = json_object_array_get_idx(array, i);
        if (strcmp(member_text(slot, "name"), name) == 0)
            return slot;
    }
    fail_msg("no slot %s in %s", name, json_object_to_json_string(array));
    return NULL;
}
