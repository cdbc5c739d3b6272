/*
 * manifest.h - what a patch says of itself with hotpatch.h. Addresses are virtual, before load bias.
 *
 * Found by the exported symbol `HOTPATCH_MODULE_V1`, else by the symbol in .symtab, else by the section
 * `hotpatch_module`.
 */
#ifndef HOTPATCH_MANIFEST_H
#define HOTPATCH_MANIFEST_H

#include "elf/image.h"
#include "include/hotpatch.h"

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

/* Read the manifest. 0: `manifest` is filled (free with manifest_free()); -1 with `error`, ELF_NO_MANIFEST
 * where there is none. Strings live as long as the image. */
int manifest_read(const struct image *image, struct manifest *manifest, struct elf_error *error);
void manifest_free(struct manifest *manifest);

#endif
