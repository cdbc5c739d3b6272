/* replies.c - see replies.h. */
#include "replies.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "arming.h"
#include "lock.h"
#include "log.h"
#include "state.h"
#include "sys.h"

#define STALL_LIMIT_MS 5000 /* without a byte taken */

static struct pending {
    int fd;
    char *text;
    size_t length, sent;
    uint64_t progress; /* ms; of the last byte taken */
} pending[REPLIES_MAX];

static size_t count STATE;

static void drop(size_t index)
{
    sys_close(pending[index].fd);
    free(pending[index].text);
    pending[index] = pending[--count];
}

/* True: there is nothing more to do for it. */
static bool advance(struct pending *reply)
{
    while (reply->sent < reply->length) {
        ssize_t wrote =
            sys_write(reply->fd, reply->text + reply->sent, reply->length - reply->sent);

        if (wrote == -EINTR)
            continue;
        if (wrote == -EAGAIN)
            return false;
        if (wrote <= 0)
            return true;
        reply->sent += (size_t)wrote;
        reply->progress = clock_ms();
    }
    return true;
}

int replies_open(const char *name)
{
    int fd;

    if (!name[0])
        return -1;
    fd = runtime_dir_open_reply(arming_dir(), name);
    if (fd < 0)
        log_write(LOG_INFO, "the reply to %s is lost: %s", name, sys_error(fd));
    return fd < 0 ? -1 : fd;
}

void replies_send(int fd, char *text)
{
    if (fd < 0 || !text) {
        if (fd >= 0)
            sys_close(fd);
        free(text);
        return;
    }
    if (count == REPLIES_MAX)
        drop(0);
    pending[count] =
        (struct pending){.fd = fd, .text = text, .length = strlen(text), .progress = clock_ms()};
    count++;
    if (advance(&pending[count - 1]))
        drop(count - 1);
}

size_t replies_poll(struct pollfd *fds)
{
    for (size_t i = 0; i < count; i++)
        fds[i] = (struct pollfd){.fd = pending[i].fd, .events = POLLOUT};
    return count;
}

void replies_continue(const struct pollfd *fds, size_t polled)
{
    uint64_t now = clock_ms();

    /* From the last one: drop() moves the last into the gap. */
    for (size_t i = polled < count ? polled : count; i-- > 0;)
        if ((fds[i].revents && advance(&pending[i])) || now >= pending[i].progress + STALL_LIMIT_MS)
            drop(i);
}

uint64_t replies_limit(void)
{
    uint64_t first = 0;

    for (size_t i = 0; i < count; i++)
        if (first == 0 || pending[i].progress + STALL_LIMIT_MS < first)
            first = pending[i].progress + STALL_LIMIT_MS;
    return first;
}

void replies_drop(void)
{
    while (count > 0)
        drop(count - 1);
}

void replies_forget(void)
{
    while (count > 0)
        free(pending[--count].text);
}
