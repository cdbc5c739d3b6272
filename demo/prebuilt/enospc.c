/* enospc.c - the disk is full whenever the program renames a file. */
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
