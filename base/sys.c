/* sys.c - what an error number means, and the waits that no answer of the kernel turns into a loop; see sys.h. */
#include <errno.h>

#include "base/lock.h"
#include "base/sys.h"

/* Not strerror(3): it may take locks of the host's locale, which a forked child finds held. */
const char *sys_error(int error)
{
    /* Arrays, not pointers: each pointer is a relocation that every process pays for. */
    static const struct {
        short error;
        char text[40];
    } texts[] = {
        {EPERM, "operation not permitted"},
        {ENOENT, "no such file or directory"},
        {EINTR, "interrupted"},
        {EIO, "input/output error"},
        {ENXIO, "nobody reads it"},
        {EBADF, "bad file descriptor"},
        {EAGAIN, "resource temporarily unavailable"},
        {ENOMEM, "out of memory"},
        {EACCES, "permission denied"},
        {EFAULT, "bad address"},
        {EBUSY, "busy"},
        {EEXIST, "it exists already"},
        {EXDEV, "on another file system"},
        {ENODEV, "no such device"},
        {ENOTDIR, "not a directory"},
        {EISDIR, "is a directory"},
        {EINVAL, "invalid argument"},
        {ENFILE, "too many open files in the system"},
        {EMFILE, "too many open files"},
        {ETXTBSY, "it is being executed"},
        {EFBIG, "file too large"},
        {ENOSPC, "no space left on device"},
        {EROFS, "read-only file system"},
        {EMLINK, "too many links"},
        {EPIPE, "nobody reads it any more"},
        {EDEADLK, "it would wait for itself"},
        {ENAMETOOLONG, "file name too long"},
        {ENOSYS, "the kernel does not have it"},
        {ELOOP, "a symbolic link is in its place"},
        {EOVERFLOW, "value too large"},
        {EOPNOTSUPP, "not supported"},
        {ETIMEDOUT, "timed out"},
        {ESTALE, "stale file handle"},
        {EDQUOT, "disk quota exceeded"},
    };

    if (error < 0)
        error = -error;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (texts[i].error == error)
            return texts[i].text;
    return "unexpected error";
}

ssize_t sys_write_quietly(int fd, const void *bytes, size_t size)
{
    const sys_sigset raised = SYS_SIGBIT(SIGPIPE) | SYS_SIGBIT(SIGXFSZ);
    const struct timespec at_once = {0, 0};
    sys_sigset old, pending = 0, take;
    ssize_t wrote;
    int result = sys_sigprocmask(SIG_BLOCK, &raised, &old);

    if (result != 0)
        return result;
    sys_call3(SYS_rt_sigpending, (long)&pending, sizeof(pending), 0);
    wrote = sys_write(fd, bytes, size);
    take = raised & ~pending;
    if (wrote == -EPIPE || wrote == -EFBIG)
        sys_call4(SYS_rt_sigtimedwait, (long)&take, 0, (long)&at_once, sizeof(take));
    sys_sigprocmask(SIG_SETMASK, &old, NULL);
    return wrote;
}

ssize_t sys_read_file(int dir, const char *path, char *text, size_t size)
{
    int fd = sys_openat(dir, path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC, 0);
    ssize_t length = fd < 0 ? fd : sys_read(fd, text, size - 1);

    if (fd >= 0)
        sys_close(fd);
    text[length > 0 ? length : 0] = '\0';
    return length;
}

static void sleep_by(long number, struct timespec rest)
{
    static const uint32_t never;
    const sys_sigset none = 0;
    const long time = (long)&rest;

    switch (number) {
    case SYS_nanosleep:
        sys_call3(number, time, 0, 0);
        break;
    case SYS_clock_nanosleep:
        sys_call4(number, CLOCK_MONOTONIC, 0, time, 0);
        break;
    case SYS_pselect6:
        sys_call(number, 0, 0, 0, 0, time, 0);
        break;
    case SYS_ppoll:
        sys_call(number, 0, 0, time, 0, 0, 0);
        break;
    case SYS_futex:
        sys_call4(number, (long)&never, FUTEX_WAIT_PRIVATE, 0, time);
        break;
    default:
        sys_call4(number, (long)&none, 0, time, sizeof(none));
        break;
    }
}

/* What a call answers does not tell whether it has slept: a filter may answer 0. */
bool sys_pause(int64_t ms)
{
    static const short calls[] = {SYS_nanosleep, SYS_clock_nanosleep, SYS_pselect6,
                                  SYS_ppoll,     SYS_futex,           SYS_rt_sigtimedwait};
    const uint64_t limit = ms < 0 ? 0 : (uint64_t)(ms > SYS_PAUSE_MS ? SYS_PAUSE_MS : ms) * 1000;
    const uint64_t before = clock_us();

    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        sleep_by(calls[i], (struct timespec){0, (long)limit * 1000});
        if (clock_us() - before >= limit / 2)
            return true;
    }
    return false;
}

static bool has_passed(const struct timespec *until)
{
    return until &&
           clock_us() >= (uint64_t)until->tv_sec * 1000000 + (uint64_t)until->tv_nsec / 1000;
}

int sys_futex_wait(const void *word, uint32_t expected, const struct timespec *until)
{
    int result = (int)sys_call(SYS_futex, (long)word, FUTEX_WAIT_BITSET_PRIVATE, (long)expected,
                               (long)until, 0, (long)FUTEX_BITSET_MATCH_ANY);

    if (result == 0 || result == -ETIMEDOUT || result == -EFAULT)
        return result;
    if ((result == -EAGAIN || result == -EINTR) &&
        __atomic_load_n((const uint32_t *)word, __ATOMIC_RELAXED) != expected)
        return result;
    /* The word is what it was: a filter answers, or the word has changed twice. */
    if (has_passed(until))
        return -ETIMEDOUT;
    sys_pause(result == -EAGAIN || result == -EINTR ? 1 : SYS_PAUSE_MS);
    return result == -EINTR ? result : 0;
}
