/*
 * thin_lines.h - the section hotpatch_thin of a thin object, which elf/thin_file.h describes. Used by thin_write.c.
 */
#ifndef HOTPATCH_THIN_LINES_H
#define HOTPATCH_THIN_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct refusal;
struct selection;
struct thin_meta;

/* The numbers that sections and symbols of a unit have in the written object; 0: not written. */
struct thin_numbers {
    bool placed;        /* the unit has placed sections */
    uint32_t *sections; /* by the unit's index of sections */
    uint32_t *symbols;  /* by the unit's index of symbols */
    uint32_t *common;   /* by the unit's index of symbols: the section of a new COMMON symbol */
    bool *used;         /* by the unit's index of symbols */
};

/* Write the lines, malloc'd. Return 0, or -1 (no memory where `why` has no complaint). */
int thin_lines(char **lines, size_t *size, const struct selection *selection,
               const struct thin_meta *meta, const struct thin_numbers *units, struct refusal *why);

#endif
