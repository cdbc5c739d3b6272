/* thin_module.c - see thin_module.h. */
#include "loader/module/thin_module.h"

#include <stdlib.h>
#include <string.h>

#include "base/sys.h"
#include "base/text.h"
#include "elf/thin_digest.h"
#include "elf/thin_file.h"
#include "elf/thin_link.h"
#include "include/hotpatch.h"
#include "loader/module/module.h"
#include "loader/module/thin_kept.h"
#include "loader/module/thin_relies.h"
#include "loader/module/thin_state.h"
#include "loader/module/thin_target.h"
#include "loader/objects/object.h"
#include "resolve/elf_refusal.h"

enum { CUT_LEAST = 1 << 16 };

static int refuse_thin(const struct module *module, const struct elf_error *error,
                       struct refusal *why)
{
    return refuse(why, elf_refusal_code(error), "%s: %s", module->path, error->text);
}

static int no_memory_of(const struct module *module, struct refusal *why)
{
    return refuse(why, HP_MEMORY, "read %s: no memory", module->path);
}

/* ---- reading ---- */

static int add_replacement_of(struct module *module, const struct thin_replacement *from)
{
    char *target = *from->file ? text_format("%s@%s", from->name, from->file) : NULL;
    struct replacement *replacement =
        module_add_replacement(module, target ? target : from->name, from->signature);

    free(target);
    if (!replacement)
        return -1;
    replacement->kind = HOTPATCH_KIND_FUNCTION;
    replacement->by_place = true;
    replacement->offset = from->offset;
    return 0;
}

static int take_callers(struct module *module)
{
    const struct thin_file *file = module->thin->file;

    module->callers_known = file->callers_known;
    module->callers_in = calloc(file->caller_count + 1, sizeof(*module->callers_in));
    if (!module->callers_in)
        return -1;
    for (size_t i = 0; i < file->caller_count; i++)
        module->callers_in[module->callers_in_count++] =
            (struct code_span){file->callers[i].begin, file->callers[i].end};
    return 0;
}

static int take_olds(struct thin_module *thin)
{
    thin->olds = calloc(thin->file->old_count + 1, sizeof(*thin->olds));
    if (!thin->olds)
        return -1;
    for (size_t i = 0; i < thin->file->old_count; i++) {
        struct thin_old_code *code = &thin->olds[thin->old_count];

        code->name = text_copy(thin->file->olds[i].name);
        code->offset = thin->file->olds[i].offset;
        if (!code->name)
            return -1;
        thin->old_count++;
    }
    return 0;
}

static int take_thin_file(struct module *module, struct refusal *why)
{
    const struct thin_file *file = module->thin->file;

    module->name = text_copy(file->name);
    module->version = text_copy(file->version);
    module->build_id = text_copy(file->build_id);
    if (!module->name || !module->version || !module->build_id || take_callers(module) != 0 ||
        take_olds(module->thin) != 0)
        return no_memory_of(module, why);
    for (size_t i = 0; i < file->replacement_count; i++)
        if (add_replacement_of(module, &file->replacements[i]) != 0)
            return no_memory_of(module, why);
    return 0;
}

int thin_module_read(struct module *module, struct refusal *why)
{
    struct thin_module *thin = calloc(1, sizeof(*thin));
    struct elf_error error;

    if (!thin)
        return no_memory_of(module, why);
    module->thin = thin;
    thin->file_bytes = module->bytes;
    thin->file_size = module->size;
    module->bytes = NULL;
    if (module->replace_count > 0)
        return refuse(why, HP_VALUE, "%s: a thin object names its functions itself", module->path);
    if (thin_file_open(&thin->file, thin->file_bytes, thin->file_size, &error) != 0 ||
        thin_digest_check(thin->file->object, &error) != 0)
        return refuse_thin(module, &error, why);
    return take_thin_file(module, why);
}

/* ---- linking ---- */

