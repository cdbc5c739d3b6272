/* lookup.c - see lookup.h. */
#include "cli/debug/lookup.h"

#include <stdlib.h>
#include <string.h>

#include "cli/debug/cxx_name.h"
#include "cli/debug/inlined.h"
#include "cli/debug/result_type.h"
#include "cli/output/clock.h"
#include "cli/output/output.h"
#include "cli/output/wire_name.h"
#include "elf/functions.h"
#include "resolve/resolver.h"
#include "resolve/symbol_spec.h"

#define CANDIDATES_TOLD 8
#define DWARF_TIME 1000 /* ms for one object's */
#define CLONES_LENGTH 200

/* What one function could be. */
struct possible {
    const struct lookup_object *object;
    uint64_t address;
    enum cxx_match match; /* CXX_SAME for a symbol's own name */
    char *name;           /* demangled, or the symbol's */
    const char *file;     /* of its source; lives as long as the object */
};

struct name_search {
    struct lookup *lookup;
    struct symbol_spec target;
    struct cxx_wish wish;
    bool with_cxx;
    const struct lookup_object *object; /* being searched */
    struct possible *list;
    size_t count;
};

/* -------------------------------------------------------------- searching --- */

static bool is_program(const struct name_search *search, const struct lookup_object *object)
{
    return search->lookup->has_program && object == search->lookup->mapped[0];
}

static bool object_meant(const struct name_search *search, const struct lookup_object *object)
{
    return object->info &&
           symbol_spec_object_matches(&search->target, is_program(search, object), object->path,
                                      debug_info_soname(object->info), NULL);
}

/* Return whether a process looks for functions of that name in the object. */
static bool has_functions(const struct name_search *search, const struct lookup_object *object)
{
    return object->info &&
           resolver_has_functions(&search->target, is_program(search, object), object->path,
                                  debug_info_soname(object->info), NULL);
}

/* Add a function. Several names of one address are one function, also the same name from several tables. */
static void keep(struct name_search *search, const struct debug_function *function,
                 enum cxx_match match, char *name)
{
    for (size_t i = 0; i < search->count; i++) {
        struct possible *candidate = &search->list[i];

        if (candidate->object != search->object || candidate->address != function->address)
            continue;
        if (match > candidate->match)
            candidate->match = match;
        free(name);
        return;
    }
    search->list = reallocate(search->list, (search->count + 1) * sizeof(*search->list));
    search->list[search->count++] = (struct possible){
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
            symbol_spec_object_matches(&search->target, is_program(search, object), object->path,
                                       debug_info_soname(object->info), space))
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
    return !*search->target.object && !is_program(search, search->object) &&
           program_has_function(search);
}

/* Return whether the process finds the target itself; keep the candidates of the first object with such a
 * symbol. */
static bool known_to_process(struct name_search *search)
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
        if (has_functions(search, search->object))
            debug_info_dwarf_functions(search->object->info, search->target.name, DWARF_TIME,
                                       take_function, search);
    }
}

static void search_objects(struct name_search *search)
{
    const struct lookup *lookup = search->lookup;

    for (size_t i = 0; i < lookup->mapped_count; i++) {
        search->object = lookup->mapped[i];
        if (!object_meant(search, search->object))
            continue;
        search_in(search);
        /* Without an OBJECT the program's own function is meant before any library's. */
        if (is_program(search, search->object) && search->count && !*search->target.object)
            break;
    }
    if (search->count == 0)
        search_dwarf(search);
}

/* Drop all candidates but those that fit best. */
static enum cxx_match keep_best(struct name_search *search)
{
    enum cxx_match best = CXX_OTHER;

    for (size_t i = 0; i < search->count; i++)
        if (search->list[i].match > best)
            best = search->list[i].match;
    drop_below(search, best);
    return best;
}

static bool name_search_begin(struct name_search *search, struct lookup *lookup, const char *text)
{
    *search = (struct name_search){.lookup = lookup};
    if (symbol_spec_parse(text, &search->target) != 0 || *search->target.version ||
        search->target.by_offset)
        return false;
    cxx_wish_make(&search->wish, search->target.name);
    search->with_cxx = strncmp(search->target.name, "_Z", 2) != 0;
    return true;
}

static void name_search_end(struct name_search *search)
{
    drop_all(search);
    free(search->list);
    cxx_wish_free(&search->wish);
}

