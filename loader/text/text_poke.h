/*
 * text_poke.h - writing into code that is mapped, under the threads that run it.
 *
 * Two ways. By store: the pages are made writable as well as executable (never without: a thread
 * runs there) and get their own protection back at the end; a store of up to 8 aligned bytes is
 * then seen whole or not at all. By kernel: /proc/thread-self/mem writes over a page's protection
 * (proc(5)), where W^X policies refuse the first; of that only single bytes are seen whole. It is
 * opened for each use: inherited over a fork it would be the parent's memory.
 *
 * Listener (or the thread that runs the constructor), holding the engine lock. What is between
 * text_poke_open() and text_poke_close() calls no libc: a function of libc may be what is written.
 */
#ifndef HOTPATCH_TEXT_POKE_H
#define HOTPATCH_TEXT_POKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loader/text/text_poke_sync.h"

/* TSan keeps no record of code, and faults where one is to be kept. */
#define POKE_BARE __attribute__((no_sanitize("thread")))

struct text_poke {
    uintptr_t begin, end; /* pages */
    int protection;       /* theirs */
    int memory;           /* the kernel's way, or -1 */
    bool stores;          /* the pages are writable: text_poke_store() works */
    bool lent;            /* text_poke_hold()'s: text_poke_close() leaves it open */
};

/* A filter may answer a call that it forbids by ending the process: what others may do without is
 * tried last then, or not at all. */
bool text_poke_under_filter(void);
/* Ready to write `size` bytes at `address`, whose pages have `protection`; by store if that can
 * be and is preferred, or if the other cannot. 0, or -errno of the way that was preferred. */
int text_poke_open(struct text_poke *poke, uintptr_t address, size_t size, int protection,
                   bool prefer_stores);
void text_poke_close(struct text_poke *poke);

/* Until text_poke_release(), in the same commit section, text_poke_open() finds open what was open before: the
 * pages that were written last, and the process's memory. Functions lie some forty to a page. */
void text_poke_hold(void);
void text_poke_release(void);
void text_poke_after_fork(void); /* in the child of a process that was in such a section */

/* One byte. 0, or -errno. */
int text_poke_byte(const struct text_poke *poke, uintptr_t address, uint8_t byte);
int text_poke_bytes(const struct text_poke *poke, uintptr_t address, const uint8_t *bytes,
                    size_t count);
/* An aligned word of eight bytes, in one store or one write. 0, or -errno. */
int text_poke_word(const struct text_poke *poke, uintptr_t aligned, uint64_t word);
/* Two bytes, or eight, at once; they lie in one aligned word of eight. Only with `stores`. */
void text_poke_store2(uintptr_t address, const uint8_t bytes[2]);
void text_poke_store8(uintptr_t aligned, uint64_t word);

/* Call text_poke_sync(), or, between text_poke_hold() and text_poke_release(), let the latter do so: for all that
 * was stored meanwhile, where nothing depends on it before. */
void text_poke_sync_later(void);

#endif
