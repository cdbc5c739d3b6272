/* log.c - see log.h. */
#include "preload/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/state.h"
#include "base/sys.h"
#include "base/utf8.h"
#include "preload/filters.h"
#include "preload/thread_role.h"
#include "preload/wake.h"

#define LINE_MAX_BYTES 1024 /* below PIPE_BUF: one write, never torn */
#define QUEUE_LINES 16

static struct {
    struct lock lock;
    _Atomic unsigned count;
    unsigned dropped;
} queue STATE;

static char queued[QUEUE_LINES][LINE_MAX_BYTES];

static enum log_level enabled STATE; /* LOG_NONE before log_start() */
static const char *log_path STATE;   /* NULL: stderr */

/* The file that stderr was at the start. A host that closed stderr may have reused the number for a connection or a
 * database file. */
static struct stat stderr_at_start STATE;
static bool stderr_open STATE;

void log_start(enum log_level level)
{
    enabled = level;
    stderr_open = sys_fstat(2, &stderr_at_start) == 0;
}

void log_to_file(const char *path)
{
    log_path = path[0] ? path : NULL;
}

bool log_enabled(enum log_level level)
{
    return level != LOG_NONE && level <= enabled;
}

/* Write a line to stderr without waiting: a full pipe or a stopped terminal must not block the host. */
static void write_stderr(const char *line, size_t length)
{
    struct pollfd ready = {.fd = 2, .events = POLLOUT};
    struct timespec now = {0, 0};
    struct stat st;

    if (!stderr_open || sys_fstat(2, &st) != 0 || st.st_dev != stderr_at_start.st_dev ||
        st.st_ino != stderr_at_start.st_ino)
        return;
    if (sys_ppoll(&ready, 1, &now, NULL) == 1 && (ready.revents & (POLLOUT | POLLERR)) == POLLOUT)
        sys_write_quietly(2, line, length);
}

/* Open the log file. A file that is made here has mode 0600, with any umask of the program. */
static int open_log(void)
{
    const int flags = O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    int fd = sys_openat(AT_FDCWD, log_path, flags, 0);

    if (fd != -ENOENT)
        return fd;
    fd = sys_openat(AT_FDCWD, log_path, flags | O_CREAT | O_EXCL, 0600);
    if (fd >= 0)
        sys_fchmod(fd, 0600);
    else if (fd == -EEXIST) /* another process has just made it */
        fd = sys_openat(AT_FDCWD, log_path, flags, 0);
    return fd;
}

static bool write_log(const char *line, size_t length)
{
    int fd = open_log();

    if (fd < 0)
        return false;
    sys_write_quietly(fd, line, length);
    sys_close(fd);
    return true;
}

static void queue_for_worker(const char *line)
{
    lock_acquire(&queue.lock);
    if (queue.count < QUEUE_LINES) {
        memcpy(queued[queue.count], line, strlen(line) + 1);
        queue.count++;
    } else {
        queue.dropped++;
    }
    lock_release(&queue.lock);
    wake_worker();
}

static bool is_queued(void)
{
    return atomic_load_explicit(&queue.count, memory_order_relaxed) > 0;
}

void log_flush(void)
{
    if (!is_queued() || !lock_acquire_until(&queue.lock, clock_ms() + 100))
        return;
    for (unsigned i = 0; i < queue.count; i++)
        write_stderr(queued[i], strlen(queued[i]));
    queue.count = 0;
    lock_release(&queue.lock);
}

void log_reset(void)
{
    lock_reset(&queue.lock);
    queue.count = 0;
}

/* Return whether the character is a control character: U+0000 to U+001F, U+007F to U+009F. A newline within a line
 * has been replaced by a blank before. */
static bool is_control(const char *text)
{
    unsigned char first = (unsigned char)text[0], second = (unsigned char)text[1];

    return first < 0x20 || first == 0x7f || (first == 0xc2 && second < 0xa0);
}

/*
 * Replace control characters and invalid UTF-8 in a line by \xNN. Names in a line come from outside; no name may
 * forge a line or control a terminal, and the log stays UTF-8. Return the length.
 */
static size_t show_line(char *line, size_t size)
{
    size_t end = strlen(line);

    for (size_t at = 0; at < end;) {
        static const char digits[] = "0123456789abcdef";
        unsigned char c = (unsigned char)line[at];
        size_t length = utf8_length(line + at);

        if (c == '\n')
            line[at] = ' ';
        if (length > 0 && !is_control(line + at)) {
            at += length;
            continue;
        }
        if (end + 4 > size) {
            utf8_mark_cut(line, at + 3 < size ? at + 3 : size - 1);
            return strlen(line);
        }
        memmove(line + at + 4, line + at + 1, end - at);
        memcpy(line + at, (char[]){'\\', 'x', digits[c >> 4], digits[c & 15]}, 4);
        end += 3;
        at += 4;
    }
    return end;
}

void log_write(enum log_level level, const char *format, ...)
{
    static const char *const names[] = {
        [LOG_NONE] = "", [LOG_ERROR] = "error", [LOG_INFO] = "info", [LOG_DEBUG] = "debug"};
    char line[LINE_MAX_BYTES];
    const size_t limit = sizeof(line) - 1; /* for the newline */
    int saved = errno;
    va_list arguments;
    size_t length;
    int wanted;

    if (!log_enabled(level) || (filters_set() && thread_role() == THREAD_HOST))
        return;
    length = (size_t)snprintf(line, limit, "hotpatch[%d]: %s: ", (int)sys_getpid(), names[level]);
    va_start(arguments, format);
    wanted = vsnprintf(line + length, limit - length, format, arguments);
    va_end(arguments);
    if (wanted >= 0 && (size_t)wanted >= limit - length)
        utf8_mark_cut(line, limit - 1);
    length = show_line(line, limit);
    line[length++] = '\n';
    line[length] = '\0';
    if (log_path && write_log(line, length))
        ;
    else if (thread_role() == THREAD_LISTENER)
        queue_for_worker(line);
    else
        write_stderr(line, length);
    errno = saved;
}