/* ---------------------------------------------------------------- telling --- */

static char *candidates_text(struct name_search *search)
{
    char *text = format_text("%s", "");

    for (size_t i = 0; i < search->count && i < CANDIDATES_TOLD; i++) {
        const struct possible *candidate = &search->list[i];
        const char *slash = strrchr(candidate->object->path, '/');
        const char *source = debug_info_source(candidate->object->info, candidate->address);
        char *longer = format_text("%s%s%s%s%s at %s+0x%llx", text, i ? ", " : "", candidate->name,
                                   source ? "@" : "", source ? source : "",
                                   slash ? slash + 1 : candidate->object->path,
                                   (unsigned long long)candidate->address);

        free(text);
        text = longer;
    }
    if (search->count > CANDIDATES_TOLD) {
        char *longer = format_text("%s and %zu more", text, search->count - CANDIDATES_TOLD);

        free(text);
        text = longer;
    }
    return text;
}

static int refuse_candidates(struct name_search *search, const char *target, enum cxx_match best,
                             struct refusal *why)
{
    char *text = candidates_text(search);

    if (best == CXX_OVERLOAD)
        refuse(why, HP_NO_TARGET, "there is no %s, but %s", target, text);
    else
        refuse(why, HP_AMBIGUOUS, "%s could be %zu functions: %s", target, search->count, text);
    free(text);
    return -1;
}

/* The process knows libraries by soname or by the name they were opened by, which a link may be. */
static char *key_make(const struct name_search *search, const char *target)
{
    const struct possible *found = &search->list[0];
    const struct lookup_object *object = found->object;
    const char *slash = strrchr(object->path, '/'), *soname = debug_info_soname(object->info);
    const char *build_id = debug_info_build_id(object->info);
    char *name = wire_encode(is_program(search, object) ? "exe"
                             : soname                   ? soname
                             : slash                    ? slash + 1
                                                        : object->path);
    char *spelled = wire_encode(target);
    char *key = format_text("at=%s@%s+0x%llx=%s", name, *build_id ? build_id : "-",
                            (unsigned long long)found->address, spelled);

    free(name);
    free(spelled);
    return key;
}

/* Search the debug information for a target that the process does not find itself. */
static void search_unknown(struct name_search *search)
{
    if (!known_to_process(search))
        search_objects(search);
}

int lookup_target(struct lookup *lookup, const char *target, char **key, struct refusal *why)
{
    struct name_search search;
    enum cxx_match best;
    int result = 0;

    *key = NULL;
    if (!name_search_begin(&search, lookup, target))
        return 0;
    if (!known_to_process(&search)) {
        search_objects(&search);
        best = keep_best(&search);
        if (search.count > 1 || best == CXX_OVERLOAD)
            result = refuse_candidates(&search, target, best, why);
        else if (search.count == 1)
            result = 1;
        if (result == 1)
            *key = key_make(&search, target);
    }
    name_search_end(&search);
    return result;
}

size_t lookup_address(struct lookup *lookup, const char *target, uint64_t *address,
                      struct refusal *why)
{
    struct name_search search;
    enum cxx_match best;
    size_t count;

    if (!name_search_begin(&search, lookup, target))
        return 0;
    search_objects(&search);
    best = keep_best(&search);
    count = best == CXX_OVERLOAD ? 0 : search.count;
    if (count)
        *address = search.list[0].address;
    if (search.count && (count > 1 || best == CXX_OVERLOAD))
        refuse_candidates(&search, target, best, why);
    name_search_end(&search);
    return count;
}

static int take_clone(const struct debug_function *function, void *context)
{
    char **text = context;
    char *longer = format_text("%s%s%s", *text ? *text : "", *text ? ", " : "", function->name);

    free(*text);
    *text = longer;
    return strlen(longer) > CLONES_LENGTH;
}

/* "f.constprop.0, f.part.0", malloc'd: they have code of their own. NULL: there are none. */
static char *clones_of(const struct lookup_object *object, const char *name)
{
    char *text = NULL;

    debug_info_clones(object->info, name, take_clone, &text);
    return text;
}

/* Of an import the calls are what is switched, and a C library's debug information is large. */
static bool worth_telling(const struct name_search *search)
{
    return search->count == 1 && search->list[0].match == CXX_SAME &&
           has_functions(search, search->list[0].object);
}

