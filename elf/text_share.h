/*
 * text_share.h - how much of an object's code belongs to a function that is known.
 *
 * A count of functions says little of a program that was stripped and has no unwind table: of hundreds of megabytes
 * of code a few exported functions may be all that is known.
 */
#ifndef HOTPATCH_TEXT_SHARE_H
#define HOTPATCH_TEXT_SHARE_H

#include <stdbool.h>
#include <stdint.h>

struct functions;

struct text_share {
    uint64_t bytes;   /* of the code */
    uint64_t covered; /* of them: in functions */
    bool
        of_sections; /* the code is .text and .text.*; false: all executable PT_LOADs, as no section header says
                         where .text is */
};

/* Counts each byte once, whatever names it has. Left out are signal frames and functions whose size neither an FDE
 * nor the symbol says: up to the next one that is known there may be others. 0, or -1: no memory. */
int functions_text_share(struct functions *functions, struct text_share *out);
/* 0 to 100. */
double text_share_percent(const struct text_share *share);

#endif
