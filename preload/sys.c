/* sys.c - what an error number means; see sys.h. */
#include <errno.h>

#include "sys.h"

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
        {EIO, "input/output error"},
        {ENXIO, "nobody reads it"},
        {EAGAIN, "resource temporarily unavailable"},
        {ENOMEM, "out of memory"},
        {EACCES, "permission denied"},
        {EBUSY, "busy"},
        {EEXIST, "it exists already"},
        {ENOTDIR, "not a directory"},
        {EISDIR, "is a directory"},
        {EINVAL, "invalid argument"},
        {ENFILE, "too many open files in the system"},
        {EMFILE, "too many open files"},
        {EFBIG, "file too large"},
        {ENOSPC, "no space left on device"},
        {EROFS, "read-only file system"},
        {ENAMETOOLONG, "file name too long"},
        {ENOSYS, "the kernel does not have it"},
        {ELOOP, "a symbolic link is in its place"},
        {EDQUOT, "disk quota exceeded"},
    };

    if (error < 0)
        error = -error;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (texts[i].error == error)
            return texts[i].text;
    return "unexpected error";
}
