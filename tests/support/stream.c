/* stream.c - see stream.h. */
#include "tests/support/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

struct host *memory_host_start(const char *program, const char *const *environment)
{
    char directory[] = "/dev/shm/hotpatch-test-XXXXXX", variable[64];
    const char *with[8] = {variable};

    struct statvfs room;

    /* A container's /dev/shm may be too small for thousands of copies. */
    if (statvfs("/dev/shm", &room) != 0 || room.f_bavail * room.f_bsize < (512UL << 20) ||
        (room.f_flag & ST_NOEXEC) || !mkdtemp(directory))
        return host_start(program, environment);
    snprintf(variable, sizeof(variable), "HOTPATCH_DIR=%s", directory);
    for (size_t i = 0; environment && environment[i] && i < 6; i++)
        with[i + 1] = environment[i];
    return host_start(program, with);
}

void memory_host_kill(struct host *host)
{
    char directory[sizeof(host->directory)];
    const char *const remove[] = {"rm", "-rf", directory, NULL};

    snprintf(directory, sizeof(directory), "%s", host->directory);
    host_kill(host);
    if (strncmp(directory, "/dev/shm/hotpatch-test-", 23) == 0)
        output_free(run_program(NULL, remove));
}

bool stream_open(struct stream *stream, const struct host *host, const char *name)
{
    char fifo[512];

    memset(stream, 0, sizeof(*stream));
    snprintf(stream->name, sizeof(stream->name), "%s", name);
    snprintf(stream->path, sizeof(stream->path), "%s/%s.reply", host->directory, name);
    snprintf(fifo, sizeof(fifo), "%s/%d.fifo", host->directory, (int)host->pid);
    stream->to = stream->from = -1;
    if (mkfifo(stream->path, 0600) != 0)
        return false;
    stream->from = open(stream->path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    stream->to = open_when_read(host->pid, fifo);
    return stream->from >= 0 && stream->to >= 0 && fcntl(stream->to, F_SETFL, 0) == 0;
}

void stream_close(struct stream *stream)
{
    if (stream->to >= 0)
        close(stream->to);
    if (stream->from >= 0)
        close(stream->from);
    unlink(stream->path);
    free(stream->text);
}

bool stream_send(struct stream *stream, const char *line)
{
    char whole[4096];
    size_t verb = strcspn(line, " ");
    int length = snprintf(whole, sizeof(whole), "%.*s id=%s-%zu reply=%s.reply%s\n", (int)verb,
                          line, stream->name, stream->sent, stream->name, line + verb);

    if (length >= (int)sizeof(whole) || write(stream->to, whole, (size_t)length) != length)
        return false;
    stream->sent++;
    return true;
}

static bool read_more(struct stream *stream)
{
    struct pollfd polled = {stream->from, POLLIN, 0};
    ssize_t got;

    if (stream->size + 65536 > stream->capacity) {
        stream->capacity = stream->size + (1 << 18);
        stream->text = realloc(stream->text, stream->capacity);
    }
    if (!stream->text || poll(&polled, 1, HARNESS_TIMEOUT_MS) != 1)
        return false;
    got = read(stream->from, stream->text + stream->size, 65536 - 1);
    if (got < 0 && errno != EAGAIN)
        return false;
    stream->size += got > 0 ? (size_t)got : 0;
    return true;
}

const char *stream_receive(struct stream *stream)
{
    char *end;

    if (stream->taken) {
        stream->size -= stream->taken;
        memmove(stream->text, stream->text + stream->taken, stream->size);
        stream->taken = 0;
    }
    while (!(end = stream->size ? memchr(stream->text, '\n', stream->size) : NULL))
        if (!read_more(stream))
            return NULL;
    *end = '\0';
    stream->taken = (size_t)(end - stream->text) + 1;
    stream->received++;
    return stream->text;
}

/* Return whether the reply belongs to the oldest open request. */
static bool in_turn(const struct stream *stream, const char *reply)
{
    char id[64];

    snprintf(id, sizeof(id), "\"id\":\"%s-%zu\"", stream->name, stream->received - 1);
    return strstr(reply, id) != NULL;
}

long stream_run(struct stream *stream, const char *const *lines, size_t line_count, size_t count)
{
    size_t first = stream->sent, last = stream->received + count;
    long refused = 0;

    stream->refusal[0] = '\0';
    while (stream->received < last) {
        while (stream->sent < last && stream->sent - stream->received < STREAM_WINDOW)
            if (!stream_send(stream, lines[(stream->sent - first) % line_count]))
                return -1;
        const char *reply = stream_receive(stream);
        if (!reply || !in_turn(stream, reply)) {
            fprintf(stderr, "request %zu of %s: %s\n", stream->received, stream->name,
                    reply ? reply : "no reply");
            return -1;
        }
        if (!strstr(reply, "\"result\":\"done\"") && refused++ == 0)
            snprintf(stream->refusal, sizeof(stream->refusal), "%s", reply);
    }
    return refused;
}
