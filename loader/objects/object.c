/*
 * object.c - see object.h.
 *
 * No function of this file may call dlopen, dlsym or dlclose. They wait for ld.so's load lock, which a host thread
 * holds for as long as the constructor of a library runs.
 */
#include "loader/objects/object.h"

#include <stdlib.h>
#include <string.h>

#include "base/machine.h"
#include "base/text.h"

/* The registered layers, in the order of registration. */
static struct object_callbacks *layers, **layers_end = &layers;
static const char *program_path = "";
static struct object *first;
static struct object **end = &first; /* after the last object */
/* Objects of modules that are no longer applied. There may be thousands. */
static struct object *retired;
static struct object **retired_end = &retired;
static size_t object_count; /* the objects of both lists */
static unsigned long long known_adds, known_subs;
static bool known;
static bool some_pending; /* ld.so lists objects that it has not yet relocated */
static bool scope_stale = true;

void objects_register(struct object_callbacks *callbacks)
{
    *layers_end = callbacks;
    layers_end = &callbacks->next;
}

void objects_name_program(const char *path)
{
    program_path = path;
}

/* ---- calls of the layers ---- */

static void tell_list_changed(void)
{
    for (const struct object_callbacks *layer = layers; layer; layer = layer->next)
        if (layer->list_changed)
            layer->list_changed();
}

static void tell_came(struct object *object)
{
    for (const struct object_callbacks *layer = layers; layer; layer = layer->next)
        if (layer->came)
            layer->came(object);
}

static void tell_stayed(struct object *object)
{
    for (const struct object_callbacks *layer = layers; layer; layer = layer->next)
        if (layer->stayed)
            layer->stayed(object);
}

static void tell_gone(struct object *object)
{
    for (const struct object_callbacks *layer = layers; layer; layer = layer->next)
        if (layer->gone)
            layer->gone(object);
}

/* Let every layer read the object. Return 0; -1 if there is no memory; 1 if ld.so has listed the object and not yet
 * relocated it. */
static int let_read(struct object *object)
{
    int result = 0;

    for (const struct object_callbacks *layer = layers; layer && result == 0; layer = layer->next)
        if (layer->read)
            result = layer->read(object);
    return result;
}

static bool all_unchanged(const struct object *object)
{
    for (const struct object_callbacks *layer = layers; layer; layer = layer->next)
        if (layer->unchanged && !layer->unchanged(object))
            return false;
    return true;
}

static int let_begin_section(void)
{
    int result = 0;

    for (const struct object_callbacks *layer = layers; layer && result == 0; layer = layer->next)
        if (layer->section)
            result = layer->section();
    return result;
}

/* ---- the lists ---- */

bool objects_changed_since_scope(void)
{
    bool stale = scope_stale;

    scope_stale = false;
    return stale;
}

struct object *objects_first(void)
{
    return first;
}

struct object *object_program(void)
{
    return first;
}

struct object *object_at(uintptr_t address)
{
    for (struct object *o = first; o; o = o->next)
        if (address >= o->begin && address < o->end)
            return o;
    for (struct object *o = retired; o; o = o->next)
        if (address >= o->begin && address < o->end)
            return o;
    return NULL;
}

static void move_to_list(struct object *object, struct object **from, struct object ***from_end,
                         struct object ***to_end)
{
    while (*from != object)
        from = &(*from)->next;
    *from = object->next;
    if (*from_end == &object->next)
        *from_end = from;
    object->next = NULL;
    **to_end = object;
    *to_end = &object->next;
}

void object_retire(struct object *object)
{
    move_to_list(object, &first, &end, &retired_end);
    image_close(object->image);
    object->image = NULL;
}

static void object_free(struct object *object)
{
    image_close(object->image);
    free(object->path);
    free(object->base);
    free(object->soname);
    free(object->name_space);
    free(object->build_id);
    free(object->problem);
    free(object);
}

static void measure(struct object *object)
{
    object->begin = UINTPTR_MAX;
    for (size_t i = 0; i < object->phnum; i++) {
        const ElfW(Phdr) *p = &object->phdr[i];

        if (p->p_type != PT_LOAD)
            continue;
        if (object->bias + p->p_vaddr < object->begin)
            object->begin = object->bias + p->p_vaddr;
        if (object->bias + p->p_vaddr + p->p_memsz > object->end)
            object->end = object->bias + p->p_vaddr + p->p_memsz;
    }
}

/* Return a hash of the program headers, which distinguishes builds that have no build-id. */
static uint64_t layout_of(const ElfW(Phdr) * phdr, size_t count)
{
    const unsigned char *bytes = (const unsigned char *)phdr;
    uint64_t hash = 14695981039346656037u; /* FNV-1a */

    for (size_t i = 0; i < count * sizeof(*phdr); i++)
        hash = (hash ^ bytes[i]) * 1099511628211u;
    return hash;
}

