/* name_search.c - see name_search.h. */
#include "cli/debug/name_search.h"

#include <stdlib.h>
#include <string.h>

#include "cli/output/output.h"
#include "elf/functions.h"
#include "resolve/resolver.h"

#define DWARF_TIME 1000 /* ms for one object's */

bool name_search_is_program(const struct name_search *search, const struct lookup_object *object)
{
    return search->lookup->has_program && object == search->lookup->mapped[0];
}

static bool object_meant(const struct name_search *search, const struct lookup_object *object)
{
    return object->info &&
           symbol_spec_object_matches(&search->target, name_search_is_program(search, object),
                                      object->path, debug_info_soname(object->info), NULL);
}

bool name_search_has_functions(const struct name_search *search, const struct lookup_object *object)
{
    return object->info &&
           resolver_has_functions(&search->target, name_search_is_program(search, object),
                                  object->path, debug_info_soname(object->info), NULL);
}

/* Add a function. Several names of one address are one function, also the same name from several tables. */
static void keep(struct name_search *search, const struct debug_function *function,
                 enum cxx_match match, char *name)
{
    for (size_t i = 0; i < search->count; i++) {
        struct name_candidate *candidate = &search->list[i];

        if (candidate->object != search->object || candidate->address != function->address)
            continue;
        if (match > candidate->match)
            candidate->match = match;
        free(name);
        return;
    }
    search->list = reallocate(search->list, (search->count + 1) * sizeof(*search->list));
    search->list[search->count++] = (struct name_candidate){
        .object = search->object,
        .address = function->address,
        .match = match,
        .name = name,
    };
}

/* Return whether the base names are equal. */
static bool same_file(const char *wanted, const char *file)
{
    const char *slash = strrchr(wanted, '/');

    return file && strcmp(slash ? slash + 1 : wanted, file) == 0;
}

/* Return whether the function is of the target's file: by STT_FILE, else by the compile unit, since
 * .gnu_debugdata and C++ have no STT_FILE for it. */
static bool in_file(const struct name_search *search, const struct debug_function *function)
{
    const char *wanted = search->target.file;

    return !*wanted || same_file(wanted, function->file) ||
           same_file(wanted, debug_info_source(search->object->info, function->address));
}

/* As functions_named(): what the compiler calls NAME.ifunc is the source's NAME. */
static bool has_name(const struct debug_function *function, const char *name)
{
    char buffer[FUNCTION_NAME_MAX];

    return strcmp(function->name, name) == 0 ||
           strcmp(function_source_name(function->name, buffer), name) == 0;
}

static int take_function(const struct debug_function *function, void *context)
{
    struct name_search *search = context;
    enum cxx_match match = CXX_SAME;
    char *name = NULL;

    if (has_name(function, search->target.name))
        name = format_text("%s", function->name);
    else if (!search->with_cxx ||
             (match = cxx_compare(&search->wish, function->name, &name)) == CXX_OTHER)
        return 0;
    if (in_file(search, function))
        keep(search, function, match, name);
    else
        free(name);
    return 0;
}

/* Search one object. A name that is spelled as a symbol is that symbol: no C++ name fits better. */
static void search_in(struct name_search *search)
{
    size_t before = search->count;

    debug_info_named(search->object->info, search->target.name, take_function, search);
    if (search->count == before && search->with_cxx)
        debug_info_functions(search->object->info, take_function, search);
}

/* The process finds symbols by their own names, and statics under their STT_FILE. */
static int take_own(const struct debug_function *function, void *context)
{
    struct name_search *search = context;

    if (!*search->target.file || same_file(search->target.file, function->file))
        keep(search, function, CXX_SAME, format_text("%s", function->name));
    return 0;
}

/* Imports are bound to what an object exports. */
static int take_exported(const struct debug_function *function, void *context)
{
    if (!function->local && !function->ifunc)
        keep(context, function, CXX_SAME, format_text("%s", function->name));
    return 0;
}

static bool is_declared(const struct name_search *search)
{
    const struct lookup *lookup = search->lookup;
    const char *space;

    for (size_t i = 0; i < lookup->mapped_count; i++) {
        const struct lookup_object *object = lookup->mapped[i];

        if (object->info && debug_info_declares(object->info, search->target.name, &space) &&
            symbol_spec_object_matches(&search->target, name_search_is_program(search, object),
                                       object->path, debug_info_soname(object->info), space))
            return true;
    }
    return false;
}

