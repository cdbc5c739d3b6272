/* exchange.c - see exchange.h. */
#include "exchange.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "maps.h"
#include "sys.h"

struct search {
    uintptr_t page;
    struct mapping found;
    char path[PATH_MAX];
};

static uintptr_t page_size(void)
{
    return (uintptr_t)sysconf(_SC_PAGESIZE);
}

static bool find(const struct mapping *mapping, void *context)
{
    struct search *search = context;

    if (mapping->end <= search->page)
        return true;
    if (mapping->begin > search->page || mapping->path_length == 0 ||
        mapping->path_length >= sizeof(search->path))
        return false;
    search->found = *mapping;
    memcpy(search->path, mapping->path, mapping->path_length);
    return false;
}

/* Of a file that has been replaced since, the name leads to another. */
static int open_mapped(struct search *search)
{
    struct stat st;
    int file, result = maps_each(find, search);

    if (result != 0)
        return result;
    if (!search->path[0] || search->found.shared)
        return -ENOTSUP;
    file = sys_openat(AT_FDCWD, search->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
    if (file < 0)
        return -ENOTSUP;
    if (sys_fstatat(file, "", &st, AT_EMPTY_PATH) == 0 && st.st_ino == search->found.inode)
        return file;
    sys_close(file);
    return -ENOTSUP;
}

static int map_copy(const struct search *search, int file, uintptr_t *copy)
{
    uint64_t offset = search->found.offset + (search->page - search->found.begin);
    long result = sys_call(SYS_mmap, 0, (long)page_size(), search->found.protection, MAP_PRIVATE,
                           file, (long)offset);

    if ((unsigned long)result > (unsigned long)-4096)
        return (int)result;
    *copy = (uintptr_t)result;
    return 0;
}

/* All of the page as it is now, then what is new. */
static int write_copy(uintptr_t copy, uintptr_t page, size_t at, const uint8_t *bytes, size_t count)
{
    int memory = sys_open_own_memory(O_RDWR);
    ssize_t size = (ssize_t)page_size();
    bool written;

    if (memory < 0)
        return memory;
    written = sys_pwrite(memory, (const void *)page, (size_t)size, (off_t)copy) == size &&
              sys_pwrite(memory, bytes, count, (off_t)(copy + at)) == (ssize_t)count;
    sys_close(memory);
    return written ? 0 : -EIO;
}

static int make_copy(uintptr_t *copy, const struct search *search, int file, size_t at,
                     const uint8_t *bytes, size_t count)
{
    int result = *copy ? 0 : map_copy(search, file, copy);

    return result != 0 ? result : write_copy(*copy, search->page, at, bytes, count);
}

int exchange_prepare(struct exchange *exchange, uintptr_t address, const uint8_t *bytes,
                     size_t count)
{
    struct search search = {.page = address & ~(page_size() - 1)};
    size_t at = address - search.page;
    int file, result;

    if (exchange->with && exchange->without)
        return 0;
    if (at + count > page_size())
        return -ENOTSUP;
    file = open_mapped(&search);
    if (file < 0)
        return file;
    exchange->page = search.page;
    result = make_copy(&exchange->with, &search, file, at, bytes, count);
    if (result == 0)
        result = make_copy(&exchange->without, &search, file, 0, NULL, 0);
    sys_close(file);
    return result;
}

/* mremap(2) looks at what could go wrong before it takes away what is mapped there: the copy, which
 * is no longer than before, and how many mappings there may be. */
static int move(uintptr_t *copy, uintptr_t page)
{
    long size = (long)page_size();
    long result =
        sys_call(SYS_mremap, (long)*copy, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, (long)page, 0);

    if ((unsigned long)result > (unsigned long)-4096)
        return (int)result;
    *copy = 0;
    return 0;
}

int exchange_do(struct exchange *exchange)
{
    return move(&exchange->with, exchange->page);
}

void exchange_undo(struct exchange *exchange)
{
    move(&exchange->without, exchange->page);
}

void exchange_end(struct exchange *exchange)
{
    if (exchange->with)
        sys_call3(SYS_munmap, (long)exchange->with, (long)page_size(), 0);
    if (exchange->without)
        sys_call3(SYS_munmap, (long)exchange->without, (long)page_size(), 0);
    exchange->with = exchange->without = 0;
}