static bool has_soname(const struct object *object, const char *name)
{
    return strcmp(object->soname ? object->soname : object->base, name) == 0;
}

/* Return whether no word of the object is ever a slot: the engine's own libraries, ld.so, the vDSO. */
static bool is_of_engine(const struct object *object)
{
    static const char *const names[] = {"libhotpatch_preload.so",
                                        "libhotpatch_engine.so",
                                        "libelf.so.1",
                                        "libz.so.1",
                                        machine_linker,
                                        machine_vdso};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (has_soname(object, names[i]))
            return true;
    for (size_t i = 0; machine_decoder_libs[i]; i++)
        if (has_soname(object, machine_decoder_libs[i]))
            return true;
    return false;
}

static struct object *object_new(const struct dl_phdr_info *info, bool is_program)
{
    struct object *object = calloc(1, sizeof(*object));
    const char *path = is_program ? program_path : info->dlpi_name;
    struct elf_error error;

    if (!object)
        return NULL;
    object->is_program = is_program;
    object->bias = info->dlpi_addr;
    object->phdr = info->dlpi_phdr;
    object->phnum = info->dlpi_phnum;
    object->layout = layout_of(info->dlpi_phdr, info->dlpi_phnum);
    object->present = true;
    measure(object);
    object->path = text_copy(path && *path ? path : "[vdso]");
    object->base = object->path ? text_copy(text_base_name(object->path)) : NULL;
    if (image_open_mapped(&object->image, info, &error) == 0) {
        const char *soname = image_soname(object->image);

        object->soname = text_copy(soname);
        object->build_id = text_copy(image_build_id(object->image));
    } else {
        object->problem = text_copy(error.text);
        object->build_id = text_copy("");
    }
    if (!object->path || !object->base || !object->build_id) {
        object_free(object);
        return NULL;
    }
    object->is_ours = is_of_engine(object);
    object->is_vdso = has_soname(object, machine_vdso);
    tell_came(object);
    return object;
}

void object_restore(struct object *object)
{
    struct dl_phdr_info info = {.dlpi_addr = object->bias,
                                .dlpi_name = object->path,
                                .dlpi_phdr = object->phdr,
                                .dlpi_phnum = object->phnum};
    struct elf_error error;

    move_to_list(object, &retired, &retired_end, &end);
    if (image_open_mapped(&object->image, &info, &error) == 0)
        tell_list_changed();
}

static bool is_there(const struct object *object, const struct dl_phdr_info *info)
{
    return object->bias == info->dlpi_addr && object->phdr == info->dlpi_phdr &&
           (object->is_program || !info->dlpi_name[0] ||
            strcmp(object->path, info->dlpi_name) == 0);
}

/* Return whether the object at the same place is of the same build. A library that is closed and opened again is often
 * mapped at its old place, perhaps rebuilt. */
static bool is_of_same_build(const struct object *object, const struct dl_phdr_info *info)
{
    struct image *image;
    struct elf_error error;
    bool same;

    if (object->phnum != info->dlpi_phnum ||
        object->layout != layout_of(info->dlpi_phdr, info->dlpi_phnum))
        return false;
    if (image_open_mapped(&image, info, &error) != 0)
        return object->image == NULL;
    same = strcmp(image_build_id(image), object->build_id) == 0;
    image_close(image);
    return same;
}

/* Return whether ld.so's object is the known object. Patches and the engine's own objects are never unmapped while they
 * are known. */
static bool is_same(const struct object *object, const struct dl_phdr_info *info)
{
    return is_there(object, info) && (object->is_program || object->is_ours || object->module ||
                                      (is_of_same_build(object, info) && all_unchanged(object)));
}

static void set_present(bool present)
{
    for (struct object *o = first; o; o = o->next)
        o->present = present;
    for (struct object *o = retired; o; o = o->next)
        o->present = present;
}

struct refresh {
    bool counted;
    bool failed;
    bool whole;  /* every object is examined, not only those that ld.so has added */
    size_t skip; /* the first `skip` objects of ld.so's list are known and still mapped */
    size_t seen;
    struct object **last;        /* where the next object in ld.so's order is linked in */
    struct object *next_retired; /* the successor of the retired object that was found last */
};

/* Return whether there is anything to do. If ld.so has removed no object, its list has only grown at its end. Then only
 * the new objects are examined: a process with thousands of reverted patches does not examine each of them at every
 * request. */
