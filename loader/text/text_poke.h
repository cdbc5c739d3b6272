/*
 * text_poke.h - write into code that is mapped while threads run it.
 *
 * There are two ways. By store: the pages are made writable and stay executable, because a thread runs there; at the
 * end they get their own protection again. Threads see a store of up to 8 aligned bytes whole or not at all. By kernel:
 * /proc/thread-self/mem writes in spite of a page's protection (proc(5)), where W^X policies refuse the first way.
 * Threads see only single bytes of such a write whole. The file is opened for each use: a descriptor that a fork
 * inherits would write the parent's memory.
 *
 * Called by the listener, or by the thread that runs the constructor, with the engine lock held. The code between
 * text_poke_open() and text_poke_close() calls no libc: the bytes may belong to a function of libc.
 */
#ifndef HOTPATCH_TEXT_POKE_H
#define HOTPATCH_TEXT_POKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loader/text/text_poke_sync.h"

/* TSan has no shadow for code, and crashes when it accesses such a shadow. */
#define POKE_BARE __attribute__((no_sanitize("thread")))

struct text_poke {
    uintptr_t begin, end; /* the pages */
    int protection;       /* protection of the pages */
    int memory;           /* /proc/thread-self/mem, or -1 */
    bool stores;          /* the pages are writable: text_poke_store() works */
    bool lent;            /* opened by text_poke_hold(): text_poke_close() leaves it open */
};

/* Return whether a seccomp filter is set. A filter may end the process for a call that it forbids. System calls that
 * most programs do not need are then tried last, or not at all. */
bool text_poke_under_filter(void);
/* Prepare to write `size` bytes at `address`, whose pages have `protection`. Stores are used if they are possible and
 * preferred, or if the kernel's way is not possible. Return 0, or -errno of the preferred way. */
int text_poke_open(struct text_poke *poke, uintptr_t address, size_t size, int protection,
                   bool prefer_stores);
void text_poke_close(struct text_poke *poke);

/* Keep the files and pages of text_poke_open() open until text_poke_release() in the same commit section: the
 * pages that were written last, and the process's memory. A page has about forty functions. */
void text_poke_hold(void);
void text_poke_release(void);
/* Forget the state of text_poke_hold(). Called in the child of a process that was in such a section. */
void text_poke_after_fork(void);

/* Write one byte. Return 0, or -errno. */
int text_poke_byte(const struct text_poke *poke, uintptr_t address, uint8_t byte);
int text_poke_bytes(const struct text_poke *poke, uintptr_t address, const uint8_t *bytes,
                    size_t count);
/* Write an aligned word of eight bytes, in one store or one write. Return 0, or -errno. */
int text_poke_word(const struct text_poke *poke, uintptr_t aligned, uint64_t word);
/* Store two bytes, or eight, at once. They lie in one aligned word of eight bytes. Called only if `stores` is true. */
void text_poke_store2(uintptr_t address, const uint8_t bytes[2]);
void text_poke_store8(uintptr_t aligned, uint64_t word);

/* Call text_poke_sync(). Between text_poke_hold() and text_poke_release(), let text_poke_release() call it once for all
 * stores. Only for stores on which nothing depends before. */
void text_poke_sync_later(void);

#endif
