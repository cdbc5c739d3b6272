/*
 * scope.c - see scope.h.
 *
 * ld.so does not report scopes, but they follow from DT_NEEDED. The list of dl_iterate_phdr(3) begins with the global
 * scope: the program, preloaded objects, and needed objects in breadth-first order. Objects that were opened by
 * dlopen(3) come after. Only objects that need them search them. (An object that was opened with RTLD_GLOBAL is
 * searched last here, after all others.)
 */
#include "loader/objects/scope.h"

#include <string.h>

enum { DEPTH_MAX = 64 };

static bool answers_to(const struct object *object, const char *needed)
{
    return (object->soname && strcmp(object->soname, needed) == 0) ||
           strcmp(object->base, needed) == 0 || strcmp(object->path, needed) == 0;
}

static struct object *object_named(const char *needed)
{
    for (struct object *o = objects_first(); o; o = o->next)
        if (!o->module && answers_to(o, needed))
            return o;
    return NULL;
}

struct versioned {
    const char *version;
    struct image_symbol *symbol;
};

static int match_version(const struct image_symbol *symbol, void *context)
{
    const struct versioned *wanted = context;

    if (!symbol->version || strcmp(symbol->version, wanted->version) != 0)
        return 0;
    *wanted->symbol = *symbol;
    return 1;
}

bool scope_image_defines(const struct image *image, const char *name, const char *version,
                         struct image_symbol *symbol)
{
    struct versioned wanted = {version, symbol};
    struct elf_error error;

    if (!image_symbol(image, name, symbol) || !symbol->dynamic)
        return false;
    if (!version || !symbol->version || strcmp(version, symbol->version) == 0)
        return true;
    return image_symbols_named(image, name, match_version, &wanted, &error) ==
           1; /* an old version defines it */
}

/* Return whether the object defines the symbol. Patches are not found by name, and ld.so does not search the vDSO. */
static bool defines(const struct object *object, const char *name, const char *version,
                    struct image_symbol *symbol)
{
    return object->image && !object->module && !object->is_vdso &&
           scope_image_defines(object->image, name, version, symbol);
}

static bool needs(const struct object *user, const struct object *object)
{
    const char *needed;

    if (!user->image)
        return false;
    for (size_t i = 0; (needed = image_needed(user->image, i)) != NULL; i++)
        if (answers_to(object, needed))
            return true;
    return false;
}

static bool is_global(const struct object *object)
{
    if (object->is_program)
        return true;
    for (struct object *user = objects_first(); user && user != object; user = user->next)
        if (user->global && needs(user, object))
            return true;
    return false;
}

/* Mark the objects of the global scope, in list order: a user is examined before the objects that it needs. */
static void mark_global(void)
{
    for (struct object *o = objects_first(); o; o = o->next)
        o->global = is_global(o);
    /* Preloaded objects come directly after the program, before the objects that it needs. */
    for (struct object *o = objects_first(); o; o = o->next) {
        if (o->global && !o->is_program)
            break;
        o->global = true;
    }
}

static struct object *find_needed(const struct image *user, const char *name, const char *version,
                                  struct image_symbol *symbol, int depth)
{
    const char *needed;

    if (!user || depth > DEPTH_MAX)
        return NULL;
    for (size_t i = 0; (needed = image_needed(user, i)) != NULL; i++) {
        struct object *object = object_named(needed);

        if (object && !object->global && defines(object, name, version, symbol))
            return object;
    }
    for (size_t i = 0; (needed = image_needed(user, i)) != NULL; i++) {
        struct object *object = object_named(needed);
        struct object *found = object && !object->global
                                   ? find_needed(object->image, name, version, symbol, depth + 1)
                                   : NULL;

        if (found)
            return found;
    }
    return NULL;
}

static struct object *find_global(const char *name, const char *version,
                                  struct image_symbol *symbol)
{
    if (objects_changed_since_scope())
        mark_global();
    for (struct object *o = objects_first(); o; o = o->next)
        if (o->global && defines(o, name, version, symbol))
            return o;
    return NULL;
}

static struct object *find_other(const char *name, const char *version, struct image_symbol *symbol)
{
    for (struct object *o = objects_first(); o; o = o->next)
        if (!o->global && defines(o, name, version, symbol))
            return o;
    return NULL;
}

struct object *scope_find(struct object *importer, const char *name, const char *version,
                          struct image_symbol *symbol)
{
    struct object *found = find_global(name, version, symbol);

    if (found)
        return found;
    if (!importer->global && defines(importer, name, version, symbol))
        return importer;
    found = find_needed(importer->image, name, version, symbol, 0);
    return found ? found : find_other(name, version, symbol);
}

enum scope_answer scope_supplies(const struct image *user, const char *name, const char *version)
{
    struct image_symbol symbol;

    if (find_global(name, version, &symbol) || find_needed(user, name, version, &symbol, 0))
        return SCOPE_YES;
    return find_other(name, version, &symbol) ? SCOPE_PERHAPS : SCOPE_NO;
}

const struct image *scope_library(const char *needed)
{
    const struct object *object = object_named(needed);

    return object ? object->image : NULL;
}