static bool begin_refresh(struct refresh *refresh, const struct dl_phdr_info *info)
{
    refresh->counted = true;
    refresh->whole = !known || some_pending || info->dlpi_subs != known_subs;
    if (!refresh->whole && info->dlpi_adds == known_adds)
        return false;
    some_pending = false;
    scope_stale = true;
    tell_list_changed();
    known_adds = info->dlpi_adds;
    known_subs = info->dlpi_subs;
    if (refresh->whole) {
        set_present(false);
        refresh->last = &first;
        refresh->next_retired = retired;
    } else {
        refresh->skip = object_count;
        refresh->last = end;
    }
    return true;
}

/* Read once what the object declares. The declarations of a patch are known from its file already, and its transaction
 * places them. */
static int read_declared(struct object *object)
{
    int result;

    if (object->slots_read || object->is_ours || object->module)
        return 0;
    result = let_read(object);
    object->slots_read = result == 0;
    some_pending |= result > 0;
    return result < 0 ? -1 : 0;
}

/* Return the retired object that ld.so's entry describes, or NULL. The entries usually come in the order of
 * retirement. */
static struct object *find_retired(struct refresh *refresh, const struct dl_phdr_info *info)
{
    struct object *found = refresh->next_retired;

    if (!found || !is_there(found, info))
        for (found = retired; found && !is_there(found, info);)
            found = found->next;
    if (found)
        refresh->next_retired = found->next;
    return found;
}

static int visit_object(struct dl_phdr_info *info, size_t size, void *context)
{
    struct refresh *refresh = context;
    struct object **place;
    struct object *object, *retired_object;

    (void)size;
    if (!refresh->counted && !begin_refresh(refresh, info))
        return 1;
    if (refresh->seen++ < refresh->skip)
        return 0;
    place = refresh->last;
    while (*place && !is_same(*place, info))
        place = &(*place)->next;
    object = *place;
    if (!object && refresh->whole && (retired_object = find_retired(refresh, info)) != NULL) {
        retired_object->present = true;
        return 0;
    }
    if (object) {
        *place = object->next;
        if (!object->is_program && !object->is_ours && !object->module)
            tell_stayed(object);
    } else {
        object = object_new(info, refresh->last == &first);
        if (!object) {
            refresh->failed = true;
            return 1;
        }
    }
    if (read_declared(object) != 0)
        refresh->failed = true;
    object->present = true;
    object->next = *refresh->last;
    *refresh->last = object;
    refresh->last = &object->next;
    return 0;
}

/* Free the objects of the list that are not present. Return the end of the remaining list. */
static struct object **drop_gone(struct object **list)
{
    struct object **place = list;

    while (*place) {
        struct object *object = *place;

        if (object->present) {
            place = &object->next;
            continue;
        }
        *place = object->next;
        tell_gone(object);
        object_free(object);
    }
    return place;
}

/* Drop the objects that are gone, with ld.so's list lock held: slots of objects that are still mapped are written.
 * `*dropped` becomes false if ld.so has removed more objects since the list was examined. */
static int drop_locked(struct dl_phdr_info *info, size_t size, void *context)
{
    bool *dropped = context;

    (void)size;
    *dropped = info->dlpi_subs == known_subs;
    if (*dropped) {
        drop_gone(&first);
        retired_end = drop_gone(&retired);
    }
    return 1;
}

/* Refresh the list once. Return 0; -1 if there is no memory; 1 if ld.so's list has changed again. */
static int refresh_once(void)
{
    struct refresh refresh = {0};
    bool dropped = true;

    dl_iterate_phdr(visit_object, &refresh);
    if (refresh.failed) {
        known = false;
        set_present(true); /* the next refresh examines every object again */
        return -1;
    }
    known = true;
    if (!refresh.last)
        return 0;
    if (refresh.whole)
        dl_iterate_phdr(drop_locked, &dropped);
    if (!dropped) {
        known = false;
        return 1;
    }
    end = refresh.last;
    object_count = refresh.seen;
    return 0;
}

int objects_refresh(void)
{
    int result;

    while ((result = refresh_once()) > 0)
        ;
    return result;
}

struct locked {
    int (*body)(void *);
    void *context;
    bool stale;
    int result;
};

static int run_locked(struct dl_phdr_info *info, size_t size, void *context)
{
    struct locked *locked = context;

    (void)size;
    locked->stale = !known || info->dlpi_adds != known_adds || info->dlpi_subs != known_subs;
    if (locked->stale)
        return 1;
    locked->result = let_begin_section();
    if (locked->result == 0)
        locked->result = locked->body(locked->context);
    return 1;
}

int objects_locked(int (*body)(void *context), void *context)
{
    /* Each dl_iterate_phdr() walks ld.so's whole list. Where nothing has changed, one walk is enough. */
    struct locked locked = {.body = body, .context = context, .stale = !known || some_pending};

    do {
        if (locked.stale && objects_refresh() != 0)
            return -1;
        dl_iterate_phdr(run_locked, &locked);
    } while (locked.stale);
    return locked.result;
}
