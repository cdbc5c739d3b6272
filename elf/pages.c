/*
 * pages.c - see pages.h. Any thread.
 */
#include <sys/mman.h>

#include "elf/image_parts.h"
#include "elf/pages.h"

static size_t whole_page_bytes(size_t size)
{
    return (size + IMAGE_PAGE - 1) & ~(size_t)(IMAGE_PAGE - 1);
}

void *pages_get(size_t size)
{
    void *pages = mmap(NULL, whole_page_bytes(size ? size : 1), PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return pages == MAP_FAILED ? NULL : pages;
}

void pages_cut(void *pages, size_t size, size_t needed)
{
    size_t there = whole_page_bytes(size ? size : 1), kept = whole_page_bytes(needed ? needed : 1);

    if (kept < there)
        munmap((char *)pages + kept, there - kept);
}

void pages_drop(void *pages, size_t size)
{
    if (pages)
        munmap(pages, whole_page_bytes(size ? size : 1));
}
