/*
 * module.c - see module.h: reading and judging a patch's file, without running any of it.
 */
#include "loader/module/module.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/services.h"
#include "base/sha256.h"
#include "base/sys.h"
#include "base/text.h"
#include "elf/manifest.h"
#include "elf/origin.h"
#include "elf/protection.h"
#include "elf/relocations.h"
#include "elf/slot_table.h"
#include "loader/module/needed.h"
#include "loader/module/parked.h"
#include "loader/module/snapshot.h"
#include "loader/module/trust.h"
#include "loader/objects/object.h"
#include "loader/slots/declared.h"
#include "loader/slots/fault.h"
#include "resolve/elf_refusal.h"

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

/* What stays of a module that is applied no longer: mapped code that a thread may still run, and
 * nothing of ours. */
void module_retire(struct module *module)
{
    static struct module retired = {.name = (char *)"(reverted)", .path = (char *)"(reverted)"};
    struct object *object = module->object;

    module_unlist(module);
    if (object) {
        object->module = &retired;
        object_retire(object);
    }
    if (object && module->handle)
        parked_keep(module);
    module_free(module);
}

bool module_is_same(const struct module *a, const struct module *b)
{
    return !a->fault && !b->fault && a->size == b->size && strcmp(a->sha256, b->sha256) == 0 &&
           strcmp(a->name, b->name) == 0 && text_same(a->origin, b->origin) &&
           module_same_request(a, b);
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

void module_forget_file(struct module *module)
{
    needed_free(module->needed);
    module->needed = NULL;
    module_forget_doubts(module);
    image_close(module->image);
    module->image = NULL;
    free(module->bytes);
    module->bytes = NULL;
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
    if (module->fault)
        fault_end(module->fault);
    free_slots(module->own_slots);
    for (size_t i = 0; i < module->entry_count; i++) {
        free(module->entries[i].target);
        free(module->entries[i].signature);
    }
    for (size_t i = 0; i < module->target_count; i++) {
        free(module->targets[i].object);
        free(module->targets[i].build_id);
    }
    module_free_request(module);
    free(module->entries);
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

/* ---- reading ---- */

static int refuse_elf_error(const struct module *module, const struct elf_error *error,
                            struct refusal *why)
{
    return refuse(why, elf_refusal_code(error), "%s: %s", module->path, error->text);
}

static int refuse_memory(const struct module *module, struct refusal *why)
{
    return refuse(why, HP_MEMORY, "read %s: no memory", module->path);
}

static struct module_entry *add_entry(struct module *module, const char *target,
                                      const char *signature)
{
    struct module_entry *entries =
        realloc(module->entries, (module->entry_count + 1) * sizeof(*entries));
    struct module_entry *entry;

    if (!entries)
        return NULL;
    module->entries = entries;
    entry = &entries[module->entry_count];
    *entry = (struct module_entry){.target = text_copy(target), .signature = text_copy(signature)};
    module->entry_count++; /* module_free() then frees what was copied */
    return entry->target && (!signature || entry->signature) ? entry : NULL;
}

static int take_entries(struct module *module, const struct manifest *manifest)
{
    for (size_t i = 0; i < manifest->entry_count; i++) {
        const struct manifest_entry *from = &manifest->entries[i];
        struct module_entry *entry = add_entry(module, from->target, from->signature);

        if (!entry)
            return -1;
        entry->function = from->kind == HOTPATCH_KIND_DATA ? from->data : from->function;
        entry->original = from->original;
        entry->kind = from->kind;
    }
    return 0;
}

static int take_targets(struct module *module, const struct manifest *manifest)
{
    module->targets = calloc(manifest->target_count + 1, sizeof(*module->targets));
    if (!module->targets)
        return -1;
    for (size_t i = 0; i < manifest->target_count; i++) {
        struct module_target *target = &module->targets[module->target_count++];

        target->object = text_copy(manifest->targets[i].object);
        target->build_id = text_copy(manifest->targets[i].build_id);
        if (!target->object || !target->build_id)
            return -1;
    }
    return 0;
}

/* Names are words of requests: `revert name=...`. */
static bool is_word(const char *name)
{
    for (const unsigned char *p = (const unsigned char *)name; *p; p++)
        if (isspace(*p) || iscntrl(*p) || *p == '/')
            return false;
    return *name != '\0';
}

static int take_manifest(struct module *module, const struct manifest *manifest,
                         struct refusal *why)
{
    if (!is_word(manifest->name))
        return refuse(why, HP_MANIFEST, "%s: the module's name is not one word without a slash",
                      module->path);
    module->name = text_copy(manifest->name);
    module->version = text_copy(manifest->version);
    module->hooks[HOOK_BEFORE_APPLY] = manifest->before_apply;
    module->hooks[HOOK_AFTER_APPLY] = manifest->after_apply;
    module->hooks[HOOK_BEFORE_REVERT] = manifest->before_revert;
    module->hooks[HOOK_AFTER_REVERT] = manifest->after_revert;
    module->has_manifest = true;
    if (!module->name || !module->version || take_entries(module, manifest) != 0 ||
        take_targets(module, manifest) != 0)
        return refuse_memory(module, why);
    return 0;
}

/* Without a manifest the module is called as its file, less ".so". */
static int name_by_file(struct module *module, struct refusal *why)
{
    const char *base = text_base_name(module->path);
    size_t length = strlen(base);

    if (length > 3 && strcmp(base + length - 3, ".so") == 0)
        length -= 3;
    module->name = text_format("%.*s", (int)length, base);
    module->version = text_copy("");
    if (!module->name || !module->version)
        return refuse_memory(module, why);
    for (char *p = module->name; *p; p++)
        if (isspace((unsigned char)*p) || iscntrl((unsigned char)*p))
            *p = '_';
    return 0;
}

static int read_manifest(struct module *module, bool required, struct refusal *why)
{
    struct manifest manifest;
    struct elf_error error;
    int result;

    if (manifest_read(module->image, &manifest, &error) != 0) {
        if (error.code == ELF_NO_MANIFEST && !required)
            return name_by_file(module, why);
        return refuse_elf_error(module, &error, why);
    }
    result = take_manifest(module, &manifest, why);
    manifest_free(&manifest);
    return result;
}

/* --replace NAME=SYMBOL */
static int add_replacement(struct module *module, const struct request_replace *replace,
                           struct refusal *why)
{
    struct image_symbol symbol;
    struct module_entry *entry;

    if (!image_symbol(module->image, replace->symbol, &symbol))
        return refuse(why, HP_VALUE, "%s: it defines no symbol %s", module->path, replace->symbol);
    if (symbol.type != STT_FUNC && symbol.type != STT_OBJECT && symbol.type != STT_NOTYPE)
        return refuse(why, HP_VALUE, "%s: %s is neither a function nor data", module->path,
                      replace->symbol);
    entry = add_entry(module, replace->name, NULL);
    if (!entry)
        return refuse_memory(module, why);
    entry->function = symbol.value;
    entry->kind = symbol.type == STT_OBJECT ? HOTPATCH_KIND_DATA : HOTPATCH_KIND_FUNCTION;
    return 0;
}

static int add_replacements(struct module *module, const struct request *load, struct refusal *why)
{
    int result = 0;

    for (size_t i = 0; i < load->replace_count; i++)
        if (add_replacement(module, &load->replace[i], why) != 0)
            result = -1;
    return result;
}

/* Before dlopen(3): ld.so would make the stacks of the whole program executable, for good. */
static int check_protection(const struct module *module, struct refusal *why)
{
    const char *stack = image_executable_stack(module->image);
    uint64_t address;
    size_t before = why->count;

    if (stack)
        refuse(why, HP_WX, "%s: %s", module->path, stack);
    if (image_writable_code(module->image, &address))
        refuse(why, HP_WX, "%s: its segment at 0x%llx is writable and executable", module->path,
               (unsigned long long)address);
    return why->count > before ? -1 : 0;
}

/*
 * The copy lies in another directory than the file: $ORIGIN becomes the directory of the path that the patch was
 * named by, symbolic links in it left alone, as dlopen(3) of that path has it. In a jail the program does not see that
 * directory.
 */
static int expand_origin(struct module *module, struct refusal *why)
{
    const char *slash = strrchr(module->path, '/');
    struct image *image = NULL;
    struct elf_error error;
    void *bytes;
    size_t size;

    if (module->snapshot || !slash || !image_names_origin(module->image))
        return 0;
    module->origin =
        text_format("%.*s", slash == module->path ? 1 : (int)(slash - module->path), module->path);
    if (!module->origin)
        return refuse_memory(module, why);
    if (image_expand_origin(module->image, module->origin, &bytes, &size, &error) != 0)
        return refuse_elf_error(module, &error, why);
    if (image_open(&image, bytes, size, ET_DYN, &error) != 0) {
        free(bytes);
        return refuse_elf_error(module, &error, why);
    }
    module_forget_file(module);
    module->image = image;
    module->bytes = bytes;
    module->size = size;
    module->edited = true;
    return 0;
}

static int understand(struct module *module, const struct request *load, struct refusal *why)
{
    struct elf_error error;

    if (image_open(&module->image, module->bytes, module->size, ET_DYN, &error) != 0)
        return refuse_elf_error(module, &error, why);
    if (expand_origin(module, why) != 0)
        return -1;
    if (image_interpreter(module->image))
        return refuse(why, HP_ELF_TYPE, "%s: it is a program (it names an interpreter)",
                      module->path);
    module->build_id = text_copy(image_build_id(module->image));
    if (!module->build_id)
        return refuse_memory(module, why);
    if (check_protection(module, why) != 0 || needed_find(module, why) != 0)
        return -1;
    if (read_manifest(module, load->replace_count == 0, why) != 0 ||
        add_replacements(module, load, why) != 0)
        return -1;
    if (declared_from_file(module->image, module, &module->own_slots, &module->name_space,
                           &error) != 0)
        return refuse_elf_error(module, &error, why);
    return 0;
}

/* In a jail the command has put a copy of its own where dlopen(3) finds it, and nobody else writes. */
static void read_bytes(struct module *module, struct refusal *why)
{
    char name[PATH_MAX];
    int fd = shim()->outside(module->path, name, sizeof(name));

    if (fd == -ENOLINK) {
        module->bytes = trust_read(module->path, &module->size, &module->file, why);
    } else if (fd < 0) {
        refuse(why, fd == -ENOENT ? HP_OPEN : HP_CHROOT, "%s: %s", module->path,
               *name ? name : "the command did not bring it");
    } else if (!(module->snapshot = text_copy(name))) {
        refuse(why, HP_MEMORY, "read %s: no memory", module->path);
        sys_close(fd);
    } else {
        module->bytes = trust_read_copy(fd, module->path, &module->size, &module->file, why);
    }
}

struct module *module_read(const struct request *load, struct refusal *why)
{
    struct module *module = calloc(1, sizeof(*module));

    if (!module) {
        refuse(why, HP_MEMORY, "read %s: no memory", load->path);
        return NULL;
    }
    module->path = text_copy(load->path);
    if (!module->path || module_keep_request(module, load) != 0)
        refuse(why, HP_MEMORY, "read %s: no memory", load->path);
    else
        read_bytes(module, why);
    if (module->bytes)
        sha256_hex(module->bytes, module->size, module->sha256);
    if (!module->bytes || understand(module, load, why) != 0) {
        module_free(module);
        return NULL;
    }
    return module;
}

struct module *module_of_fault(const struct request *load, struct refusal *why)
{
    struct module *module = calloc(1, sizeof(*module));
    struct module_entry *entry = NULL;
    char target[TARGET_NAME_MAX];

    if (module)
        module->fault = fault_new(&load->fault, target, sizeof(target), why);
    if (module && module->fault)
        entry = add_entry(module, target, NULL);
    if (!entry || !(module->path = text_format(MODULE_FAULT_PATH "%s", module->fault->text)) ||
        !(module->name = text_format("fail:%s", target)) || !(module->version = text_copy("")) ||
        !(module->build_id = text_copy("")) || module_keep_request(module, load) != 0) {
        if (why->count == 0)
            refuse(why, HP_MEMORY, "make a fault: no memory");
        module_free(module);
        return NULL;
    }
    entry->function = fault_entry(module->fault);
    entry->original = (uintptr_t)&module->fault->original;
    entry->kind = HOTPATCH_KIND_FUNCTION;
    module->placed = true;
    return module;
}

int module_snapshot(struct module *module, struct refusal *why)
{
    char sha256[sizeof(module->sha256)];

    if (module->fault || module->reused)
        return 0;
    memcpy(sha256, module->sha256, sizeof(sha256));
    if (module->edited) /* a copy's name says what is in it */
        sha256_hex(module->bytes, module->size, sha256);
    if (module->snapshot && module->edited) { /* in a jail: the copy there is of the file */
        free(module->snapshot);
        module->snapshot = snapshot_bring(module->bytes, module->size, why);
    } else if (!module->snapshot) {
        module->snapshot =
            snapshot_make(sha256, module->bytes, module->size, &module->snapshot_made, why);
    }
    if (!module->snapshot)
        return -1;
    /* Known before dlopen(), so that the object list sees whose object this is. */
    module->loaded_as = text_copy(module->snapshot);
    return module->loaded_as ? 0 : refuse_memory(module, why);
}

void module_drop_snapshot(struct module *module)
{
    if (module->snapshot && module->snapshot_made)
        snapshot_remove(module->snapshot);
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

/* Nothing is stored in the slots that an earlier module of this mapping declared. */
static void place_slots(const struct module *module, struct object *object)
{
    for (struct slot *slot = module->own_slots; slot; slot = slot->next) {
        declared_place(slot, object);
        if (!module->reused)
            continue;
        slot->live = slot->fallback;
        slot->version = __atomic_load_n(&slot->declared->version, __ATOMIC_ACQUIRE);
        __atomic_store_n(slot->words[0].address, slot->fallback, __ATOMIC_RELEASE);
    }
}

int module_place(struct module *module)
{
    struct object *object;

    if (module->fault)
        return 0;
    if (objects_refresh() != 0)
        return -1;
    object = module->object;
    if (!object || object->bias != module->bias)
        return -1;
    if (module->name_space && !object->name_space)
        object->name_space = text_copy(module->name_space);
    for (size_t i = 0; i < module->entry_count; i++) {
        module->entries[i].function += module->bias;
        if (module->entries[i].original)
            module->entries[i].original += module->bias;
    }
    for (size_t i = 0; i < sizeof(module->hooks) / sizeof(*module->hooks); i++)
        if (module->hooks[i])
            module->hooks[i] += module->bias;
    place_slots(module, object);
    module->placed = true;
    return 0;
}