static void drop_below(struct name_search *search, enum cxx_match match)
{
    size_t kept = 0;

    for (size_t i = 0; i < search->count; i++) {
        if (search->list[i].match >= match)
            search->list[kept++] = search->list[i];
        else
            free(search->list[i].name);
    }
    search->count = kept;
}

static void drop_all(struct name_search *search)
{
    drop_below(search, (enum cxx_match)(CXX_SAME + 1));
}

/* The program's static function that its debug file names comes before a library's of that name,
 * which would be an import. */
static bool program_has_function(const struct name_search *search)
{
    struct name_search probe = *search;
    bool has;

    if (!search->lookup->has_program || !search->lookup->mapped[0]->info)
        return false;
    probe.list = NULL;
    probe.count = 0;
    probe.object = search->lookup->mapped[0];
    search_in(&probe);
    has = probe.count > 0;
    drop_all(&probe);
    free(probe.list);
    return has;
}

static bool program_has(const struct name_search *search)
{
    return !*search->target.object && !name_search_is_program(search, search->object) &&
           program_has_function(search);
}

bool name_search_known(struct name_search *search)
{
    const struct lookup *lookup = search->lookup;

    if (is_declared(search))
        return true;
    for (size_t i = 0; i < lookup->mapped_count && search->count == 0; i++) {
        search->object = lookup->mapped[i];
        if (object_meant(search, search->object))
            debug_info_own_named(search->object->info, search->target.name, take_own, search);
    }
    if (search->count && program_has(search))
        drop_all(search);
    return search->count > 0;
}

/* Search the DWARF of the program, or of OBJECT, for a name that no symbol has. */
static void search_dwarf(struct name_search *search)
{
    const struct lookup *lookup = search->lookup;

    for (size_t i = 0; i < lookup->mapped_count && search->count == 0; i++) {
        search->object = lookup->mapped[i];
        if (name_search_has_functions(search, search->object))
            debug_info_dwarf_functions(search->object->info, search->target.name, DWARF_TIME,
                                       take_function, search);
    }
}

void name_search_objects(struct name_search *search)
{
    const struct lookup *lookup = search->lookup;

    for (size_t i = 0; i < lookup->mapped_count; i++) {
        search->object = lookup->mapped[i];
        if (!object_meant(search, search->object))
            continue;
        search_in(search);
        /* Without an OBJECT the program's own function is meant before any library's. */
        if (name_search_is_program(search, search->object) && search->count &&
            !*search->target.object)
            break;
    }
    if (search->count == 0)
        search_dwarf(search);
}

enum cxx_match name_search_keep_best(struct name_search *search)
{
    enum cxx_match best = CXX_OTHER;

    for (size_t i = 0; i < search->count; i++)
        if (search->list[i].match > best)
            best = search->list[i].match;
    drop_below(search, best);
    return best;
}

bool name_search_begin(struct name_search *search, struct lookup *lookup, const char *text)
{
    *search = (struct name_search){.lookup = lookup};
    if (symbol_spec_parse(text, &search->target) != 0 || *search->target.version ||
        search->target.by_offset)
        return false;
    cxx_wish_make(&search->wish, search->target.name);
    search->with_cxx = strncmp(search->target.name, "_Z", 2) != 0;
    return true;
}

void name_search_end(struct name_search *search)
{
    drop_all(search);
    free(search->list);
    cxx_wish_free(&search->wish);
}

bool name_search_defining_library(struct name_search *search)
{
    const struct lookup *lookup = search->lookup;

    if (*search->target.object || *search->target.file || is_declared(search))
        return false;
    for (size_t i = 0; i < lookup->mapped_count && search->count == 0; i++) {
        search->object = lookup->mapped[i];
        if (search->object->info)
            debug_info_own_named(search->object->info, search->target.name, take_exported, search);
    }
    return search->count == 1 && !name_search_is_program(search, search->list[0].object) &&
           !program_has_function(search);
}

void name_search_unknown(struct name_search *search)
{
    if (!name_search_known(search))
        name_search_objects(search);
}
