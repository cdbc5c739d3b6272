/* thin_state.c - see thin_state.h. */
#include "loader/module/thin_state.h"

#include <stdlib.h>

#include "elf/thin_file.h"
#include "loader/module/thin_copies.h"
#include "loader/slots/module_state.h"

void thin_module_unlink(struct module *module)
{
    struct thin_module *thin = module->thin;

    thin_spot_done(&thin->spot);
    thin_link_end(thin->link);
    thin->link = NULL;
    thin->spot.base = 0;
    free(module->bytes);
    module->bytes = NULL;
}

void thin_module_take(struct module *module, struct thin_module *parked)
{
    struct thin_module *thin = module->thin;

    thin_module_unlink(module);
    free(thin->functions);
    thin->functions = parked->functions;
    thin->function_count = parked->function_count;
    thin->spot.base = parked->spot.base;
    thin->spot.size = parked->spot.size;
    parked->functions = NULL;
    thin->whole = parked->whole;
    thin->maker = parked->maker;
    if (module->snapshot)
        thin_copy_used(module->snapshot);
    for (size_t i = 0; i < module->replacement_count && i < thin->function_count; i++)
        module->replacements[i].function = thin->functions[i];
    thin_module_free(parked);
}

static void old_code_follow(struct thin_old_code *code, const struct module *old)
{
    for (size_t i = 0; i < old->thin->old_count; i++) {
        const struct thin_old_code *same = &old->thin->olds[i];

        if (same->offset == code->offset)
            code->since = same->since.tv_sec ? same->since : old->since;
    }
}

void thin_olds_follow(struct module *module, const struct module *old)
{
    if (!old->thin || old->thin->target_bias != module->thin->target_bias)
        return;
    for (size_t i = 0; i < module->thin->old_count; i++)
        old_code_follow(&module->thin->olds[i], old);
}

void thin_module_forget_file(struct thin_module *thin)
{
    if (!thin)
        return;
    thin_spot_done(&thin->spot);
    thin_link_end(thin->link);
    thin->link = NULL;
    thin_file_close(thin->file);
    thin->file = NULL;
    free(thin->file_bytes);
    thin->file_bytes = NULL;
}

void thin_module_free(struct thin_module *thin)
{
    if (!thin)
        return;
    thin_module_forget_file(thin);
    free(thin->functions);
    free(thin->relied);
    for (size_t i = 0; i < thin->old_count; i++)
        free(thin->olds[i].name);
    free(thin->olds);
    free(thin);
}
