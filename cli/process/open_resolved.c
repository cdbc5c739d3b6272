/* open_resolved.c - see open_resolved.h. */
#include "cli/process/open_resolved.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

int open_resolved(int dir, const char *path, int flags, uint64_t resolve)
{
    struct open_how how = {
        .flags = (uint64_t)(O_RDONLY | O_CLOEXEC | flags),
        .resolve = resolve,
    };

    return (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
}
