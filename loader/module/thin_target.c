/* thin_target.c - see thin_target.h. */
#include "loader/module/thin_target.h"

#include <string.h>
#include <strings.h>

#include "base/sys.h"
#include "elf/thin_file.h"
#include "loader/module/thin_kept.h"
#include "loader/objects/object.h"
#include "loader/objects/scope.h"

/* ---- finding ---- */

static bool may_be_target(const struct object *object)
{
    return object->image && !object->is_ours && !object->is_vdso && !object->module;
}

struct object *thin_target_find(const struct thin_file *file, const char *path, struct refusal *why)
{
    struct object *found = NULL, *named = NULL;

    if (!*file->build_id) {
        refuse(why, HP_BUILD_ID, "%s: it is for %s, which was built without a build-id", path,
               file->target);
        return NULL;
    }
    for (struct object *o = objects_first(); o; o = o->next) {
        bool of_name = may_be_target(o) && strcmp(o->base, file->target) == 0;

        if (of_name && !named)
            named = o;
        if (may_be_target(o) && strcasecmp(o->build_id, file->build_id) == 0 &&
            (!found || (of_name && strcmp(found->base, file->target) != 0)))
            found = o;
    }
    if (!found && named)
        refuse(why, HP_BUILD_ID, "%s is for build %s of %s, and build %s is running", path,
               file->build_id, file->target, *named->build_id ? named->build_id : "(without id)");
    else if (!found)
        refuse(why, HP_BUILD_ID, "%s is for build %s of %s, which is not in the process", path,
               file->build_id, file->target);
    return found;
}

/* ---- description ---- */

struct tls_search {
    const struct object *object;
    struct thin_host *host;
};

/* Return whether the object's flags say that its thread-locals have fixed offsets (DF_STATIC_TLS, gABI). */
static bool says_static_tls(const struct object *object)
{
    for (size_t i = 0; i < object->phnum; i++) {
        const ElfW(Phdr) *segment = &object->phdr[i];
        const ElfW(Dyn) *d = (const ElfW(Dyn) *)(object->bias + segment->p_vaddr);

        for (size_t n = segment->p_type == PT_DYNAMIC ? segment->p_memsz / sizeof(*d) : 0;
             n > 0 && d->d_tag != DT_NULL; n--, d++)
            if (d->d_tag == DT_FLAGS)
                return d->d_un.d_val & DF_STATIC_TLS;
    }
    return false;
}

/* The offset of the first thread-local from the thread pointer is the same in every thread; it is read in this one. */
static int take_tls(struct dl_phdr_info *info, size_t size, void *context)
{
    struct tls_search *search = context;

    (void)size;
    if (info->dlpi_phdr != search->object->phdr || info->dlpi_addr != search->object->bias)
        return 0;
    search->host->tls_module = info->dlpi_tls_modid;
    search->host->tls_is_static =
        info->dlpi_tls_data && (search->object->is_program || says_static_tls(search->object));
    if (search->host->tls_is_static)
        search->host->tls_offset = (int64_t)((uintptr_t)info->dlpi_tls_data - sys_thread());
    return 1;
}

/*
 * A definition of the shim stands before libc's for the whole program: it is found first without file and version, as
 * the program's own symbols are.
 */
static bool find_for_target(void *context, const char *name, const char *version,
                            struct thin_definition *out)
{
    struct image_symbol symbol;
    struct object *object = scope_find(context, name, version, &symbol);

    *out = (struct thin_definition){0};
    if (!object)
        return false;
    if (object->is_program || object->is_ours)
        return true;
    out->file = object->soname ? object->soname : object->path;
    out->version = symbol.version;
    return true;
}

static bool find_in_kept(void *context, const char *key, uint64_t *at)
{
    const struct object *object = context;

    return thin_kept_find(object->build_id, key, at);
}

void thin_target_describe(struct object *object, struct thin_host *host)
{
    struct tls_search search = {object, host};

    *host = (struct thin_host){.bias = object->bias,
                               .begin = object->begin,
                               .end = object->end,
                               .definition = find_for_target,
                               .kept = find_in_kept,
                               .context = object};
    if (!object->is_program)
        host->needed = object->soname ? object->soname : object->path;
    dl_iterate_phdr(take_tls, &search);
}
