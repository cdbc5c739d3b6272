/* short_counts.c - see short_counts.h. */
#include "preload/short_counts.h"

#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>

#include "base/unwind.h"

enum { MEMORY_DEVICES = 1 }; /* the major number, Documentation/admin-guide/devices.txt */

/* Return whether `fd` is a stream. A write to a regular file is short at the file size limit, and another write(2)
 * would raise SIGXFSZ. */
static bool is_stream(long fd)
{
    struct stat st;

    return sys_fstat((int)fd, &st) == 0 &&
           (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode) || S_ISCHR(st.st_mode));
}

static bool is_memory_device(long fd)
{
    struct stat st;

    return sys_fstat((int)fd, &st) == 0 && S_ISCHR(st.st_mode) &&
           major(st.st_rdev) == MEMORY_DEVICES;
}

/* Make `rest` the same call with the arguments number `buffer` and `length` moved by `moved` bytes. */
static bool moved_on(struct under_mask *rest, int buffer, int length, long moved, long *size)
{
    if (buffer >= 0)
        rest->arguments[buffer] += moved;
    rest->arguments[length] -= moved;
    *size = rest->arguments[length];
    return *size > 0;
}

/* Find, in `count` ranges at `vector`, the part of a range after `moved` bytes. Return false if there is none. */
static bool range_after(uint64_t vector, uint64_t count, long moved, struct iovec *range)
{
    for (uint64_t i = 0; i < count; i++) {
        if (!unwind_read(NULL, vector + i * sizeof(*range), range, sizeof(*range)))
            return false;
        if ((size_t)moved < range->iov_len) {
            range->iov_base = (char *)range->iov_base + moved;
            range->iov_len -= (size_t)moved;
            return true;
        }
        moved -= (long)range->iov_len;
    }
    return false;
}

/* Make a call for one range only: the bytes of a pipe or of a stream have no boundaries. */
static bool rest_of_ranges(struct under_mask *rest, uint64_t vector, uint64_t count, long moved,
                           long number, long *size)
{
    struct iovec range;

    if (!range_after(vector, count, moved, &range))
        return false;
    rest->number = number;
    rest->arguments[1] = (long)range.iov_base;
    rest->arguments[2] = (long)range.iov_len;
    *size = (long)range.iov_len;
    return true;
}

static bool rest_of_message(struct under_mask *rest, long moved, long *size)
{
    long flags = rest->arguments[2];
    struct msghdr message;

    if (!unwind_read(NULL, (uint64_t)rest->arguments[1], &message, sizeof(message)))
        return false;
    rest->arguments[3] = flags;
    rest->arguments[4] = rest->arguments[5] = 0;
    return rest_of_ranges(rest, (uintptr_t)message.msg_iov, message.msg_iovlen, moved, SYS_sendto,
                          size);
}

bool short_counts_rest(const struct under_mask *call, long moved, struct under_mask *rest,
                       long *size)
{
    const long *arguments = call->arguments;

    rest->number = call->number;
    for (int i = 0; i < 6; i++)
        rest->arguments[i] = arguments[i];
    switch (call->number) {
    case SYS_write:
        return is_stream(arguments[0]) && moved_on(rest, 1, 2, moved, size);
    case SYS_writev:
        return is_stream(arguments[0]) &&
               rest_of_ranges(rest, (uint64_t)arguments[1], (uint64_t)arguments[2], moved,
                              SYS_write, size);
    case SYS_sendto:
        return moved_on(rest, 1, 2, moved, size);
    case SYS_sendmsg:
        return rest_of_message(rest, moved, size);
    case SYS_sendfile:
        return is_stream(arguments[0]) && moved_on(rest, -1, 3, moved, size);
    case SYS_recvfrom:
        return (arguments[3] & (MSG_WAITALL | MSG_PEEK)) == MSG_WAITALL &&
               moved_on(rest, 1, 2, moved, size);
    case SYS_getrandom:
        return moved_on(rest, 0, 1, moved, size);
    case SYS_read:
        return is_memory_device(arguments[0]) && moved_on(rest, 1, 2, moved, size);
    default:
        return false;
    }
}
