/*
 * object_cache.h - objects of unedited sources, kept from one command to the next.
 *
 * An entry is named after what was run: the compiler, its arguments, its directory, the variables that it reads. It is taken if
 * all files that the compiler has read are what they were: the same inode with the same times, or, below the project, the same
 * contents. Entries lie in hotpatch/objects below $XDG_CACHE_HOME, or /var/cache (root), or ~/.cache; the oldest go where all together are too large. A directory that others can write is not used.
 */
#ifndef HOTPATCH_OBJECT_CACHE_H
#define HOTPATCH_OBJECT_CACHE_H

#include <stdint.h>
#include <time.h>

#include "cli/build/rights.h"
#include "cli/build/words.h"

struct cached_object {
    char *bytes; /* malloc'd; "" where only the files are wanted */
    size_t size;
    struct word_list spelled, files; /* as in struct compiled */
};

/* Return the path of the entry for a run, malloc'd; NULL: there is no cache. `words` are the compiler and its arguments, without
 * paths of the scratch directory. */
char *object_cache_path(const struct build_owner *owner, const struct word_list *words,
                        const char *directory);
/* Take the entry. Return false where there is none, or a file has changed. */
bool object_cache_take(const char *path, struct cached_object *object);
/* Store the entry of a run that began at `begun`, unless a file was changed since. `roots`: directories of the project. */
void object_cache_store(const char *path, const struct cached_object *object,
                        const struct word_list *roots, struct timespec begun);
/* Remove the oldest entries where there are too many. */
void object_cache_trim(const struct build_owner *owner);
void cached_object_free(struct cached_object *object);

#endif
