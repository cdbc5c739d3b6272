/*
 * thin_relies.c - see thin_relies.h. The analysis reads the placed code and the called functions alone, at their
 * addresses in the process: an object without a load bias.
 */
#include "loader/module/thin_relies.h"

#include <elf.h>
#include <stdlib.h>

#include "elf/functions.h"
#include "elf/image_bytes.h"
#include "elf/thin_link.h"
#include "loader/module/thin_state.h"
#include "loader/objects/object.h"
#include "loader/objects/object_functions.h"
#include "loader/slots/module_state.h"
#include "loader/text/site.h"

struct relying {
    const struct module *module;
    const struct object *target;
    struct arch_code *code;
    struct arch_function *functions;
    struct arch_code *data;
    struct arch_object object;
    uint64_t *called; /* of the functions that are read */
    size_t called_count;
};

static void restore_code(void *context, uint64_t address, uint8_t *copy, size_t size)
{
    (void)context;
    sites_restore(address, copy, size);
}

static int allocate_parts(struct relying *relying, size_t branches, size_t placed)
{
    relying->code = calloc(branches + 1, sizeof(*relying->code));
    relying->called = calloc(branches + 1, sizeof(*relying->called));
    relying->functions = calloc(branches + placed + 1, sizeof(*relying->functions));
    relying->data = calloc(relying->target->phnum + 1u, sizeof(*relying->data));
    return relying->code && relying->called && relying->functions && relying->data ? 0 : -1;
}

/* Add the placed code, and its functions. Without them nothing would be found to rely on anything. */
static int add_placed(struct relying *relying, size_t placed)
{
    const struct thin_module *thin = relying->module->thin;
    struct thin_span text = thin_link_text(thin->link), *spans = calloc(placed + 1, sizeof(*spans));
    const uint8_t *bytes = relying->module->bytes;

    if (!spans)
        return -1;
    relying->code[relying->object.code_count++] =
        (struct arch_code){thin->spot.base + text.at, text.size, bytes + text.at};
    placed = thin_link_functions(thin->link, spans, placed);
    for (size_t i = 0; i < placed; i++)
        relying->functions[relying->object.function_count++] =
            (struct arch_function){thin->spot.base + spans[i].at, spans[i].size};
    free(spans);
    return 0;
}

static void add_called_one(struct relying *relying, uint64_t called)
{
    const struct object *target = relying->target;
    struct function function;
    const void *bytes;

    if (!function_begins_at(target->functions, called, &function) || function.size == 0 ||
        !(bytes = image_bytes_at(target->image, called, function.size)))
        return;
    relying->code[relying->object.code_count++] =
        (struct arch_code){target->bias + called, function.size, bytes};
    relying->functions[relying->object.function_count++] =
        (struct arch_function){target->bias + called, function.size};
    relying->called[relying->called_count++] = called;
}

static void add_constants(struct relying *relying)
{
    const struct thin_module *thin = relying->module->thin;
    struct thin_span constants = thin_link_constants(thin->link);

    relying->data[relying->object.data_count++] =
        (struct arch_code){thin->spot.base + constants.at, constants.size,
                           (const uint8_t *)relying->module->bytes + constants.at};
}

static void add_target_data(struct relying *relying)
{
    const struct object *target = relying->target;

    for (size_t i = 0; i < target->phnum; i++) {
        const ElfW(Phdr) *p = &target->phdr[i];

        if (p->p_type == PT_LOAD && (p->p_flags & (PF_R | PF_W | PF_X)) == PF_R)
            relying->data[relying->object.data_count++] =
                (struct arch_code){target->bias + p->p_vaddr, p->p_filesz,
                                   (const uint8_t *)(target->bias + p->p_vaddr)};
    }
}

/* Describe both, in the order of their addresses. Return 0, or -1: no memory. */
static int describe_both(struct relying *relying, const uint64_t *branches, size_t count,
                         size_t placed)
{
    bool below = relying->module->thin->spot.base < relying->target->begin;
    int result = 0;

    if (below) {
        result = add_placed(relying, placed);
        add_constants(relying);
    }
    for (size_t i = 0; i < count; i++)
        add_called_one(relying, branches[i]);
    add_target_data(relying);
    if (!below) {
        result = add_placed(relying, placed);
        add_constants(relying);
    }
    relying->object.code = relying->code;
    relying->object.functions = relying->functions;
    relying->object.data = relying->data;
    relying->object.restore = restore_code;
    return result;
}

static bool relies_on_something(const struct arch_kept *kept)
{
    return kept->general || kept->vector || kept->mask || kept->x87 || kept->align ||
           kept->unsure_general || kept->unsure_vector;
}

static int ask_relied(const struct relying *relying, struct thin_relied **list)
{
    struct arch_callers *callers = arch_callers_open(&relying->object);
    int count = 0;

    *list = callers ? calloc(relying->called_count + 1, sizeof(**list)) : NULL;
    for (size_t i = 0; *list && i < relying->called_count; i++) {
        struct thin_relied *relied = &(*list)[count];

        relied->called = relying->called[i];
        arch_callers_kept(callers, relying->target->bias + relied->called, &relied->kept, NULL, 0,
                          NULL);
        count += relies_on_something(&relied->kept);
    }
    arch_callers_close(callers);
    return *list ? count : -1;
}

int thin_relies_find(const struct module *module, struct thin_relied **list)
{
    struct relying relying = {.module = module, .target = module->thin->target};
    size_t count, placed = thin_link_functions(module->thin->link, NULL, 0);
    const uint64_t *branches = thin_link_branches(module->thin->link, &count);
    int found = -1;

    *list = NULL;
    if (count == 0)
        return 0;
    if (!object_function_index(module->thin->target))
        return -1;
    if (allocate_parts(&relying, count, placed) == 0 &&
        describe_both(&relying, branches, count, placed) == 0)
        found = ask_relied(&relying, list);
    free(relying.code);
    free(relying.called);
    free(relying.functions);
    free(relying.data);
    return found;
}
