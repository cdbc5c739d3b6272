/*
 * fuzz_manifest.c - any bytes as a patch.
 */
#include <elf.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "elf/manifest.h"
#include "elf/slot_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use_manifest(const struct manifest *manifest)
{
    if (!manifest->name[0] || strlen(manifest->name) > 4096 || strlen(manifest->version) > 4096)
        abort();
    for (size_t i = 0; i < manifest->entry_count; i++) {
        const struct manifest_entry *entry = &manifest->entries[i];
        if (!entry->target[0] || strlen(entry->target) > 4096 || strlen(entry->signature) > 4096)
            abort();
        if (!entry->function == !entry->data || entry->original % 8 != 0)
            abort();
    }
    for (size_t i = 0; i < manifest->target_count; i++) {
        if (!manifest->targets[i].object[0] || strlen(manifest->targets[i].build_id) % 2 != 0)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct image *image;
    struct manifest manifest;
    struct elf_error fault = {ELF_OK, ""};

    if (image_open(&image, data, size, ET_DYN, &fault))
        return 0;
    if (manifest_read(image, &manifest, &fault) == 0)
        use_manifest(&manifest);
    else if (fault.code == ELF_OK || !fault.text[0])
        abort();
    manifest_free(&manifest);
    image_close(image);
    return 0;
}
