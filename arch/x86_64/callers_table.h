/*
 * callers_table.h - the jump table that an indirect jump reads. Inside arch/ only.
 */
#ifndef HOTPATCH_CALLERS_TABLE_H
#define HOTPATCH_CALLERS_TABLE_H

#include "arch/x86_64/callers_steps.h"

enum { TABLE_ENTRIES_MAX = 4096 };

struct table {
    uint64_t address;
    bool words;    /* of 8 bytes each; else offsets of 4 bytes from the table's start */
    size_t count;  /* of entries; 0: not known */
    int32_t loads; /* the step that reads the table */
};

/* Find the table by the steps that lead to the jump. Return false if the jump reads no table of a known form. */
bool table_find(const struct body *body, int32_t jump, struct table *table);
/* Find the target of the i-th entry. Return false if the entry lies outside the object's bytes. */
bool table_entry(const struct body *body, const struct table *table, size_t i, uint64_t *target);

#endif
