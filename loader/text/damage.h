/*
 * damage.h - are the bytes that were written at armed entries still there? Uprobes, debuggers and other
 * hooks write to the same addresses.
 *
 * Every piece of code that the engine has written is kept in one dense table, so that 10,000 of them are
 * compared in a fraction of a millisecond. Nothing here writes to code.
 *
 * Listener (or the thread that runs the constructor), holding the engine lock; what reads code runs
 * inside objects_locked().
 */
#ifndef HOTPATCH_DAMAGE_H
#define HOTPATCH_DAMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/foreign.h"

enum { DAMAGE_PIECES = 2, DAMAGE_BYTES = 8, DAMAGE_BYTES_TEXT = 3 * DAMAGE_BYTES + 1 };

/* One piece of written code. */
struct damage_piece {
    uintptr_t at;
    size_t size;                    /* at most DAMAGE_BYTES */
    uint8_t written[DAMAGE_BYTES];  /* by the engine */
    uint8_t original[DAMAGE_BYTES]; /* what lay there before */
};

/* What became of a site's pieces: part of the site. All zero: nothing is watched. */
struct damage {
    enum arch_foreign kind; /* of the first piece that differs */
    struct damage_piece piece;
    uint8_t found[DAMAGE_BYTES];
    size_t found_size; /* bytes of `found` */
    size_t first;      /* offset of the first byte that tells: the int3, the original's, a jump's */
    size_t count;      /* pieces watched */
    size_t index[DAMAGE_PIECES];
};

/* Watch one more piece. 0, or -1: no memory. */
int damage_watch(struct damage *damage, const struct damage_piece *piece);
void damage_unwatch(struct damage *damage);

/* Compare all pieces. Returns how many sites are damaged. */
size_t damage_look(void);
/* Compare the pieces of one site. */
enum arch_foreign damage_look_at(struct damage *damage);
/* Is the jump's first byte alone another one, and that the original's? */
bool damage_is_first_byte(const struct damage *damage);

/* "the file's byte 55 is back at 0x1234 ...", in `text`. */
void damage_text(const struct damage *damage, char *text, size_t size);
/* "e9 00 cc", in `text`. */
void damage_bytes_text(const uint8_t *bytes, size_t size, char text[DAMAGE_BYTES_TEXT]);
/* Who is guessed to have written: "uprobe", "breakpoint", "jump", "unknown". */
const char *damage_by(const struct damage *damage);

#endif