char *lookup_inlined(struct lookup *lookup, const char *target, unsigned budget)
{
    struct name_search search;
    char *text = NULL, *into, *clones;

    if (!name_search_begin(&search, lookup, target))
        return NULL;
    search_unknown(&search);
    keep_best(&search);
    if (worth_telling(&search)) {
        into = inlined_into(search.list[0].object->info, search.list[0].address, budget);
        clones = clones_of(search.list[0].object, search.target.name);
        if (into || clones)
            text = format_text("%s was %s%s%s%s%s; these keep the old code", target,
                               into ? "inlined into: " : "", into ? into : "",
                               into && clones ? ", and " : "", clones ? "cloned as: " : "",
                               clones ? clones : "");
        free(into);
        free(clones);
    }
    name_search_end(&search);
    return text;
}

char *lookup_copies(struct lookup *lookup, const char *path, uint64_t address, uint64_t until)
{
    uint64_t now = now_ms();

    for (size_t i = 0; now < until && i < lookup->mapped_count; i++)
        if (lookup->mapped[i]->info && strcmp(lookup->mapped[i]->path, path) == 0)
            return inlined_into(lookup->mapped[i]->info, address, (unsigned)(until - now));
    return NULL;
}

/* Find the library that defines a function which the program has not; false: another kind of slot is meant. */
static bool find_defining_library(struct name_search *search)
{
    const struct lookup *lookup = search->lookup;

    if (*search->target.object || *search->target.file || is_declared(search))
        return false;
    for (size_t i = 0; i < lookup->mapped_count && search->count == 0; i++) {
        search->object = lookup->mapped[i];
        if (search->object->info)
            debug_info_own_named(search->object->info, search->target.name, take_exported, search);
    }
    return search->count == 1 && !is_program(search, search->list[0].object) &&
           !program_has_function(search);
}

char *lookup_self_calls(struct lookup *lookup, const char *target)
{
    struct name_search search;
    char *text = NULL;

    if (!name_search_begin(&search, lookup, target))
        return NULL;
    if (find_defining_library(&search)) {
        struct lookup_object *object = (struct lookup_object *)search.list[0].object;
        const char *soname = debug_info_soname(object->info);
        const char *slash = strrchr(object->path, '/');
        const char *name = soname ? soname : slash ? slash + 1 : object->path;

        if (!object->self_calls_tried)
            object->self_calls = self_calls_open(debug_info_file(object->info));
        object->self_calls_tried = true;
        if (object->self_calls && self_calls_reach(object->self_calls, search.list[0].address))
            text =
                format_text("%s: calls through imports switch; %s's own calls keep the old code; "
                            "%s:%s reaches both",
                            target, name, name, target);
    }
    name_search_end(&search);
    return text;
}

char *lookup_unfit_result(struct lookup *lookup, const char *target)
{
    struct name_search search;
    char *text = NULL;

    if (!name_search_begin(&search, lookup, target))
        return NULL;
    search_unknown(&search);
    keep_best(&search);
    if (search.count == 1 && search.list[0].match == CXX_SAME)
        text = result_type_unfit(search.list[0].object->info, search.list[0].address);
    name_search_end(&search);
    return text;
}

/* Return why there is no such function in the object, or NULL. */
static char *absent_in(const struct lookup_object *object, const char *target, const char *name,
                       unsigned budget)
{
    char *clones = clones_of(object, name), *into = NULL, *text = NULL;

    if (clones)
        text = format_text("%s has no code of its own: there is %s", target, clones);
    else if ((into = inlined_everywhere(object->info, name, budget)))
        text = format_text("%s has no code of its own: the compiler inlined it%s%s", target,
                           *into ? " into " : "", into);
    free(clones);
    free(into);
    return text;
}

char *lookup_absent(struct lookup *lookup, const char *target, unsigned budget)
{
    struct name_search search;
    char *text = NULL;

    if (!name_search_begin(&search, lookup, target))
        return NULL;
    search_unknown(&search);
    for (size_t i = 0; i < lookup->mapped_count && search.count == 0 && !text; i++) {
        const struct lookup_object *object = lookup->mapped[i];

        if (has_functions(&search, object))
            text = absent_in(object, target, search.target.name, budget);
    }
    name_search_end(&search);
    return text;
}
