/*
 * fuzz_functions.c - any bytes as the file that functions are read of: tables of symbols, section
 * headers, unwind tables. Then as an object that is mapped, and the file as its own.
 */
#include <elf.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "elf/functions.h"
#include "elf/functions_read.h"
#include "elf/text_share.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    struct functions *functions;
    uint64_t address;
    size_t count, looked_up;
};

static int is_same(const struct function *function, void *context)
{
    return function->address == *(uint64_t *)context;
}

/* What a caller may do with a function: read its texts, look it up by name and by address. */
static int use_function(const struct function *function, void *context)
{
    struct seen *seen = context;
    struct function found;
    size_t length = 0;

    if (function->address < seen->address)
        abort();
    seen->address = function->address;
    length += function->name ? strlen(function->name) : 0;
    length += function->file ? strlen(function->file) : 0;
    length += function->version ? strlen(function->version) : 0;
    if (length > 1 << 30 || function->address + function->size < function->address)
        abort();
    if (seen->count++ % 8 != 0 || seen->looked_up++ > 500)
        return 0;
    if (!function_begins_at(seen->functions, function->address, &found) ||
        found.address != function->address || found.size == 0)
        abort();
    if (!function_around(seen->functions, function->address, &found))
        abort();
    if (function->name &&
        !functions_named(seen->functions, function->name, is_same, &seen->address))
        abort();
    return 0;
}

static void use_functions(struct functions *functions)
{
    struct seen seen = {.functions = functions};
    struct text_share share;
    struct function found;

    if (functions_each(functions, use_function, &seen))
        abort();
    if (functions_text_share(functions, &share) || share.covered > share.bytes)
        abort();
    function_around(functions, 0, &found);
    function_around(functions, UINT64_MAX, &found);
    function_around(functions, seen.address + 3, &found);
    functions_close(functions);
}

/* The file as its own mapping, as far as an image of it can be opened: what lies in its PT_LOADs,
 * copied to where their addresses say. */
static void use_mapped(const uint8_t *data, size_t size, int file)
{
    enum { MAP_MAX = 1 << 20 };
    static uint8_t memory[MAP_MAX] __attribute__((aligned(4096)));
    Elf64_Ehdr header;
    Elf64_Phdr segments[16];
    struct image *image;
    struct functions *functions;
    struct elf_error fault;

    memcpy(&header, data, sizeof header); /* image_open() took it: inside the file */
    if (header.e_phnum > 16)
        return;
    memcpy(segments, data + header.e_phoff, header.e_phnum * sizeof segments[0]);
    memset(memory, 0, sizeof memory);
    for (size_t i = 0; i < header.e_phnum; i++) {
        if (segments[i].p_type != PT_LOAD || segments[i].p_memsz == 0)
            continue;
        if (segments[i].p_vaddr >= MAP_MAX || segments[i].p_memsz > MAP_MAX - segments[i].p_vaddr)
            return;
        memcpy(memory + segments[i].p_vaddr, data + segments[i].p_offset, segments[i].p_filesz);
    }
    (void)size;
    struct dl_phdr_info info = {
        .dlpi_addr = (uintptr_t)memory,
        .dlpi_name = "",
        .dlpi_phdr = segments,
        .dlpi_phnum = header.e_phnum,
    };
    if (image_open_mapped(&image, &info, &fault))
        return;
    for (int with_file = 0; with_file < 2; with_file++) {
        if (!functions_of_mapped(&functions, image, with_file ? file : -1, &fault))
            use_functions(functions);
    }
    image_close(image);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int file = -1;
    struct functions *functions;
    struct image *image;
    struct elf_error fault = {ELF_OK, ""};

    if (file < 0)
        file = memfd_create("fuzz", MFD_CLOEXEC);
    if (file < 0 || ftruncate(file, 0) != 0 || pwrite(file, data, size, 0) != (ssize_t)size)
        abort();
    if (!functions_of_file(&functions, file, &fault))
        use_functions(functions);
    else if (fault.code == ELF_OK || !fault.text[0] || functions)
        abort();
    if (!image_open(&image, data, size, 0, &fault)) {
        image_close(image);
        use_mapped(data, size, file);
    }
    return 0;
}
