/* sys.c - see sys.h. */
#include "base/sys.h"

#include <errno.h>

/* Return the text of an error. Not by strerror(3), which may take locks of the host's locale that a forked child
 * finds held. */
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
