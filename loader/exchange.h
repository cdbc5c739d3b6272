/*
 * exchange.h - several bytes of code at once, where no store can reach them.
 *
 * A page that cannot be made writable (W^X policies: PR_SET_MDWE, filters on mprotect) the kernel
 * writes byte by byte (poke.h). What another thread must never see half is changed in a copy: the same
 * page of the same file, mapped elsewhere with the same protection, written there, and moved over the
 * page by mremap(2). A thread that runs there meanwhile waits in its page fault, and no processor keeps
 * the old translation. What is mapped afterwards is what poke_byte() would have left: that file, with
 * a page of the process's own.
 *
 * Listener (or the thread that runs the constructor), holding the engine lock. Only the first calls
 * libc: a function of libc may be what is changed.
 */
#ifndef HOTPATCH_EXCHANGE_H
#define HOTPATCH_EXCHANGE_H

#include <stddef.h>
#include <stdint.h>

struct exchange {
    uintptr_t page;
    uintptr_t with, without; /* copies, with and without the change; 0: moved, or not yet made */
};

/* The copies, as far as they are missing; nobody else may change the page from now on. 0; -ENOTSUP: the
 * bytes lie on two pages, or the file that is mapped there is not to be had; -errno. */
int exchange_prepare(struct exchange *exchange, uintptr_t address, const uint8_t *bytes,
                     size_t count);
/* 0, or -errno: nothing has changed. */
int exchange_do(struct exchange *exchange);
/* As it was, after exchange_do(). */
void exchange_undo(struct exchange *exchange);
/* Copies that are left are unmapped. */
void exchange_end(struct exchange *exchange);

#endif
