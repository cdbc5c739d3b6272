/* file_functions.c - see file_functions.h. */
#include "file_functions.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "arch.h"
#include "file_image.h"

struct visit {
    const struct image *image;
    const char *base;
    file_function_visit *each;
    void *context;
};

static const char *why_not(const struct image *image, const struct function *function)
{
    const uint8_t *code = image_bytes_at(image, function->address, function->size);
    struct arch_prologue prologue;
    enum arch_problem problem;

    if (function->ifunc)
        return NULL; /* what its resolver chooses is known in a process alone */
    if (!code || function->size == 0)
        return "nobody says where the function ends";
    problem = arch_prologue_read(code, function->size, function->address, &prologue);
    return problem == ARCH_OK ? NULL : arch_problem_text(problem);
}

static int visit_one(const struct function *function, void *context)
{
    const struct visit *visit = context;
    char unnamed[300];

    if (!function->name)
        snprintf(unnamed, sizeof(unnamed), "%s+0x%llx", visit->base,
                 (unsigned long long)function->address);
    visit->each(function, function->name ? function->name : unnamed,
                why_not(visit->image, function), visit->context);
    return 0;
}

int file_functions(const struct image *image, const char *path, file_function_visit *each,
                   void *context, struct refusal *why)
{
    const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    struct visit visit = {image, base, each, context};
    struct elf_fault fault = {0};
    struct functions *functions;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    int result = -1;

    if (file < 0)
        return refuse(why, HP_OPEN, "%s: cannot be opened", path);
    if (functions_of_file(&functions, file, &fault) == 0) {
        result = functions_each(functions, visit_one, &visit);
        functions_close(functions);
    } else {
        refuse(why, fault_code(&fault), "%s: %s", path, fault.text);
    }
    close(file);
    return result;
}
