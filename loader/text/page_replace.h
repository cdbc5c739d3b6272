/*
 * page_replace.h - change several bytes of code at once where no single store can.
 *
 * Some bytes cannot be stored at once: they lie across two words of eight bytes, or their page cannot be made writable
 * (W^X policies: PR_SET_MDWE, filters on mprotect). Such bytes are changed in a copy of their page, or of the two pages
 * that they lie across. The copy is the same part of the same file, mapped at another address with the same protection.
 * The bytes are written there, and mremap(2) moves the copy over the page.
 *
 * The kernel unmaps the old pages on all processors before it maps the first page of the copy there, and holds the lock
 * of all mappings until the move is done. A thread that runs there waits in its page fault. So no thread sees some of
 * the old bytes and some of the new bytes, also across two pages. After the move that file is mapped there, with a
 * private page. If the file is gone (a package was upgraded), an anonymous page is mapped there.
 *
 * Called by the listener, or by the thread that runs the constructor, with the engine lock held. Only
 * page_replace_prepare() calls libc: the bytes that change may belong to a function of libc.
 */
#ifndef HOTPATCH_PAGE_REPLACE_H
#define HOTPATCH_PAGE_REPLACE_H

#include <stddef.h>
#include <stdint.h>

struct page_replace {
    uintptr_t page; /* the first page of the bytes */
    size_t size;    /* the size of one page or of two */
    uintptr_t copy; /* 0: the copy is not made yet, or it was moved over the page */
};

/* Make the copy of the pages with the new bytes, if there is no copy yet. The pages may not change until
 * page_replace_do(). Return 0; -ENOTSUP if the pages are not one private mapping; -errno. */
int page_replace_prepare(struct page_replace *replaced, uintptr_t address, const uint8_t *bytes,
                         size_t count);
/* Move the copy over the pages. Return 0, or -errno with nothing changed. */
int page_replace_do(struct page_replace *replaced);
/* Unmap a copy that was not moved. */
void page_replace_end(struct page_replace *replaced);

#endif
