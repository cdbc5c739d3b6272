/*
 * fuzz_image.c - any bytes as an ELF file: image, symbols and relocations.
 */
#include <elf.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "elf/image.h"
#include "elf/image_bytes.h"
#include "elf/origin.h"
#include "elf/protection.h"
#include "elf/relocations.h"
#include "elf/symbols.h"
#include "elf/unique.h"
#include "elf/versions.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int use_named(const struct image_symbol *symbol, void *name)
{
    if (!symbol->defined || !symbol->dynamic || strcmp(symbol->name, name) != 0)
        abort();
    return 0;
}

/* What a caller may do with a symbol: read its texts, look it up again. */
static int use_symbol(const struct image_symbol *symbol, void *context)
{
    const struct image *image = context;
    struct image_symbol found;
    struct elf_error fault;
    size_t length = strlen(symbol->name);

    if (symbol->version)
        length += strlen(symbol->version);
    if (symbol->file)
        length += strlen(symbol->file);
    if (length % 16 == 0 && image_symbol(image, symbol->name, &found) &&
        strcmp(found.name, symbol->name) != 0)
        abort();
    if (length % 16 == 1)
        image_symbols_named(image, symbol->name, use_named, (void *)(uintptr_t)symbol->name,
                            &fault);
    return 0;
}

static int use_relocation(const struct image_relocation *relocation, void *context)
{
    const struct image *image = context;
    uint64_t value;

    if (relocation->has_symbol && strlen(relocation->symbol.name) > 1 << 30)
        abort();
    image_word_at(image, relocation->where, &value);
    image_word_at(image, relocation->where + 4, &value);
    return 0;
}

static void use_addresses(const struct image *image)
{
    static const uint64_t addresses[] = {0, 64, 0x400, 0x1000, 0x1ff8, 0x3ffd, UINT64_MAX - 3};
    uint64_t value;

    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        const uint8_t *bytes = image_bytes_at(image, addresses[i], 32);
        if (bytes && bytes[0] + bytes[31] > 510)
            abort();
        image_word_at(image, addresses[i], &value);
    }
}

/* `context`: the size of the file. */
static int use_unique(const char *name, size_t info, void *context)
{
    if (info >= (uintptr_t)context || strlen(name) > 1 << 30)
        abort();
    return 0;
}

static int use_need(const struct version_need *need, void *context)
{
    bool versioned;

    image_defines_version(context, need->version, &versioned);
    return strlen(need->file) > 1 << 30;
}

/* What comes of it may be damaged, where tables overlap; but no byte outside is touched. */
static void use_origin(const struct image *image)
{
    struct elf_error fault;
    struct image *again;
    void *bytes;
    size_t size;

    image_names_origin(image);
    if (image_expand_origin(image, "/some/where", &bytes, &size, &fault) != 0)
        return;
    if (image_open(&again, bytes, size, 0, &fault) == 0)
        image_close(again);
    free(bytes);
}

static void use_image(const struct image *image, size_t size)
{
    struct elf_error fault;
    uint64_t writable;
    const char *needed;

    for (size_t i = 0; (needed = image_needed(image, i)) && i < 1000; i++) {
        if (strlen(needed) > 1 << 30)
            abort();
    }
    if (image_interpreter(image) && strlen(image_interpreter(image)) > 1 << 30)
        abort();
    if (image_soname(image) && strlen(image_soname(image)) > 1 << 30)
        abort();
    if (strlen(image_build_id(image)) % 2 != 0)
        abort();
    image_is_static(image);
    image_executable_stack(image);
    image_writable_code(image, &writable);
    image_unique_symbols(image, use_unique, (void *)(uintptr_t)size, &fault);
    use_addresses(image);
    image_symbols(image, use_symbol, (void *)(uintptr_t)image, &fault);
    image_relocations(image, use_relocation, (void *)(uintptr_t)image, &fault);
    image_indirect_relocations(image, use_relocation, (void *)(uintptr_t)image, &fault);
    image_version_needs(image, use_need, (void *)(uintptr_t)image, &fault);
    use_origin(image);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint16_t types[] = {0, ET_DYN};

    elf_head_problem(data, size < 4096 ? size : 4096);
    elf_head_cut_short(data, size < 4096 ? size : 4096, size);

    for (size_t i = 0; i < 2; i++) {
        struct image *image;
        struct elf_error fault = {ELF_OK, ""};
        if (image_open(&image, data, size, types[i], &fault)) {
            if (fault.code == ELF_OK || !fault.text[0] || image)
                abort();
            continue;
        }
        use_image(image, size);
        image_close(image);
    }
    return 0;
}
