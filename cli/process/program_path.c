/* program_path.c - see program_path.h. */
#include "cli/process/program_path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool program_executable(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

bool program_find(const char *name, char *found, size_t size)
{
    const char *list = getenv("PATH");

    if (strchr(name, '/')) {
        snprintf(found, size, "%s", name);
        return true;
    }
    for (list = list ? list : "/bin:/usr/bin"; *name; list++) {
        size_t length = strcspn(list, ":");

        snprintf(found, size, "%.*s/%s", (int)(length ? length : 1), length ? list : ".", name);
        if (program_executable(found))
            return true;
        list += length;
        if (!*list)
            break;
    }
    return false;
}
