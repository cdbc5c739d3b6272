/* module.c - see module.h. */
#include "loader/module/module.h"

#include <stdlib.h>
#include <string.h>

#include "base/sys.h"
#include "base/text.h"
#include "loader/module/module_request.h"
#include "loader/module/needed.h"
#include "loader/module/thin_state.h"
#include "loader/objects/object.h"
#include "loader/slots/injection.h"
#include "loader/slots/slot.h"

static struct module *first;

/* ---- the list ---- */

struct module *module_first(void)
{
    return first;
}

void module_keep(struct module *module)
{
    struct module **end = &first;

    while (*end)
        end = &(*end)->next;
    module->next = NULL;
    *end = module;
}

void module_unlist(struct module *module)
{
    for (struct module **place = &first; *place; place = &(*place)->next) {
        if (*place == module) {
            *place = module->next;
            return;
        }
    }
}

static struct module *module_of_file(const char *loaded_as)
{
    for (struct module *m = first; m; m = m->next)
        if (m->loaded_as && strcmp(m->loaded_as, loaded_as) == 0)
            return m;
    return NULL;
}

static void object_came(struct object *object)
{
    object->module = module_of_file(object->path);
    if (object->module)
        object->module->object = object;
}

static void object_gone(struct object *object)
{
    if (object->module && object->module->object == object)
        object->module->object = NULL;
}

void modules_register(void)
{
    static struct object_callbacks callbacks = {.came = object_came, .gone = object_gone};

    objects_register(&callbacks);
}

size_t module_file_size(const struct module *module)
{
    return module->thin ? module->thin->file_size : module->size;
}

bool module_is_same(const struct module *a, const struct module *b)
{
    return !a->injection && !b->injection && module_file_size(a) == module_file_size(b) &&
           strcmp(a->sha256, b->sha256) == 0 && strcmp(a->name, b->name) == 0 &&
           text_same(a->origin, b->origin) && module_same_request(a, b);
}

void module_go_on(struct module *again)
{
    struct module *live = again->unchanged;

    live->file = again->file;
    if (strcmp(live->path, again->path) == 0)
        return;
    free(live->path);
    live->path = again->path;
    again->path = NULL;
}

void module_forget_doubts(struct module *module)
{
    while (module->doubts) {
        struct doubt *doubt = module->doubts;

        module->doubts = doubt->next;
        free(doubt->path);
        free(doubt->name);
        free(doubt->version);
        free(doubt);
    }
}

void module_forget_file(struct module *module)
{
    needed_free(module->needed);
    module->needed = NULL;
    module_forget_doubts(module);
    image_close(module->image);
    module->image = NULL;
    thin_module_forget_file(module->thin);
    free(module->bytes);
    module->bytes = NULL;
}

struct replacement *module_add_replacement(struct module *module, const char *target,
                                           const char *signature)
{
    struct replacement *replacements =
        realloc(module->replacements, (module->replacement_count + 1) * sizeof(*replacements));
    struct replacement *replacement;

    if (!replacements)
        return NULL;
    module->replacements = replacements;
    replacement = &replacements[module->replacement_count];
    *replacement =
        (struct replacement){.target = text_copy(target), .signature = text_copy(signature)};
    module->replacement_count++; /* module_free() then frees the copied strings */
    return replacement->target && (!signature || replacement->signature) ? replacement : NULL;
}

static void free_slots(struct slot *list)
{
    while (list) {
        struct slot *next = list->next;

        slot_free(list);
        list = next;
    }
}

void module_free(struct module *module)
{
    if (!module)
        return;
    module_forget_file(module);
    if (module->injection)
        injection_end(module->injection);
    thin_module_free(module->thin);
    free_slots(module->own_slots);
    for (size_t i = 0; i < module->replacement_count; i++) {
        free(module->replacements[i].target);
        free(module->replacements[i].signature);
    }
    for (size_t i = 0; i < module->target_count; i++) {
        free(module->targets[i].object);
        free(module->targets[i].build_id);
    }
    module_free_request(module);
    free(module->replacements);
    free(module->callers_in);
    free(module->targets);
    free(module->name);
    free(module->version);
    free(module->path);
    free(module->snapshot);
    free(module->loaded_as);
    free(module->origin);
    free(module->build_id);
    free(module->name_space);
    free(module);
}

bool module_file_changed(const struct module *module)
{
    struct stat now;
    const struct stat *then = &module->file;

    if (sys_fstatat(AT_FDCWD, module->path, &now, 0) != 0)
        return false;
    return now.st_dev != then->st_dev || now.st_ino != then->st_ino ||
           now.st_size != then->st_size || now.st_mtim.tv_sec != then->st_mtim.tv_sec ||
           now.st_mtim.tv_nsec != then->st_mtim.tv_nsec ||
           now.st_ctim.tv_sec != then->st_ctim.tv_sec ||
           now.st_ctim.tv_nsec != then->st_ctim.tv_nsec;
}
