/* page_replace.c - see page_replace.h. */
#include "loader/text/page_replace.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/sys.h"
#include "loader/objects/maps.h"

struct page_search {
    uintptr_t begin, end; /* the pages that are replaced */
    /* the end of the mappings found so far, which are one part of one file */
    uintptr_t next;
    struct mapping found;
    char path[PATH_MAX];
};

static uintptr_t system_page(void)
{
    return (uintptr_t)sysconf(_SC_PAGESIZE);
}

/* Return whether the mapping continues the found part of the file. A page that was replaced before may be a separate
 * mapping. */
static bool continues(const struct page_search *search, const struct mapping *mapping)
{
    return mapping->begin == search->next && mapping->inode == search->found.inode &&
           mapping->protection == search->found.protection &&
           mapping->shared == search->found.shared &&
           (mapping->inode == 0 ||
            mapping->offset - mapping->begin == search->found.offset - search->found.begin);
}

static bool find_mapping(const struct mapping *mapping, void *context)
{
    struct page_search *search = context;

    if (mapping->end <= search->begin)
        return true;
    if (search->next == 0) {
        if (mapping->begin > search->begin || mapping->path_length >= sizeof(search->path))
            return false;
        search->found = *mapping;
        memcpy(search->path, mapping->path, mapping->path_length);
    } else if (!continues(search, mapping)) {
        return false;
    }
    search->next = mapping->end;
    return search->next < search->end;
}

/* Open the mapped file. Return a descriptor; -1 if there is no file, or if another file has its name now. */
static int open_mapped(const struct page_search *search)
{
    struct stat st;
    int file;

    if (search->path[0] != '/')
        return -1;
    file = sys_openat(AT_FDCWD, search->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
    if (file < 0)
        return -1;
    if (sys_fstatat(file, "", &st, AT_EMPTY_PATH) == 0 && st.st_ino == search->found.inode)
        return file;
    sys_close(file);
    return -1;
}

static long map_file(const struct page_search *search, int file)
{
    uint64_t offset = search->found.offset + (search->begin - search->found.begin);
    long size = (long)(search->end - search->begin);

    if (file < 0)
        return sys_call(SYS_mmap, 0, size, search->found.protection, MAP_PRIVATE | MAP_ANONYMOUS,
                        -1, 0);
    return sys_call(SYS_mmap, 0, size, search->found.protection, MAP_PRIVATE, file, (long)offset);
}

static int map_copy(const struct page_search *search, uintptr_t *copy)
{
    int file = open_mapped(search);
    long result = map_file(search, file);

    if (file >= 0)
        sys_close(file);
    if ((unsigned long)result > (unsigned long)-4096)
        return (int)result;
    *copy = (uintptr_t)result;
    return 0;
}

/* Write bytes into the copy, in which no thread runs yet. */
static int store_copy(const struct page_replace *replaced, size_t at, const uint8_t *bytes,
                      size_t count, int protection)
{
    void *copy = (void *)replaced->copy;
    int result = sys_mprotect(copy, replaced->size, PROT_READ | PROT_WRITE);

    if (result != 0)
        return result;
    memcpy(copy, (const void *)replaced->page, replaced->size);
    memcpy((char *)copy + at, bytes, count);
    return sys_mprotect(copy, replaced->size, protection);
}

/* Write the copy: the current bytes of all pages, then the new bytes. */
static int write_copy(const struct page_replace *replaced, size_t at, const uint8_t *bytes,
                      size_t count, int protection)
{
    int memory = sys_open_own_memory(O_RDWR);
    bool written;

    if (memory < 0)
        return store_copy(replaced, at, bytes, count, protection);
    written = sys_pwrite(memory, (const void *)replaced->page, replaced->size,
                         (off_t)replaced->copy) == (ssize_t)replaced->size &&
              sys_pwrite(memory, bytes, count, (off_t)(replaced->copy + at)) == (ssize_t)count;
    sys_close(memory);
    return written ? 0 : -EIO;
}

int page_replace_prepare(struct page_replace *replaced, uintptr_t address, const uint8_t *bytes,
                         size_t count)
{
    const uintptr_t mask = system_page() - 1;
    struct page_search search = {.begin = address & ~mask, .end = (address + count + mask) & ~mask};
    int result;

    if (replaced->copy)
        return 0;
    result = maps_each(find_mapping, &search);
    if (result != 0)
        return result;
    if (search.next < search.end || search.found.shared)
        return -ENOTSUP;
    replaced->page = search.begin;
    replaced->size = search.end - search.begin;
    result = map_copy(&search, &replaced->copy);
    if (result == 0)
        result =
            write_copy(replaced, address - search.begin, bytes, count, search.found.protection);
    if (result != 0)
        page_replace_end(replaced);
    return result;
}

/* Move the copy over the pages. mremap(2) checks all conditions before it unmaps the old pages: the copy, whose size
 * has not grown, and the number of mappings. */
int page_replace_do(struct page_replace *replaced)
{
    long size = (long)replaced->size;
    long result = sys_call(SYS_mremap, (long)replaced->copy, size, size,
                           MREMAP_MAYMOVE | MREMAP_FIXED, (long)replaced->page, 0);

    if ((unsigned long)result > (unsigned long)-4096)
        return (int)result;
    replaced->copy = 0;
    return 0;
}

void page_replace_end(struct page_replace *replaced)
{
    if (replaced->copy)
        sys_call3(SYS_munmap, (long)replaced->copy, (long)replaced->size, 0);
    replaced->copy = 0;
}
