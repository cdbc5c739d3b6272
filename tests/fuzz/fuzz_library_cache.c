/* fuzz_library_cache.c - whatever is in /etc/ld.so.cache: no byte read beyond it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "loader/objects/library_cache.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *bytes =
        malloc(size ? size : 1); /* exactly as many, so that a sanitizer sees a read beyond */
    const char *found;

    memcpy(bytes, data, size);
    found = library_cache_search(bytes, size, "libx.so.1");
    if (found && (found < bytes || found + strlen(found) >= bytes + size))
        abort();
    free(bytes);
    return 0;
}
