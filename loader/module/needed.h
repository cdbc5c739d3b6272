/*
 * needed.h - the libraries that a patch needs and the process lacks: dlopen(3) would map them, too, run their
 * constructors, and obey their PT_GNU_STACK. Found as ld.so finds them, and read, without running any of them.
 *
 * Listener.
 */
#ifndef HOTPATCH_NEEDED_H
#define HOTPATCH_NEEDED_H

#include <stdbool.h>

#include "base/refusal.h"
#include "elf/image.h"

struct functions;

/* One that ld.so would load with the patch. */
struct needed {
    struct needed *next; /* breadth first, as ld.so searches them */
    char *name;          /* as it was asked for */
    char *path;
    struct functions *functions;
    const struct image *image;
};

/* Fill `list` for the patch at `path`, read as `patch`, whose $ORIGIN is `origin` (NULL: it names none). 0, or -1
 * with `why`: HP_NEEDED, HP_WX, HP_WRITABLE; the list is the caller's to free either way. */
int needed_find(struct needed **list, const struct image *patch, const char *path,
                const char *origin, struct refusal *why);
void needed_free(struct needed *list);

/* The one of that name (DT_SONAME, or as it was asked for), or NULL. */
const struct needed *needed_named(const struct needed *list, const char *name);

#endif
