/* library_cache.h - /etc/ld.so.cache, where ldconfig(8) lists the libraries that ld.so finds. */
#ifndef HOTPATCH_LIBRARY_CACHE_H
#define HOTPATCH_LIBRARY_CACHE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

/* Write to `path` the file that the cache lists under `name`. Return false if the cache lists none. Called by the
 * listener. */
bool library_cache_find(const char *name, char path[PATH_MAX]);

/* Search the bytes of a cache for `name`. Return a string within the bytes, or NULL. Called by any thread. */
const char *library_cache_search(const void *bytes, size_t size, const char *name);

#endif
