/*
 * damage.h - find whether the bytes that were written at armed entries are still there. Uprobes, debuggers and other
 * hooks write to the same addresses.
 *
 * All pieces of code that the engine has written are in one dense table, so that 10,000 pieces are compared in a
 * fraction of a millisecond. No function of this file writes to code.
 *
 * Called by the listener, or by the thread that runs the constructor, with the engine lock held. Functions that read
 * code are called inside objects_locked().
 */
#ifndef HOTPATCH_DAMAGE_H
#define HOTPATCH_DAMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/foreign.h"

enum { DAMAGE_PIECES = 2, DAMAGE_BYTES = 8, DAMAGE_BYTES_TEXT = 3 * DAMAGE_BYTES + 1 };

/* A piece of code that the engine has written. */
struct damage_piece {
    uintptr_t at;
    size_t size;                    /* at most DAMAGE_BYTES */
    uint8_t written[DAMAGE_BYTES];  /* the engine's bytes */
    uint8_t original[DAMAGE_BYTES]; /* the bytes before the engine wrote */
};

/* The state of a site's pieces; part of the site. All zero: no piece is watched. */
struct damage {
    enum arch_foreign kind; /* the kind of the first piece that differs */
    struct damage_piece piece;
    uint8_t found[DAMAGE_BYTES];
    size_t found_size; /* number of bytes in `found` */
    /* offset of the byte that decides the kind: the int3, the original byte, the first byte of a jump */
    size_t first;
    size_t count; /* number of pieces that are watched */
    size_t index[DAMAGE_PIECES];
};

/* Watch another piece. Return 0, or -1 if there is no memory. */
int damage_watch(struct damage *damage, const struct damage_piece *piece);
void damage_unwatch(struct damage *damage);

/* Compare all pieces. Return the number of damaged sites. */
size_t damage_look(void);
/* Compare the pieces of one site. Return the kind of the first piece that differs. */
enum arch_foreign damage_look_at(struct damage *damage);
/* Return whether only the first byte of the jump differs, and that byte is the original's. */
bool damage_is_first_byte(const struct damage *damage);

/* Describe the damage in `text`: "the file's byte 55 is back at 0x1234 ...". */
void damage_text(const struct damage *damage, char *text, size_t size);
/* Write the bytes to `text`: "e9 00 cc". */
void damage_bytes_text(const uint8_t *bytes, size_t size, char text[DAMAGE_BYTES_TEXT]);
/* Return which tool probably wrote the bytes: "uprobe", "breakpoint", "jump", "unknown". */
const char *damage_by(const struct damage *damage);

#endif
