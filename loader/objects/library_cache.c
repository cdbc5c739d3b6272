/*
 * library_cache.c - see library_cache.h. The file has the format of glibc 2.2 and later (glibc,
 * sysdeps/generic/dl-cache.h, struct cache_file_new): a header, entries of 24 bytes, and strings. Offsets of strings
 * count from the header. ldconfig may write the older format before the header.
 */
#include "loader/objects/library_cache.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/sys.h"

enum { CACHE_MAX = 64 << 20, FLAGS_X86_64 = 0x0303 };

struct cache_header {
    char magic[20]; /* "glibc-ld.so.cache1.1", without a NUL */
    uint32_t count;
    uint32_t strings_size;
    uint32_t unused[5];
};

struct cache_entry {
    int32_t flags;
    uint32_t key, value; /* offsets of strings */
    uint32_t os_version;
    uint64_t hwcap; /* not 0: the entry holds only on some processors */
};

static const char magic[] = "glibc-ld.so.cache1.1";

static const char *string_at(const char *bytes, size_t size, uint32_t offset)
{
    return offset < size && memchr(bytes + offset, '\0', size - offset) ? bytes + offset : NULL;
}

const char *library_cache_search(const void *file, size_t size, const char *name)
{
    const char *bytes = memmem(file, size, magic, sizeof(magic) - 1);
    const char *found = NULL;
    struct cache_header header;

    if (!bytes)
        return NULL;
    size -= (size_t)(bytes - (const char *)file);
    if (size < sizeof(header))
        return NULL;
    memcpy(&header, bytes, sizeof(header));
    for (size_t i = 0;
         i < header.count && (i + 1) * sizeof(struct cache_entry) <= size - sizeof(header); i++) {
        struct cache_entry entry;
        const char *key;

        memcpy(&entry, bytes + sizeof(header) + i * sizeof(entry), sizeof(entry));
        if (entry.flags != FLAGS_X86_64 || (entry.hwcap != 0 && found))
            continue;
        key = string_at(bytes, size, entry.key);
        if (key && strcmp(key, name) == 0)
            found = string_at(bytes, size, entry.value);
        if (found && entry.hwcap == 0 && key && strcmp(key, name) == 0)
            break;
    }
    return found;
}

/* Read the cache with read(2). A mapping of the file would raise SIGBUS in the host when ldconfig truncates the
 * file. */
static char *read_cache(size_t *size)
{
    int fd = sys_openat(AT_FDCWD, "/etc/ld.so.cache", O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
    struct stat st;
    char *bytes = NULL;
    ssize_t n;

    *size = 0;
    if (fd < 0)
        return NULL;
    if (sys_fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 && st.st_size < CACHE_MAX)
        bytes = malloc((size_t)st.st_size);
    while (bytes && *size < (size_t)st.st_size &&
           (n = sys_read(fd, bytes + *size, (size_t)st.st_size - *size)) > 0)
        *size += (size_t)n;
    sys_close(fd);
    return bytes;
}

bool library_cache_find(const char *name, char path[PATH_MAX])
{
    size_t size;
    char *bytes = read_cache(&size);
    const char *found = bytes ? library_cache_search(bytes, size, name) : NULL;
    bool fits = found && *found == '/' && strlen(found) < PATH_MAX;

    if (fits)
        snprintf(path, PATH_MAX, "%s", found);
    free(bytes);
    return fits;
}