int thin_module_find(struct module *module, struct refusal *why)
{
    struct thin_module *thin = module->thin;
    struct object *target = thin_target_find(thin->file, module->path, why);

    if (thin->link && (!target || target->bias != thin->target_bias))
        thin_module_unlink(module);
    thin->target = target;
    if (!target)
        return -1;
    thin->target_bias = target->bias;
    return 0;
}

static int begin_link(struct module *module, struct refusal *why)
{
    struct thin_module *thin = module->thin;
    struct thin_host host;
    struct elf_error error;

    if (thin->link)
        return 0;
    thin_target_describe(thin->target, &host);
    if (thin_link_begin(&thin->link, thin->file, &host, &error) != 0)
        return refuse_thin(module, &error, why);
    return 0;
}

static int find_place_for(struct module *module, struct refusal *why)
{
    struct thin_module *thin = module->thin;
    struct thin_extent extent = thin_link_extent(thin->link);
    int error;

    if (thin_spot_find(&thin->spot, &extent, thin->target_bias ? thin->target_bias : extent.low,
                       &error))
        return 0;
    if (error)
        return refuse(why, HP_NEAR, "%s: read the process's mappings: %s", module->path,
                      sys_error(-error));
    return refuse(why, HP_NEAR, "%s: no %zu free bytes lie within 2 GiB of %s", module->path,
                  extent.size, thin->target->path);
}

/* Set the addresses of the replacements. The module's bias is 0. */
static int set_functions(struct module *module, struct refusal *why)
{
    struct thin_module *thin = module->thin;

    if (!thin->functions)
        thin->functions = calloc(module->replacement_count + 1, sizeof(*thin->functions));
    if (!thin->functions)
        return no_memory_of(module, why);
    thin->function_count = module->replacement_count;
    for (size_t i = 0; i < module->replacement_count; i++)
        module->replacements[i].function = thin->functions[i] =
            thin->spot.base + thin_link_function(thin->link, i);
    return 0;
}

static int find_relied(struct module *module, struct refusal *why)
{
    struct thin_module *thin = module->thin;
    int count;

    free(thin->relied);
    thin->relied_count = 0;
    count = thin_relies_find(module, &thin->relied);
    if (count < 0)
        return no_memory_of(module, why);
    thin->relied_count = (size_t)count;
    return 0;
}

int thin_module_link(struct module *module, struct refusal *why)
{
    struct thin_module *thin = module->thin;
    struct elf_error error;

    if (module->bytes)
        return 0;
    if (begin_link(module, why) != 0 || find_place_for(module, why) != 0 ||
        set_functions(module, why) != 0)
        return -1;
    if (thin_link_at(thin->link, thin->spot.base, &module->bytes, &module->size, &error) != 0) {
        thin_spot_done(&thin->spot);
        return refuse_thin(module, &error, why);
    }
    if (module->size - thin_link_whole(thin->link) >= CUT_LEAST)
        thin->whole = thin_link_whole(thin->link);
    module->edited = true; /* its copy is named by these bytes */
    return find_relied(module, why);
}

int thin_module_again(struct module *module, struct refusal *why)
{
    struct thin_module *thin = module->thin;

    thin_spot_done(&thin->spot);
    if (thin->spot.try_count + 1 == THIN_TRIES)
        return refuse(why, HP_NEAR,
                      "%s: the dynamic linker did not map it at the address that it names, %d "
                      "times: each was taken meanwhile, or the linker follows no address (glibc "
                      "before 2.36 does not, for a PIE)",
                      module->path, THIN_TRIES);
    thin->spot.tried[thin->spot.try_count++] = thin->spot.base;
    thin->spot.base = 0;
    free(module->bytes);
    module->bytes = NULL;
    return 0;
}

/* ---- after the commit ---- */

int thin_module_applied(struct module *module)
{
    struct thin_module *thin = module->thin;
    const char *key;
    uint64_t at;
    int result = 0;

    if (!thin || !thin->link)
        return 0;
    for (size_t i = 0; (key = thin_link_kept(thin->link, i, &at)) != NULL; i++)
        if (thin_kept_add(thin->file->build_id, key, thin->spot.base + at) != 0)
            result = -1;
    return result;
}
