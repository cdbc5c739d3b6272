/*
 * manifest.c - what a patch says of itself with HOTPATCH_MODULE, HOTPATCH_REPLACE and so on.
 *
 * Any thread, one at a time per image. Read before any of the patch's code can run; whatever
 * passes here is safe to follow after the patch was loaded.
 */
#include "elf/manifest.h"

#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elf/image_bytes.h"
#include "elf/record.h"
#include "elf/relocations.h"

#define ENTRY_FIELD(address, member) ((address) + offsetof(struct hotpatch_entry, member))
#define MODULE_FIELD(address, member) ((address) + offsetof(struct hotpatch_module, member))
#define TARGET_FIELD(address, member) ((address) + offsetof(struct hotpatch_target_record, member))

/* ------------------------------------------------------- entries --- */

static int read_kind(const struct record_reader *reader, struct manifest_entry *entry)
{
    uint32_t flags;

    if (record_copy(reader, ENTRY_FIELD(entry->address, kind), &entry->kind, sizeof entry->kind) ||
        record_copy(reader, ENTRY_FIELD(entry->address, flags), &flags, sizeof flags))
        return -1;
    if (entry->kind != HOTPATCH_KIND_FUNCTION && entry->kind != HOTPATCH_KIND_DATA &&
        entry->kind != HOTPATCH_KIND_UNTYPED)
        return record_error(reader, "its kind %u is unknown", entry->kind);
    return flags == 0 ? 0 : record_error(reader, "its flags 0x%x are unknown", flags);
}

static int read_replacement(const struct record_reader *reader, struct manifest_entry *entry)
{
    bool is_data = entry->kind == HOTPATCH_KIND_DATA;

    if (record_pointer_to(reader, ENTRY_FIELD(entry->address, function), "function",
                          is_data ? NULL_ALLOWED : NULL_REFUSED, PF_X, 1, &entry->function) ||
        record_pointer_to(reader, ENTRY_FIELD(entry->address, data), "data",
                          is_data ? NULL_REFUSED : NULL_ALLOWED, 0, 1, &entry->data))
        return -1;
    if (entry->function && entry->data)
        return record_error(reader, "it has both a function and data");
    return 0;
}

/* The engine stores there whenever the layer below changes: 8 bytes, aligned, never RELRO. */
static int read_original(const struct record_reader *reader, struct manifest_entry *entry)
{
    if (record_pointer_to(reader, ENTRY_FIELD(entry->address, original), "original", NULL_ALLOWED,
                          PF_W, sizeof(void *), &entry->original))
        return -1;
    if (entry->original % sizeof(void *) != 0 ||
        image_in_relro(reader->image, entry->original, sizeof(void *)))
        return record_error(reader, "its original cannot be written atomically");
    return 0;
}

static int read_manifest_entry(const struct record_reader *reader, struct manifest_entry *entry)
{
    enum record_null null;

    if (read_kind(reader, entry))
        return -1;
    null = entry->kind == HOTPATCH_KIND_UNTYPED ? NULL_ALLOWED : NULL_REFUSED;
    if (record_name(reader, ENTRY_FIELD(entry->address, target), "target", &entry->target) ||
        record_string(reader, ENTRY_FIELD(entry->address, signature), "signature", null,
                      &entry->signature) ||
        read_replacement(reader, entry) || read_original(reader, entry))
        return -1;
    if (!entry->signature)
        entry->signature = "";
    return 0;
}

static int read_entries(struct record_reader *reader, uint64_t module, struct manifest *manifest)
{
    uint64_t begin;

    if (record_array(reader, MODULE_FIELD(module, entries_begin), "entries",
                     sizeof(struct hotpatch_entry), _Alignof(struct hotpatch_entry), &begin,
                     &manifest->entry_count))
        return -1;
    if (manifest->entry_count == 0)
        return 0;
    manifest->entries = calloc(manifest->entry_count, sizeof *manifest->entries);
    if (!manifest->entries)
        return elf_fail(reader->error, ELF_NO_MEMORY, "no memory for %zu entries",
                        manifest->entry_count);
    for (size_t i = 0; i < manifest->entry_count; i++) {
        manifest->entries[i].address = begin + i * sizeof(struct hotpatch_entry);
        snprintf(reader->what, sizeof reader->what, "entry %zu", i);
        if (read_manifest_entry(reader, &manifest->entries[i]))
            return -1;
    }
    return 0;
}

/* ------------------------------------------------------- targets --- */

static bool is_build_id(const char *text)
{
    size_t length = strlen(text);

    for (size_t i = 0; i < length; i++) {
        if (!isxdigit((unsigned char)text[i]))
            return false;
    }
    return length % 2 == 0 && length <= 2 * IMAGE_BUILD_ID_MAX;
}

