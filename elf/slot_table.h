/*
 * slot_table.h - the slots that an object declares with hotpatch.h. Addresses are virtual, before
 * load bias.
 *
 * The table is found by the exported symbol `hotpatch_slot_table_v1`, else by the symbol in .symtab,
 * else by the section `hotpatch_table`.
 */
#ifndef HOTPATCH_SLOT_TABLE_H
#define HOTPATCH_SLOT_TABLE_H

#include "elf/image.h"
#include "include/hotpatch.h"

struct table_slot {
    uint64_t address; /* of the struct hotpatch_slot */
    uint64_t fallback;
    uint64_t entry; /* the stub, or 0 */
    const char *name;
    const char *signature;
    uint32_t kind; /* enum hotpatch_kind */
};

struct slot_table {
    uint64_t address;       /* of the struct hotpatch_slot_table */
    const char *name_space; /* NULL: the object's base name */
    struct table_slot *slots;
    size_t count;
};

/* Of a mapped object: another thread's dlopen() has not relocated the object yet. Read again later. */
#define SLOT_TABLE_PENDING 2

/* Read the table. 1: `table` is filled (free with slot_table_free()); 0: the object has none; -1 with
 * `error`; or SLOT_TABLE_PENDING. Unless it is 1, there is nothing in `table` to free. */
int slot_table_read(const struct image *image, struct slot_table *table, struct elf_error *error);
/* Read the table at a known address: 1, -1 with `error`, or SLOT_TABLE_PENDING. */
int slot_table_read_at(const struct image *image, uint64_t address, struct slot_table *table,
                       struct elf_error *error);
void slot_table_free(struct slot_table *table);

#endif
