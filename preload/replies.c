/* replies.c - see replies.h. */
#include "preload/replies.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/state.h"
#include "base/sys.h"
#include "preload/endpoint.h"
#include "preload/log.h"

#define SPARES 2            /* one for the reply, one for a file that the request opens */
#define STALL_LIMIT_MS 5000 /* time without a byte taken by the FIFO */

static struct pending_reply {
    int fd;
    dev_t device; /* of the FIFO: */
    ino_t inode;
    char *text;
    size_t length, sent;
    uint64_t progress;  /* ms; when the FIFO took the last byte */
} pending[REPLIES_MAX]; /* oldest first */

static size_t count STATE;
static int answering STATE = -1;
static int spare[SPARES] STATE = {-1, -1};

static bool same_fifo(const struct pending_reply *a, const struct pending_reply *b)
{
    return a->inode == b->inode && a->device == b->device;
}

static void drop_reply(size_t index)
{
    sys_close(pending[index].fd);
    free(pending[index].text);
    count--;
    memmove(&pending[index], &pending[index + 1], (count - index) * sizeof(*pending));
}

/* Drop all replies into a FIFO: after an incomplete reply the others are of no use to its reader. */
static void drop_fifo(size_t index)
{
    const struct pending_reply lost = pending[index];

    for (size_t i = count; i-- > 0;)
        if (same_fifo(&pending[i], &lost))
            drop_reply(i);
}

/* Return whether an older reply into the same FIFO is not complete: this reply would be written into the middle of
 * it. */
static bool waits_for_older(size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (same_fifo(&pending[i], &pending[index]))
            return true;
    return false;
}

static void note_progress(const struct pending_reply *reply)
{
    for (size_t i = 0; i < count; i++)
        if (same_fifo(&pending[i], reply))
            pending[i].progress = clock_ms();
}

/* Write the rest of the reply. Return true if the reply is complete or given up. */
static bool advance_reply(struct pending_reply *reply)
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
        if (reply->sent < reply->length || count > 1)
            note_progress(reply);
    }
    return true;
}

/* Keep spare descriptors, of no file system. Not of eventfd(2): qemu-user handles the host's reads and writes at such
 * a number itself, because it does not know that the listener has a descriptor table of its own. */
void replies_keep_spare(void)
{
    if (count > 0)
        return;
    for (int i = 0; i < SPARES; i++)
        if (spare[i] < 0)
            spare[i] = (int)sys_call3(SYS_epoll_create1, O_CLOEXEC, 0, 0);
}

static void forget_spare(void)
{
    for (int i = 0; i < SPARES; i++)
        spare[i] = -1;
}

bool replies_give_spare(void)
{
    bool any = false;

    for (int i = 0; i < SPARES; i++)
        any = (spare[i] >= 0 && sys_close(spare[i]) == 0) || any;
    forget_spare();
    return any;
}

int replies_open(const char *name)
{
    int fd;

    if (!name[0])
        return -1;
    fd = runtime_dir_open_reply(endpoint_dir(), name);
    if ((fd == -EMFILE || fd == -ENFILE) && replies_give_spare())
        fd = runtime_dir_open_reply(endpoint_dir(), name);
    if (fd < 0)
        log_write(LOG_INFO, "the reply to %s is lost: %s", name, sys_error(fd));
    return fd < 0 ? -1 : fd;
}

void replies_answer(int fd)
{
    answering = fd;
}

/* Return whether the reader has gone: poll(2) reports an error for a FIFO without a reader. The pipe of a jail always
 * has a reader. */
bool replies_abandoned(void)
{
    struct pollfd reply = {.fd = answering, .events = POLLOUT};
    const struct timespec now = {0, 0};

    return answering >= 0 && sys_ppoll(&reply, 1, &now, NULL) == 1 && (reply.revents & POLLERR);
}

/* Send as many bytes of each reply as its FIFO takes. */
static void advance_all(void)
{
    for (size_t i = 0; i < count;)
        if (!waits_for_older(i) && advance_reply(&pending[i]))
            drop_reply(i);
        else
            i++;
}

/* Return the index of the reply whose FIFO has taken no byte for the longest time. */
static size_t slowest(void)
{
    size_t found = 0;

    for (size_t i = 1; i < count; i++)
        if (pending[i].progress < pending[found].progress)
            found = i;
    return found;
}

void replies_send(int fd, char *text)
{
    struct stat st;

    if (fd < 0 || !text) {
        if (fd >= 0)
            sys_close(fd);
        free(text);
        return;
    }
    /* A batch of requests may be longer than the list, and take longer than the limit, while its reader waits. */
    advance_all();
    if (count == REPLIES_MAX)
        drop_fifo(slowest());
    pending[count] = (struct pending_reply){
        .fd = fd, .text = text, .length = strlen(text), .progress = clock_ms()};
    if (sys_fstat(fd, &st) == 0) {
        pending[count].device = st.st_dev;
        pending[count].inode = st.st_ino;
    }
    count++;
    if (!waits_for_older(count - 1) && advance_reply(&pending[count - 1]))
        drop_reply(count - 1);
}

size_t replies_poll(struct pollfd *fds)
{
    for (size_t i = 0; i < count; i++)
        fds[i] = (struct pollfd){.fd = pending[i].fd, .events = POLLOUT};
    return count;
}

/* Drop what no FIFO has taken a byte of for too long. A FIFO that takes one now has had a reader all the time: it was
 * the listener that had no time for it, while a request was run. */
static void drop_stalled(void)
{
    bool tried = false;
    size_t at;

    while (count > 0 && clock_ms() >= pending[at = slowest()].progress + STALL_LIMIT_MS) {
        if (tried)
            drop_fifo(at);
        else
            advance_all();
        tried = true;
    }
}

static size_t unsent_bytes(void)
{
    size_t bytes = 0;

    for (size_t i = 0; i < count; i++)
        bytes += pending[i].length - pending[i].sent;
    return bytes;
}

bool replies_continue(const struct pollfd *fds, size_t polled)
{
    const size_t before = unsent_bytes();
    bool any = false;

    for (size_t i = 0; i < polled && !any; i++)
        any = fds[i].revents != 0;
    if (any)
        advance_all();
    drop_stalled();
    return unsent_bytes() != before;
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
    forget_spare(); /* the listener closes its table */
    while (count > 0)
        drop_reply(count - 1);
}

/* Forget all replies without freeing their texts. fork() may have come when the listener had freed a text that is
 * still listed, or was moving the list; a second free() would end the child. */
void replies_forget(void)
{
    forget_spare();
    count = 0;
    answering = -1;
}
