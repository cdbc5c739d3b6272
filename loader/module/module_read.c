/* module_read.c - see module_read.h. */
#include "loader/module/module_read.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
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
#include "elf/thin_file.h"
#include "loader/module/module.h"
#include "loader/module/module_request.h"
#include "loader/module/needed.h"
#include "loader/module/thin_module.h"
#include "loader/module/trust.h"
#include "loader/slots/declared.h"
#include "loader/slots/injection.h"
#include "resolve/elf_refusal.h"

static int refuse_elf_error(const struct module *module, const struct elf_error *error,
                            struct refusal *why)
{
    return refuse(why, elf_refusal_code(error), "%s: %s", module->path, error->text);
}

static int refuse_memory(const struct module *module, struct refusal *why)
{
    return refuse(why, HP_MEMORY, "read %s: no memory", module->path);
}

static int take_entries(struct module *module, const struct manifest *manifest)
{
    for (size_t i = 0; i < manifest->entry_count; i++) {
        const struct manifest_entry *from = &manifest->entries[i];
        struct replacement *replacement =
            module_add_replacement(module, from->target, from->signature);

        if (!replacement)
            return -1;
        replacement->function = from->kind == HOTPATCH_KIND_DATA ? from->data : from->function;
        replacement->original = from->original;
        replacement->kind = from->kind;
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

/* Return whether the name is a word of a request: `revert name=...`. */
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
    if (!module->name || !module->version || take_entries(module, manifest) != 0 ||
        take_targets(module, manifest) != 0)
        return refuse_memory(module, why);
    return 0;
}

/* Name a module that has no manifest after its file, without ".so". */
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

/* Add the replacement of an option --replace NAME=SYMBOL. */
static int add_named(struct module *module, const struct request_replace *replace,
                     struct refusal *why)
{
    struct image_symbol symbol;
    struct replacement *replacement;

    if (!image_symbol(module->image, replace->symbol, &symbol))
        return refuse(why, HP_VALUE, "%s: it defines no symbol %s", module->path, replace->symbol);
    if (symbol.type != STT_FUNC && symbol.type != STT_OBJECT && symbol.type != STT_NOTYPE)
        return refuse(why, HP_VALUE, "%s: %s is neither a function nor data", module->path,
                      replace->symbol);
    replacement = module_add_replacement(module, replace->name, NULL);
    if (!replacement)
        return refuse_memory(module, why);
    replacement->function = symbol.value;
    replacement->kind = symbol.type == STT_OBJECT ? HOTPATCH_KIND_DATA : HOTPATCH_KIND_FUNCTION;
    return 0;
}

static int add_all_named(struct module *module, const struct request *load, struct refusal *why)
{
    int result = 0;

    for (size_t i = 0; i < load->replace_count; i++)
        if (add_named(module, &load->replace[i], why) != 0)
            result = -1;
    return result;
}

/* Refuse an executable stack before dlopen(3): ld.so would make the stacks of the whole program executable
 * permanently. */
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
 * Replace $ORIGIN in the copy, because the copy lies in another directory than the file. $ORIGIN becomes the directory
 * of the path that the request gives. Symbolic links in the path are not followed, as in dlopen(3) of that path. In a
 * jail the program does not see that directory.
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

    if (thin_file_is(module->bytes, module->size))
        return thin_module_read(module, why);
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
    if (check_protection(module, why) != 0 ||
        needed_find(&module->needed, module->image, module->path, module->origin, why) != 0)
        return -1;
    if (read_manifest(module, load->replace_count == 0, why) != 0 ||
        add_all_named(module, load, why) != 0)
        return -1;
    if (declared_from_file(module->image, module, &module->own_slots, &module->name_space,
                           &error) != 0)
        return refuse_elf_error(module, &error, why);
    return 0;
}

/* Read the file. In a jail the command has put a copy where dlopen(3) finds it, and no other process writes there. */
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

struct module *module_of_injection(const struct request *load, struct refusal *why)
{
    struct module *module = calloc(1, sizeof(*module));
    struct replacement *replacement = NULL;
    char target[TARGET_NAME_MAX];

    if (module)
        module->injection = injection_new(&load->injection, target, sizeof(target), why);
    if (module && module->injection)
        replacement = module_add_replacement(module, target, NULL);
    if (!replacement ||
        !(module->path = text_format(MODULE_INJECTION_PATH "%s", module->injection->text)) ||
        !(module->name = text_format("fail:%s", target)) || !(module->version = text_copy("")) ||
        !(module->build_id = text_copy("")) || module_keep_request(module, load) != 0) {
        if (why->count == 0)
            refuse(why, HP_MEMORY, "make a fault: no memory");
        module_free(module);
        return NULL;
    }
    replacement->function = injection_function(module->injection);
    replacement->original = (uintptr_t)&module->injection->original;
    replacement->kind = HOTPATCH_KIND_FUNCTION;
    module->placed = true;
    return module;
}
