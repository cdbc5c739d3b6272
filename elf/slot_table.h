/*
 * slot_table.h - what hotpatch.h left in an object: its declared slots and, in a patch, the
 * manifest. Addresses are virtual, before load bias.
 *
 * Found by the exported symbol (`hotpatch_slot_table_v1`, `HOTPATCH_MODULE_V1`), else by the
 * symbol in .symtab, else by the section (`hotpatch_table`, `hotpatch_module`).
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

struct manifest_entry {
    uint64_t address;  /* of the struct hotpatch_entry */
    uint64_t function; /* or 0 */
    uint64_t data;     /* or 0 */
    uint64_t original; /* address of the pointer behind HOTPATCH_ORIGINAL, or 0 */
    const char *target;
    const char *signature;
    uint32_t kind;
};

struct manifest_target {
    const char *object;
    const char *build_id;
};

struct manifest {
    const char *name;
    const char *version;
    struct manifest_entry *entries;
    size_t entry_count;
    struct manifest_target *targets;
    size_t target_count;
    uint64_t before_apply, after_apply, before_revert, after_revert; /* or 0 */
};

/* Of a mapped object: another thread's dlopen() has not relocated it yet. Ask again later. */
#define SLOT_TABLE_PENDING 2

/* 1: read into `table` (free with slot_table_free); 0: the object has none; -1: `fault`; or
 * SLOT_TABLE_PENDING. Where it is not 1, there is nothing in `table` to free. */
int slot_table_read(const struct image *image, struct slot_table *table, struct elf_error *fault);
/* The table at a known address: 1, -1 with `fault`, or SLOT_TABLE_PENDING. */
int slot_table_read_at(const struct image *image, uint64_t address, struct slot_table *table,
                       struct elf_error *fault);
/*
 * Where the table is by the section headers of an object's file, which a mapped image does not
 * have: programs do not export the symbol, and strip(1) leaves the section. Reads the headers
 * alone (the file may be large), by pread(2). False: the file has none, or is damaged.
 */
bool slot_table_find_in_file(int fd, uint64_t *address);
void slot_table_free(struct slot_table *table);

/* 0: read into `manifest` (free with manifest_free); -1: `fault`, ELF_NO_MANIFEST where none.
 * Strings live as long as the image. */
int manifest_read(const struct image *image, struct manifest *manifest, struct elf_error *fault);
void manifest_free(struct manifest *manifest);

#endif
