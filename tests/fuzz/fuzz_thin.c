/*
 * fuzz_thin.c - thin objects: the reader, and the link for a process. What is linked is a whole shared object, without
 * memory that is writable and executable.
 */
#include <elf.h>
#include <stdint.h>
#include <stdlib.h>

#include "elf/image.h"
#include "elf/protection.h"
#include "elf/symbols.h"
#include "elf/thin_file.h"
#include "elf/thin_link.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool define(void *context, const char *name, const char *version,
                   struct thin_definition *out)
{
    (void)context;
    *out = (struct thin_definition){.file = name[0] & 1 ? "libc.so.6" : NULL,
                                    .version = version ? version : "GLIBC_2.2.5"};
    return name[0] != 'x';
}

static bool keep(void *context, const char *key, uint64_t *at)
{
    (void)context;
    *at = 0x555555600000;
    return key[0] & 1;
}

static void check_linked(const void *bytes, size_t size)
{
    struct image *image;
    struct elf_error error;
    uint64_t address;

    if (image_open(&image, bytes, size, ET_DYN, &error) != 0 ||
        image_writable_code(image, &address) || image_executable_stack(image))
        abort();
    image_close(image);
}

static void link_it(const struct thin_file *thin)
{
    const struct thin_host host = {.bias = 0x555555554000,
                                   .begin = 0x555555554000,
                                   .end = 0x555555560000,
                                   .needed = "libtarget.so",
                                   .tls_module = 1,
                                   .tls_is_static = true,
                                   .tls_offset = -64,
                                   .definition = define,
                                   .kept = keep};
    struct thin_link *link;
    struct elf_error error;
    struct thin_extent extent;
    void *bytes;
    size_t size, count;
    uint64_t at;

    if (thin_link_begin(&link, thin, &host, &error) != 0)
        return;
    extent = thin_link_extent(link);
    for (int far = 0; far < 2; far++)
        if (thin_link_at(link, far ? extent.low & ~UINT64_C(0xfff) : 0x555555570000, &bytes, &size,
                         &error) == 0) {
            check_linked(bytes, size);
            free(bytes);
        }
    for (size_t i = 0; i < thin->replacement_count; i++)
        if (thin_link_function(link, i) >= extent.size)
            abort();
    for (size_t i = 0; thin_link_kept(link, i, &at); i++)
        if (at > extent.size)
            abort();
    thin_link_branches(link, &count);
    thin_link_end(link);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct thin_file *thin;
    struct elf_error error;

    if (!thin_file_is(data, size) || thin_file_open(&thin, data, size, &error) != 0)
        return 0;
    link_it(thin);
    thin_file_close(thin);
    return 0;
}
