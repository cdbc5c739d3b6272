/* preload_path.c - see preload_path.h. */
#include "cli/process/preload_path.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/machine.h"
#include "cli/output/output.h"

#ifndef HOTPATCH_LIBDIR
#define HOTPATCH_LIBDIR "/usr/local/lib"
#endif

#define SHIM "libhotpatch_preload.so"

static char *try_at(const char *directory, const char *below)
{
    char *path = format_text("%s%s%s/%s", directory, *below ? "/../" : "", below, SHIM);
    char *real = realpath(path, NULL);

    free(path);
    if (real && access(real, R_OK) == 0)
        return real;
    free(real);
    return NULL;
}

char *preload_find(struct refusal *why)
{
    const char *const places[] = {"", "lib", machine_multiarch, "lib64"};
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    char *found = NULL;

    self[n > 0 ? n : 0] = 0;
    if (strrchr(self, '/'))
        *strrchr(self, '/') = 0;
    for (size_t i = 0; n > 0 && !found && i < sizeof(places) / sizeof(places[0]); i++)
        found = try_at(self, places[i]);
    if (!found)
        found = try_at(HOTPATCH_LIBDIR, "");
    if (!found)
        refuse(why, HP_NO_SHIM, "%s is neither beside the command nor in %s", SHIM,
               HOTPATCH_LIBDIR);
    return found;
}

/* Return what "$LIB" stands for: the dynamic linker's directory below the root or /usr, as it was installed;
 * malloc'd. */
static char *lib_of(const char *linker)
{
    char *real = realpath(*linker ? linker : machine_linker_path, NULL), *lib;

    if (!real)
        return NULL;
    *strrchr(real, '/') = 0;
    lib = format_text("%s", real + (strncmp(real, "/usr/", 5) == 0 ? 4 : 0));
    free(real);
    return lib;
}

char *preload_spelled(const char *shim, const char *linker)
{
    char *lib = lib_of(linker), *prefix = format_text("%s", shim), *spelled = NULL, *slash;

    while (lib && !spelled && (slash = strrchr(prefix, '/'))) {
        char *path, *real;

        *slash = 0;
        path = format_text("%s%s/%s", prefix, lib, SHIM);
        real = realpath(path, NULL);
        if (real && strcmp(real, shim) == 0)
            spelled = format_text("%s/$LIB/%s", prefix, SHIM);
        free(real);
        free(path);
    }
    free(prefix);
    free(lib);
    return spelled ? spelled : format_text("%s", shim);
}
