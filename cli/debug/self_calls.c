/* self_calls.c - see self_calls.h. */
#include "cli/debug/self_calls.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/debug/file_functions.h"
#include "cli/output/output.h"
#include "elf/object_callers.h"

struct self_calls {
    struct file_image file;
    struct file_functions functions;
    struct object_callers *callers;
};

struct self_calls *self_calls_open(int file)
{
    struct self_calls *calls = allocate(sizeof(*calls));
    struct refusal ignored = {0};
    struct elf_error ignored_error;
    char path[32];

    *calls = (struct self_calls){0};
    snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    if (file_image_open(&calls->file, path, 0, &ignored) != 0 ||
        file_functions_open(&calls->functions, &calls->file, path, &ignored) != 0 ||
        object_callers_open(&calls->callers, calls->file.image, calls->functions.index, NULL, NULL,
                            &ignored_error) != 0) {
        self_calls_close(calls);
        calls = NULL;
    }
    refusal_clear(&ignored);
    return calls;
}

void self_calls_close(struct self_calls *calls)
{
    if (!calls)
        return;
    object_callers_close(calls->callers);
    file_functions_close(&calls->functions);
    file_image_close(&calls->file);
    free(calls);
}

bool self_calls_reach(struct self_calls *calls, uint64_t address)
{
    uint64_t site;

    return arch_callers_lead_to(object_callers_arch(calls->callers), address, &site);
}
