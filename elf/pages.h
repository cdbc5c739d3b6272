/*
 * pages.h - memory for the tables of a large file, straight from the kernel.
 *
 * malloc(3) would keep tens of megabytes in the host's heap after they are freed, and would learn
 * from their sizes to do so with the host's own.
 */
#ifndef HOTPATCH_PAGES_H
#define HOTPATCH_PAGES_H

#include <stddef.h>

void *pages_get(size_t size); /* zeros; a page takes memory once it is written; NULL: no memory */
void pages_cut(void *pages, size_t size, size_t needed); /* unmap what lies after `needed` */
void pages_drop(void *pages, size_t size);               /* NULL is allowed */

#endif
