/* resolver.c - see resolver.h. */
#include "resolve/resolver.h"

#include <string.h>

#include "elf/functions.h"

enum { ADDRESSES_MAX = 16 };

/* ---- the choice ---- */

bool resolver_may_be_declared(const struct symbol_spec *spec)
{
    return !*spec->file && !*spec->version && !spec->by_offset;
}

bool resolver_has_functions(const struct symbol_spec *spec, bool is_program, const char *path,
                            const char *soname, const char *name_space)
{
    if (!*spec->object)
        return is_program;
    return symbol_spec_object_matches(spec, is_program, path, soname, name_space);
}

bool resolver_version_matches(const struct symbol_spec *spec, const char *version)
{
    return !*spec->version || (version && strcmp(version, spec->version) == 0);
}

static struct resolver_choice choose_import(const struct symbol_spec *spec,
                                            const struct resolver_source *source, void *context)
{
    size_t count = source->imports(spec, RESOLVER_DEFINER, context);

    if (count == 0 && *spec->object)
        count = source->imports(spec, RESOLVER_IMPORTER, context);
    return (struct resolver_choice){count ? RESOLVER_IMPORT : RESOLVER_NOTHING, count};
}

struct resolver_choice resolver_choose(const struct symbol_spec *spec,
                                       const struct resolver_source *source, void *context)
{
    size_t count = resolver_may_be_declared(spec) ? source->declared(spec, context) : 0;
    bool given;

    if (count > 0)
        return (struct resolver_choice){RESOLVER_DECLARED, count};
    given = source->place(spec, &count, context);
    if (!given)
        count = source->functions(spec, context);
    if (count > 1 || (count == 1 && source->patchable(context)))
        return (struct resolver_choice){RESOLVER_FUNCTION, count};
    if (given || *spec->file || spec->by_offset)
        return (struct resolver_choice){RESOLVER_NOTHING, 0};
    return choose_import(spec, source, context);
}

/* ---- functions of one object ---- */

struct function_search {
    const struct symbol_spec *spec;
    bool defaults_only;
    resolver_function_visit *each;
    void *context;
    uint64_t addresses[ADDRESSES_MAX]; /* of the first functions */
    size_t count;                      /* may exceed the array */
};

static bool is_alias(const struct function_search *search, uint64_t address)
{
    for (size_t i = 0; i < search->count && i < ADDRESSES_MAX; i++)
        if (search->addresses[i] == address)
            return true;
    return false;
}

static int consider_function(const struct function *function, void *context)
{
    struct function_search *search = context;
    const char *file = search->spec->file;

    if (*file && (!function->file || strcmp(function->file, file) != 0))
        return 0;
    if (!resolver_version_matches(search->spec, function->version) ||
        (search->defaults_only && function->version && !function->default_version) ||
        is_alias(search, function->address))
        return 0;
    if (search->count < ADDRESSES_MAX)
        search->addresses[search->count] = function->address;
    search->count++;
    search->each(function, search->context);
    return 0;
}

size_t resolver_functions(struct functions *functions, uint64_t start,
                          const struct symbol_spec *spec, resolver_function_visit *each,
                          void *context)
{
    struct function_search search = {spec, .defaults_only = true, .each = each, .context = context};
    struct function at;

    if (spec->by_offset) {
        if (!resolver_function_at(functions, start, spec->offset, false, &at))
            return 0;
        each(&at, context);
        return 1;
    }
    functions_named(functions, spec->name, consider_function, &search);
    if (search.count == 0) {
        search.defaults_only = false;
        functions_named(functions, spec->name, consider_function, &search);
    }
    return search.count;
}

bool resolver_function_at(struct functions *functions, uint64_t start, uint64_t offset, bool known,
                          struct function *out)
{
    uint64_t address = offset < start ? offset + start : offset;

    if (function_begins_at(functions, address, out))
        return true;
    if (!known || !function_around(functions, address, out))
        return false;
    out->size -= address - out->address;
    out->address = address;
    out->name = NULL;
    return true;
}
