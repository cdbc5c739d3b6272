/* file_functions.c - see file_functions.h. */
#include "cli/debug/file_functions.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "elf/functions_read.h"
#include "resolve/elf_refusal.h"
#include "resolve/function_code.h"
#include "resolve/ifunc_code.h"
#include "resolve/resolver.h"

int file_functions_open(struct file_functions *functions, const struct file_image *file,
                        const char *path, struct refusal *why)
{
    struct elf_error error = {0};
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int result;

    *functions = (struct file_functions){.file = file};
    if (descriptor < 0)
        return refuse(why, HP_OPEN, "%s: cannot be opened", path);
    result = functions_of_file(&functions->index, descriptor, &error);
    close(descriptor);
    if (result == 0)
        return 0;
    functions->index = NULL;
    return refuse(why, elf_refusal_code(&error), "%s: %s", path, error.text);
}

void file_functions_close(struct file_functions *functions)
{
    function_copies_free(functions->copies);
    object_callers_close(functions->callers);
    functions_close(functions->index);
    functions->callers = NULL;
    functions->copies = NULL;
    functions->index = NULL;
}

const struct function_copies *file_function_copies(struct file_functions *functions)
{
    if (!functions->copies)
        functions->copies = function_copies_read(functions->index, functions->file->image);
    return functions->copies;
}

static struct arch_callers *callers_in(struct file_functions *functions)
{
    struct elf_error ignored;

    if (!functions->callers && !functions->callers_failed)
        functions->callers_failed =
            object_callers_open(&functions->callers, functions->file->image, functions->index, NULL,
                                NULL, &ignored) != 0;
    return functions->callers_failed ? NULL : object_callers_arch(functions->callers);
}

void file_function_code(struct file_functions *functions, const struct function *function,
                        struct function_code *out)
{
    struct code_view view = {functions->index, functions->file->image, NULL, NULL};

    view.callers = callers_in(functions);
    if (function->ifunc)
        ifunc_code_read(&view, function, out);
    else
        function_code_read(&view, function, out);
}

struct file_visit {
    struct file_functions *functions;
    const char *object;
    file_function_wanted *wanted;
    file_function_visit *each;
    void *context;
};

static int visit_one(const struct function *function, void *context)
{
    const struct file_visit *visit = context;
    struct function_code code;
    char buffer[FUNCTION_NAME_MAX];
    const char *name = buffer;

    if (function->name)
        name = function_source_name(function->name, buffer);
    else
        snprintf(buffer, sizeof(buffer), "%s+0x%llx", visit->object,
                 (unsigned long long)function->address);
    if (!visit->wanted(name, visit->context))
        return 0;
    file_function_code(visit->functions, function, &code);
    visit->each(function, name, &code, visit->context);
    return 0;
}

void file_functions_each(struct file_functions *functions, const char *object,
                         file_function_wanted *wanted, file_function_visit *each, void *context)
{
    struct file_visit visit = {functions, object, wanted, each, context};

    functions_each(functions->index, visit_one, &visit);
}

/* -------------------------------------------------------------------- one --- */

/* Return the lowest address of a program that does not move, else 0. */
static uint64_t file_fixed_start(const struct file_image *file)
{
    const Elf64_Ehdr *header = (const void *)file->bytes;
    const Elf64_Phdr *segments = (const void *)((const char *)file->bytes + header->e_phoff);
    uint64_t start = UINT64_MAX;

    if (header->e_type != ET_EXEC)
        return 0;
    for (size_t i = 0; i < header->e_phnum; i++)
        if (segments[i].p_type == PT_LOAD && segments[i].p_vaddr < start)
            start = segments[i].p_vaddr;
    return start;
}

static void keep_function(const struct function *function, void *context)
{
    *(struct function *)context = *function;
}

size_t file_functions_named(const struct file_functions *functions,
                            const struct symbol_spec *target, struct function *found)
{
    return resolver_functions(functions->index, file_fixed_start(functions->file), target,
                              keep_function, found);
}

bool file_function_at(const struct file_functions *functions, uint64_t address,
                      struct function *found)
{
    return resolver_function_at(functions->index, file_fixed_start(functions->file), address, true,
                                found);
}
