/*
 * needed.h - the libraries that a patch needs and the process does not have. dlopen(3) would also map them, run their
 * constructors, and obey their PT_GNU_STACK. They are found as ld.so finds them, and read without running their code.
 *
 * Called by the listener.
 */
#ifndef HOTPATCH_NEEDED_H
#define HOTPATCH_NEEDED_H

#include <stdbool.h>

#include "base/refusal.h"
#include "elf/image.h"

struct functions;

/* A library that ld.so would load with the patch. */
struct needed {
    struct needed *next; /* breadth first, as ld.so searches the libraries */
    char *name;          /* the name that the patch or library needs it by */
    char *path;
    struct functions *functions;
    const struct image *image;
};

/* Fill `list` for the patch at `path`, read as `patch`, whose $ORIGIN is `origin` (NULL: the patch does not use
 * $ORIGIN). Return 0, or -1 with `why`: HP_NEEDED, HP_WX, HP_WRITABLE. The caller frees the list in both cases. */
int needed_find(struct needed **list, const struct image *patch, const char *path,
                const char *origin, struct refusal *why);
void needed_free(struct needed *list);

/* Return the library of that name (DT_SONAME, or the name that it was needed by), or NULL. */
const struct needed *needed_named(const struct needed *list, const char *name);

#endif
