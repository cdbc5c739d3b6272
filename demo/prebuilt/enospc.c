/* enospc.c - rename() fails as on a full disk. */
#include <hotpatch.h>

#include <errno.h>

HOTPATCH_MODULE("enospc", "1");

HOTPATCH_REPLACE_AS(int, full_disk, (const char *from, const char *to), "rename")
{
    (void)from;
    (void)to;
    errno = ENOSPC;
    return -1;
}
