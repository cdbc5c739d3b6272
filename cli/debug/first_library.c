/* first_library.c - see first_library.h. */
#include "cli/debug/first_library.h"

#include <stddef.h>
#include <string.h>

#include "cli/debug/file_image.h"
#include "cli/output/output.h"

char *first_library(const char *program)
{
    struct refusal ignored = {0};
    struct file_image file;
    char *name = NULL;

    if (file_image_open(&file, program, 0, &ignored) == 0) {
        const char *needed;

        for (size_t i = 0; !name && (needed = image_needed(file.image, i)); i++)
            if (strncmp(needed, "libasan.so", 10) == 0 ||
                strncmp(needed, "libclang_rt.asan", 16) == 0)
                name = format_text("%s", needed);
        file_image_close(&file);
    }
    refusal_clear(&ignored);
    return name;
}
