/*
 * page_replace.h - several bytes of code at once, where no store can reach them.
 *
 * Bytes that lie across two words of eight, or in a page that cannot be made writable (W^X policies:
 * PR_SET_MDWE, filters on mprotect), cannot be stored at once. They are changed in a copy of their page
 * (or of the two pages that they lie across): the same part of the same file, mapped elsewhere with the
 * same protection, written there, and moved over the page by mremap(2).
 *
 * The kernel takes away what is mapped there, on all processors, before it lays the first page of the copy
 * there, and holds the lock of all mappings meanwhile. A thread that runs there waits in its page fault. So
 * no thread sees some of the old bytes and some of the new ones, also across two pages. What is mapped
 * afterwards is that file, with a page of the process's own; where the file is gone (a package was
 * upgraded), a page without a file.
 *
 * Listener (or the thread that runs the constructor), holding the engine lock. Only the first calls
 * libc: a function of libc may be what is changed.
 */
#ifndef HOTPATCH_PAGE_REPLACE_H
#define HOTPATCH_PAGE_REPLACE_H

#include <stddef.h>
#include <stdint.h>

struct page_replace {
    uintptr_t page; /* the first that the bytes lie on */
    size_t size;    /* of one page, or two */
    uintptr_t copy; /* 0: not made yet, or moved over the page */
};

/* Make the copy, as the page is now but for the bytes, if there is none yet: the page may not change until
 * page_replace_do(). 0; -ENOTSUP: the pages are no such mapping, or shared; -errno. */
int page_replace_prepare(struct page_replace *replaced, uintptr_t address, const uint8_t *bytes,
                         size_t count);
/* Move the copy. 0, or -errno: nothing has changed. */
int page_replace_do(struct page_replace *replaced);
/* Unmap a copy that is left. */
void page_replace_end(struct page_replace *replaced);

#endif
