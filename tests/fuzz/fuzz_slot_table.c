/*
 * fuzz_slot_table.c - any bytes as an object that declares slots.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "elf/slot_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use_table(const struct slot_table *table)
{
    if (table->count > 65536 || (table->name_space && strlen(table->name_space) > 4096))
        abort();
    for (size_t i = 0; i < table->count; i++) {
        const struct table_slot *slot = &table->slots[i];
        if (strlen(slot->name) == 0 || strlen(slot->name) > 4096 || strlen(slot->signature) > 4096)
            abort();
        if (slot->kind < HOTPATCH_KIND_FUNCTION || slot->kind > HOTPATCH_KIND_UNTYPED)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct image *image;
    struct slot_table table;
    struct elf_error fault = {ELF_OK, ""};

    if (image_open(&image, data, size, 0, &fault))
        return 0;
    int found = slot_table_read(image, &table, &fault);
    if (found < 0 && (fault.code == ELF_OK || !fault.text[0]))
        abort();
    if (found == 1)
        use_table(&table);
    slot_table_free(&table);
    image_close(image);
    return 0;
}
