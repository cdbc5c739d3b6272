/* ifunc_code.c - see ifunc_code.h. */
#include "resolve/ifunc_code.h"

#include "arch/arch.h"
#include "elf/image_bytes.h"
#include "elf/indirect.h"
#include "elf/relocations.h"

/* The functions that a resolver could return: those of the object whose addresses it takes. */
struct ifunc_choices {
    const struct code_view *view;
    size_t count, possible;
    struct function_code first; /* of those that cannot be patched */
};

static void copy_code(struct function_code *to, const struct function_code *from)
{
    *to = *from;
    if (from->problem == from->text)
        to->problem = to->text;
}

static void read_choice(uint64_t to, bool word, void *context)
{
    struct ifunc_choices *choices = context;
    const struct code_view *view = choices->view;
    struct function function;
    struct function_code code;

    if ((word && !image_word_at(view->image, to, &to)) ||
        !function_begins_at(view->functions, to, &function) || function.ifunc)
        return;
    function_code_read(view, &function, &code);
    choices->count++;
    choices->possible += code.problem == NULL;
    if (code.problem && !choices->first.problem)
        copy_code(&choices->first, &code);
}

/* Return whether a process could tell the implementation: ld.so does for an exported function, a word of the object
 * for others. */
static bool is_known_to_process(const struct code_view *view, const struct function *function)
{
    uint64_t where;

    return function->exported ||
           function_indirect_word(view->functions, function->address, 0, &where);
}

void ifunc_code_read(const struct code_view *view, const struct function *function,
                     struct function_code *out)
{
    const uint8_t *code = image_bytes_at(view->image, function->address, function->size);
    struct ifunc_choices choices = {.view = view};

    *out = (struct function_code){.technique = NULL};
    if (!is_known_to_process(view, function)) {
        out->problem = FUNCTION_UNTOLD;
        return;
    }
    if (code)
        arch_references(code, function->size, function->address, read_choice, &choices);
    if (choices.count > 0 && choices.possible == 0)
        copy_code(out, &choices.first);
}
