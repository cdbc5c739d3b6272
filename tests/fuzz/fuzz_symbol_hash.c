/*
 * fuzz_symbol_hash.c - DT_GNU_HASH and DT_HASH of a mapped object, any bytes: what is found sound ends, and
 * leads nowhere but into .dynsym.
 *
 * The input: the number of symbols, of buckets, of Bloom words as a power of two, the first symbol; then the
 * table. The two lowest bits of the last say which of the tables it is.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "elf/symbol_hash.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEADER = 4 };

struct visits {
    size_t count, symbols;
};

/* A sound table has each symbol once. */
static int visit(size_t i, void *context)
{
    struct visits *visits = context;

    if (i == 0 || i >= visits->symbols || ++visits->count > visits->symbols)
        abort();
    return 0;
}

static void lay_gnu(struct gnu_hash *table, const uint8_t *data, const uint8_t *bytes, size_t size)
{
    size_t bloom = (size_t)1 << (data[2] % 4), fixed = bloom * 8 + (size_t)data[1] * 4;

    if (fixed > size)
        return;
    *table = (struct gnu_hash){.bucket_count = data[1],
                               .first_symbol = data[3] / 4,
                               .bloom_count = (uint32_t)bloom,
                               .bloom_shift = data[2] / 8,
                               .bloom = bytes,
                               .buckets = bytes + bloom * 8,
                               .chain = {bytes + fixed, (size - fixed) / 4}};
}

static void lay_sysv(struct sysv_hash *table, const uint8_t *data, const uint8_t *bytes,
                     size_t size)
{
    if (((size_t)data[1] + data[0]) * 4 > size)
        return;
    *table = (struct sysv_hash){
        .bucket_count = data[1], .buckets = bytes, .chain = {bytes + (size_t)data[1] * 4, data[0]}};
}

static void look_up(const struct image *image)
{
    static const char *const names[] = {"", "a", "memcpy", "_ZN4node5StartEiPPc", "\xff\xfe\xfd"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct visits visits = {0, image->dynsym.symbols.count};

        image_hash_look_up(image, names[i], visit, &visits);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct image image = {.dynsym.dynamic = true};
    uint8_t *bytes;

    if (size < HEADER)
        return 0;
    image.lazy = &image.lazy_storage;
    image.dynsym.symbols.count = data[0];
    bytes = malloc(size - HEADER + 1); /* a sanitizer sees a read beyond */
    memcpy(bytes, data + HEADER, size - HEADER);
    if (data[3] & 1)
        lay_gnu(&image.gnu_hash, data, bytes, size - HEADER);
    if (data[3] & 2)
        lay_sysv(&image.sysv_hash, data, bytes, size - HEADER);
    if (image_hash_is_sound(&image)) {
        if (image_gnu_hash_count(&image.gnu_hash) > image.dynsym.symbols.count + 1)
            abort();
        look_up(&image);
    }
    free(bytes);
    return 0;
}
