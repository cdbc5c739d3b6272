/*
 * versions.h - the symbol versions that an object defines and needs: DT_VERDEF and DT_VERNEED.
 *
 * Any thread, one at a time per image.
 */
#ifndef HOTPATCH_VERSIONS_H
#define HOTPATCH_VERSIONS_H

#include <stdbool.h>

#include "elf/elf_error.h"

struct image;

/*
 * Call `each` for every version that the object needs of a library (DT_VERNEED; gABI, "Symbol Versioning"): ld.so
 * refuses an object whose library lacks one, except weak ones. Returns as image_symbols() does.
 */
struct version_need {
    const char *file; /* as in DT_NEEDED */
    const char *version;
    bool weak;
};
int image_version_needs(const struct image *image,
                        int (*each)(const struct version_need *need, void *context), void *context,
                        struct elf_error *error);

/* Return whether the object defines the version (DT_VERDEF). `versioned`: it defines some. */
bool image_defines_version(const struct image *image, const char *version, bool *versioned);

/* ---- for the files of elf/ alone ---- */

/* Fill lazy->versions. 0, or -1 with `error`. */
int image_read_versions(const struct image *image, struct elf_error *error);

#endif