static int read_target(const struct record_reader *reader, uint64_t address,
                       struct manifest_target *target)
{
    if (record_name(reader, TARGET_FIELD(address, object), "object", &target->object) ||
        record_name(reader, TARGET_FIELD(address, build_id), "build-id", &target->build_id))
        return -1;
    return is_build_id(target->build_id) ? 0
                                         : record_error(reader, "its build-id is no hex number");
}

static int read_targets(struct record_reader *reader, uint64_t module, struct manifest *manifest)
{
    uint64_t begin;

    if (record_array(reader, MODULE_FIELD(module, targets_begin), "targets",
                     sizeof(struct hotpatch_target_record), _Alignof(struct hotpatch_target_record),
                     &begin, &manifest->target_count))
        return -1;
    if (manifest->target_count == 0)
        return 0;
    manifest->targets = calloc(manifest->target_count, sizeof *manifest->targets);
    if (!manifest->targets)
        return elf_fail(reader->error, ELF_NO_MEMORY, "no memory for %zu targets",
                        manifest->target_count);
    for (size_t i = 0; i < manifest->target_count; i++) {
        snprintf(reader->what, sizeof reader->what, "target %zu", i);
        if (read_target(reader, begin + i * sizeof(struct hotpatch_target_record),
                        &manifest->targets[i]))
            return -1;
    }
    return 0;
}

/* ------------------------------------------------------- the module --- */

static int check_module_record(struct record_reader *reader, const struct hotpatch_module *header)
{
    if (header->magic != HOTPATCH_MODULE_MAGIC)
        return record_error(reader, "its magic is wrong");
    if (header->abi_version != HOTPATCH_ABI_VERSION) {
        reader->code = ELF_MANIFEST_VERSION;
        return record_error(reader, "it is of version %u, known is %u", header->abi_version,
                            HOTPATCH_ABI_VERSION);
    }
    if (header->size != sizeof(struct hotpatch_module) ||
        header->entry_size != sizeof(struct hotpatch_entry) ||
        header->target_size != sizeof(struct hotpatch_target_record))
        return record_error(reader, "its structures have %u, %u and %u bytes, not %zu, %zu and %zu",
                            header->size, header->entry_size, header->target_size,
                            sizeof(struct hotpatch_module), sizeof(struct hotpatch_entry),
                            sizeof(struct hotpatch_target_record));
    return 0;
}

static int read_hook(const struct record_reader *reader, uint64_t address, const char *name,
                     uint64_t *hook)
{
    return record_pointer_to(reader, address, name, NULL_ALLOWED, PF_X, 1, hook);
}

/* A file that ends inside the header may still have its version: the magic and the version come first. */
static int read_module_record(struct record_reader *reader, uint64_t module,
                              struct manifest *manifest)
{
    struct hotpatch_module header = {0};

    if (record_copy(reader, module, &header, offsetof(struct hotpatch_module, name)) ||
        check_module_record(reader, &header) || record_copy(reader, module, &header, sizeof header))
        return -1;
    if (record_name(reader, MODULE_FIELD(module, name), "name", &manifest->name) ||
        record_string(reader, MODULE_FIELD(module, version), "version", NULL_REFUSED,
                      &manifest->version) ||
        read_hook(reader, MODULE_FIELD(module, before_apply), "before_apply",
                  &manifest->before_apply) ||
        read_hook(reader, MODULE_FIELD(module, after_apply), "after_apply",
                  &manifest->after_apply) ||
        read_hook(reader, MODULE_FIELD(module, before_revert), "before_revert",
                  &manifest->before_revert))
        return -1;
    return read_hook(reader, MODULE_FIELD(module, after_revert), "after_revert",
                     &manifest->after_revert);
}

static int ignore(const struct image_relocation *relocation, void *context)
{
    (void)relocation;
    (void)context;
    return 0;
}

int manifest_read(const struct image *image, struct manifest *manifest, struct elf_error *error)
{
    struct record_reader reader = {image, error, ELF_MANIFEST_DAMAGED, "the manifest"};
    uint64_t module;

    *manifest = (struct manifest){0};
    if (!record_find(image, "HOTPATCH_MODULE_V1", "hotpatch_module", &module))
        return elf_fail(error, ELF_NO_MANIFEST, "there is no symbol HOTPATCH_MODULE_V1");
    /* Damaged relocations make every pointer lead nowhere: the refusal names the cause. */
    if (image_relocations(image, ignore, NULL, error))
        return -1;
    if (read_module_record(&reader, module, manifest) || read_targets(&reader, module, manifest)) {
        manifest_free(manifest);
        return -1;
    }
    snprintf(reader.what, sizeof reader.what, "the manifest");
    if (read_entries(&reader, module, manifest)) {
        manifest_free(manifest);
        return -1;
    }
    return 0;
}

void manifest_free(struct manifest *manifest)
{
    free(manifest->entries);
    free(manifest->targets);
    *manifest = (struct manifest){0};
}
