/* versions.c - see versions.h. */
#include "elf/versions.h"

#include <stdlib.h>
#include <string.h>

#include "elf/dynamic.h"
#include "elf/image_bytes.h"
#include "elf/image_parts.h"

/* Each entry of both chains costs one step; the chains may cycle, hence the counts. */
enum { VERSION_STEPS_MAX = 65536 };

struct version_walk {
    const struct image *image;
    struct elf_error *error;
    size_t steps;
};

static const void *version_record(struct version_walk *walk, uint64_t address, size_t size)
{
    const void *record = image_bytes_at(walk->image, address, size);

    if (++walk->steps > VERSION_STEPS_MAX)
        record = NULL;
    if (!record)
        elf_error_set(walk->error, ELF_DAMAGED, "the symbol versions point out of the object");
    return record;
}

static int store_version(struct version_walk *walk, uint16_t index, uint32_t name)
{
    struct image_lazy *lazy = walk->image->lazy;
    const char *string = image_dynamic_string(walk->image, name);

    index &= 0x7fff;
    if (!string)
        return elf_fail(walk->error, ELF_DAMAGED, "a symbol version has no name");
    if (index >= lazy->version_count) {
        size_t count = index + 16;
        const char **versions = realloc(lazy->versions, count * sizeof *versions);
        if (!versions)
            return elf_fail(walk->error, ELF_NO_MEMORY, "no memory for symbol versions");
        memset(versions + lazy->version_count, 0, (count - lazy->version_count) * sizeof *versions);
        lazy->versions = versions;
        lazy->version_count = count;
    }
    lazy->versions[index] = string;
    return 0;
}

/* `each` returns non-zero to stop, which is returned. */
static int each_definition(struct version_walk *walk,
                           int (*each)(struct version_walk *walk, const Elf64_Verdef *definition,
                                       uint32_t name, void *context),
                           void *context)
{
    uint64_t at = walk->image->verdef;

    for (uint64_t i = 0; at && i < walk->image->verdef_count; i++) {
        Elf64_Verdef definition;
        Elf64_Verdaux name;
        const void *record = version_record(walk, at, sizeof definition);
        if (!record)
            return -1;
        memcpy(&definition, record, sizeof definition);
        record = version_record(walk, at + definition.vd_aux, sizeof name);
        if (!record)
            return -1;
        memcpy(&name, record, sizeof name);
        int stop = each(walk, &definition, name.vda_name, context);
        if (stop)
            return stop;
        if (definition.vd_next == 0)
            break;
        at += definition.vd_next;
    }
    return 0;
}

/* The base version names the object itself, not a version. */
static int store_definition(struct version_walk *walk, const Elf64_Verdef *definition,
                            uint32_t name, void *context)
{
    (void)context;
    return definition->vd_flags & VER_FLG_BASE ? 0 : store_version(walk, definition->vd_ndx, name);
}

typedef int (*need_function)(struct version_walk *walk, const Elf64_Verneed *needs,
                             const Elf64_Vernaux *need, void *context);

static int each_need_of(struct version_walk *walk, uint64_t at, const Elf64_Verneed *needs,
                        need_function each, void *context)
{
    for (uint16_t i = 0; i < needs->vn_cnt; i++) {
        Elf64_Vernaux need;
        const void *record = version_record(walk, at, sizeof need);
        if (!record)
            return -1;
        memcpy(&need, record, sizeof need);
        int stop = each(walk, needs, &need, context);
        if (stop)
            return stop;
        if (need.vna_next == 0)
            break;
        at += need.vna_next;
    }
    return 0;
}

static int each_need(struct version_walk *walk, need_function each, void *context)
{
    uint64_t at = walk->image->verneed;

    for (uint64_t i = 0; at && i < walk->image->verneed_count; i++) {
        Elf64_Verneed needs;
        const void *record = version_record(walk, at, sizeof needs);
        if (!record)
            return -1;
        memcpy(&needs, record, sizeof needs);
        int stop = each_need_of(walk, at + needs.vn_aux, &needs, each, context);
        if (stop)
            return stop;
        if (needs.vn_next == 0)
            break;
        at += needs.vn_next;
    }
    return 0;
}

static int store_need(struct version_walk *walk, const Elf64_Verneed *needs,
                      const Elf64_Vernaux *need, void *context)
{
    (void)needs;
    (void)context;
    return store_version(walk, need->vna_other, need->vna_name);
}

int image_read_versions(const struct image *image, struct elf_error *error)
{
    struct version_walk walk = {image, error, 0};

    if (image->lazy->versions_read)
        return 0;
    if (each_definition(&walk, store_definition, NULL) || each_need(&walk, store_need, NULL))
        return -1;
    image->lazy->versions_read = true;
    return 0;
}

struct need_visit {
    int (*each)(const struct version_need *need, void *context);
    void *context;
};

static int visit_need(struct version_walk *walk, const Elf64_Verneed *needs,
                      const Elf64_Vernaux *need, void *context)
{
    const struct need_visit *visit = context;
    struct version_need found = {
        .file = image_dynamic_string(walk->image, needs->vn_file),
        .version = image_dynamic_string(walk->image, need->vna_name),
        .weak = need->vna_flags & VER_FLG_WEAK,
    };

    if (!found.file || !found.version)
        return elf_fail(walk->error, ELF_DAMAGED, "a symbol version has no name");
    return visit->each(&found, visit->context);
}

int image_version_needs(const struct image *image,
                        int (*each)(const struct version_need *need, void *context), void *context,
                        struct elf_error *error)
{
    struct version_walk walk = {image, error, 0};

    return each_need(&walk, visit_need, &(struct need_visit){each, context});
}

static int match_definition(struct version_walk *walk, const Elf64_Verdef *definition,
                            uint32_t name, void *context)
{
    const char *string = image_dynamic_string(walk->image, name);

    (void)definition;
    return string && strcmp(string, context) == 0;
}

bool image_defines_version(const struct image *image, const char *version, bool *versioned)
{
    struct elf_error ignored = {ELF_OK, ""};
    struct version_walk walk = {image, &ignored, 0};

    *versioned = image->verdef != 0;
    return each_definition(&walk, match_definition, (void *)(uintptr_t)version) == 1;
}
