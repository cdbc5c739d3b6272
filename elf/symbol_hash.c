/*
 * symbol_hash.c - DT_GNU_HASH and DT_HASH: .dynsym by name, as ld.so looks there.
 *
 * Any thread, one at a time per image. A table is looked at as a whole before it is used: every chain must
 * end inside .dynsym, and no symbol may be met twice, so that a look-up ends even where a hostile table has
 * a cycle. A name that the table leaves out is not found, as ld.so does not find it: DT_GNU_HASH leaves out
 * what the object imports.
 */
#include "elf/symbol_hash.h"

/* ------------------------------------------------------- whether a table is sound --- */

static size_t lesser(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* One past the last hashed symbol of a sound table. */
size_t image_gnu_hash_count(const struct gnu_hash *hash)
{
    size_t last = 0;

    for (uint32_t i = 0; i < hash->bucket_count; i++) {
        uint32_t first = image_load32(hash->buckets + 4 * (size_t)i);

        last = first > last ? first : last;
    }
    if (last < hash->first_symbol || last == 0)
        return hash->bucket_count ? 1 : 0;
    while (!(image_load32(hash->chain.bytes + 4 * (last - hash->first_symbol)) & 1))
        last++;
    return last + 1;
}

/* A chain has all symbols of one bucket and no others. It holds their hashes but for the lowest bit. */
static bool is_of_bucket(const struct gnu_hash *table, uint32_t link, uint32_t bucket)
{
    return (link | 1) % table->bucket_count == bucket ||
           (link & ~UINT32_C(1)) % table->bucket_count == bucket;
}

static bool gnu_chain_ends(const struct gnu_hash *table, uint32_t bucket, size_t i, size_t end)
{
    uint32_t link = 0;

    for (; !(link & 1); i++) {
        if (i >= end)
            return false;
        link = image_load32(table->chain.bytes + 4 * (i - table->first_symbol));
        if (!is_of_bucket(table, link, bucket))
            return false;
    }
    return true;
}

static bool gnu_hash_is_sound(const struct gnu_hash *table, size_t symbols)
{
    size_t end = lesser(table->first_symbol + table->chain.count, symbols);

    for (uint32_t bucket = 0; bucket < table->bucket_count; bucket++) {
        size_t i = image_load32(table->buckets + 4 * (size_t)bucket);

        if (i != 0 && (i < table->first_symbol || !gnu_chain_ends(table, bucket, i, end)))
            return false;
    }
    return true;
}

static bool sysv_chain_ends(const struct sysv_hash *table, uint32_t i, size_t *left)
{
    for (; i != STN_UNDEF; i = image_load32(table->chain.bytes + 4 * (size_t)i)) {
        if (i >= table->chain.count || *left == 0)
            return false;
        --*left;
    }
    return true;
}

static bool sysv_hash_is_sound(const struct sysv_hash *table)
{
    size_t left = table->chain.count;

    for (uint32_t bucket = 0; bucket < table->bucket_count; bucket++)
        if (!sysv_chain_ends(table, image_load32(table->buckets + 4 * (size_t)bucket), &left))
            return false;
    return true;
}

const char *image_hash_problem(const struct image *image)
{
    if (image->gnu_hash.bucket_count > 0 &&
        !gnu_hash_is_sound(&image->gnu_hash, image->dynsym.symbols.count))
        return "a chain of DT_GNU_HASH does not end in DT_SYMTAB";
    if (image->sysv_hash.bucket_count > 0 && !sysv_hash_is_sound(&image->sysv_hash))
        return "a chain of DT_HASH does not end in DT_SYMTAB";
    return NULL;
}

bool image_hash_is_sound(const struct image *image)
{
    struct image_lazy *lazy = image->lazy;

    if (!lazy->hash_checked) {
        lazy->hash_sound =
            (image->gnu_hash.bucket_count > 0 || image->sysv_hash.bucket_count > 0) &&
            !image_hash_problem(image);
        lazy->hash_checked = true;
    }
    return lazy->hash_sound;
}

/* ------------------------------------------------------- looking up --- */

static uint32_t gnu_hash_of(const char *name)
{
    uint32_t hash = 5381;

    for (const unsigned char *c = (const unsigned char *)name; *c; c++)
        hash = hash * 33 + *c;
    return hash;
}

/* Generic ABI, "Hash Table". */
static uint32_t sysv_hash_of(const char *name)
{
    uint32_t hash = 0;

    for (const unsigned char *c = (const unsigned char *)name; *c; c++) {
        hash = (hash << 4) + *c;
        hash = (hash ^ (hash >> 24 & 0xf0)) & 0x0fffffff;
    }
    return hash;
}

static int look_up_gnu(const struct gnu_hash *table, const char *name, image_hash_visit *each,
                       void *context)
{
    uint32_t hash = gnu_hash_of(name), link = 0;
    size_t word = (hash / 64) & (table->bloom_count - 1);
    uint64_t bloom = image_load64(table->bloom + 8 * word);
    uint64_t bits = (UINT64_C(1) << hash % 64) | (UINT64_C(1) << (hash >> table->bloom_shift) % 64);
    size_t i = image_load32(table->buckets + 4 * (size_t)(hash % table->bucket_count));

    if ((bloom & bits) != bits || i == 0)
        return 0;
    for (; !(link & 1); i++) {
        int stop = 0;

        link = image_load32(table->chain.bytes + 4 * (i - table->first_symbol));
        if ((link | 1) == (hash | 1))
            stop = each(i, context);
        if (stop)
            return stop;
    }
    return 0;
}

static int look_up_sysv(const struct sysv_hash *table, const char *name, image_hash_visit *each,
                        void *context)
{
    uint32_t bucket = sysv_hash_of(name) % table->bucket_count;
    uint32_t i = image_load32(table->buckets + 4 * (size_t)bucket);
    int stop = 0;

    for (; i != STN_UNDEF && stop == 0; i = image_load32(table->chain.bytes + 4 * (size_t)i))
        stop = each(i, context);
    return stop;
}

int image_hash_look_up(const struct image *image, const char *name, image_hash_visit *each,
                       void *context)
{
    if (image->gnu_hash.bucket_count > 0)
        return look_up_gnu(&image->gnu_hash, name, each, context);
    return look_up_sysv(&image->sysv_hash, name, each, context);
}
