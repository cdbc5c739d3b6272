/* library_cache.h - /etc/ld.so.cache, where ldconfig(8) lists the libraries that ld.so finds. */
#ifndef HOTPATCH_LIBRARY_CACHE_H
#define HOTPATCH_LIBRARY_CACHE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

/* The file that the cache has under `name`; false: none. Listener. */
bool library_cache_find(const char *name, char path[PATH_MAX]);

/* The same of a cache's bytes: a string among them, or NULL. Any thread. */
const char *library_cache_search(const void *bytes, size_t size, const char *name);

#endif
