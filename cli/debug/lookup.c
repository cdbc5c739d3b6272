/* lookup.c - see lookup.h. */
#include "cli/debug/lookup.h"

#include <stdlib.h>
#include <string.h>

#include "cli/debug/inlined.h"
#include "cli/debug/name_search.h"
#include "cli/debug/result_type.h"
#include "cli/output/clock.h"
#include "cli/output/output.h"
#include "cli/output/wire_name.h"

#define CANDIDATES_TOLD 8
#define CLONES_LENGTH 200

static char *candidates_text(struct name_search *search)
{
    char *text = format_text("%s", "");

    for (size_t i = 0; i < search->count && i < CANDIDATES_TOLD; i++) {
        const struct name_candidate *candidate = &search->list[i];
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
    const struct name_candidate *found = &search->list[0];
    const struct lookup_object *object = found->object;
    const char *slash = strrchr(object->path, '/'), *soname = debug_info_soname(object->info);
    const char *build_id = debug_info_build_id(object->info);
    char *name = wire_encode(name_search_is_program(search, object) ? "exe"
                             : soname                               ? soname
                             : slash                                ? slash + 1
                                                                    : object->path);
    char *spelled = wire_encode(target);
    char *key = format_text("at=%s@%s+0x%llx=%s", name, *build_id ? build_id : "-",
                            (unsigned long long)found->address, spelled);

    free(name);
    free(spelled);
    return key;
}

int lookup_target(struct lookup *lookup, const char *target, char **key, struct refusal *why)
{
    struct name_search search;
    enum cxx_match best;
    int result = 0;

    *key = NULL;
    if (!name_search_begin(&search, lookup, target))
        return 0;
    if (!name_search_known(&search)) {
        name_search_objects(&search);
        best = name_search_keep_best(&search);
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
    name_search_objects(&search);
    best = name_search_keep_best(&search);
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
           name_search_has_functions(search, search->list[0].object);
}

char *lookup_inlined(struct lookup *lookup, const char *target, unsigned budget)
{
    struct name_search search;
    char *text = NULL, *into, *clones;

    if (!name_search_begin(&search, lookup, target))
        return NULL;
    name_search_unknown(&search);
    name_search_keep_best(&search);
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

char *lookup_self_calls(struct lookup *lookup, const char *target)
{
    struct name_search search;
    char *text = NULL;

    if (!name_search_begin(&search, lookup, target))
        return NULL;
    if (name_search_defining_library(&search)) {
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
    name_search_unknown(&search);
    name_search_keep_best(&search);
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
    name_search_unknown(&search);
    for (size_t i = 0; i < lookup->mapped_count && search.count == 0 && !text; i++) {
        const struct lookup_object *object = lookup->mapped[i];

        if (name_search_has_functions(&search, object))
            text = absent_in(object, target, search.target.name, budget);
    }
    name_search_end(&search);
    return text;
}
