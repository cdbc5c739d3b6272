/* fuzz_jail_line.c - whatever comes to the socket of a listener in a jail: no byte read beyond it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "preload/jail_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *bytes = malloc(size + 1); /* exactly as many, so that a sanitizer sees a read beyond */
    struct jail_line line;

    memcpy(bytes, data, size);
    bytes[size] = '\0';
    if (jail_line_parse(bytes, &line)) {
        if (line.error < 0 || line.error > 4095)
            abort();
        if (line.text < bytes || line.text + strlen(line.text) > bytes + size)
            abort();
    }
    free(bytes);
    return 0;
}
