/*
 * dynamic.c - PT_DYNAMIC: where ld.so finds symbols, strings, hash tables and relocations.
 *
 * Called while an image is opened, on any thread that opens one. Everything that a tag leads
 * to is checked here once, and so are the sizes on which ld.so itself asserts: an object with
 * a wrong DT_RELAENT would abort the host inside dlopen(3) (glibc, elf/get-dynamic-info.h).
 */
#include "elf/dynamic.h"

#include <string.h>

#include "elf/image_bytes.h"
#include "elf/symbol_hash.h"

/* The tags that elf/ reads, each in a member of the same name. */
struct tags {
    uint64_t strtab, strsz, symtab, syment, hash, gnu_hash;
    uint64_t rela, relasz, relaent, jmprel, pltrelsz, pltrel, relr, relrsz, relrent;
    uint64_t versym, verdef, verdefnum, verneed, verneednum;
    uint64_t flags, flags_1, textrel, soname;
    bool has_textrel, has_soname;
};

static void read_tag(struct tags *tags, int64_t tag, uint64_t value)
{
    const struct {
        int64_t tag;
        uint64_t *member;
    } members[] = {
        {DT_STRTAB, &tags->strtab},     {DT_STRSZ, &tags->strsz},
        {DT_SYMTAB, &tags->symtab},     {DT_SYMENT, &tags->syment},
        {DT_HASH, &tags->hash},         {DT_GNU_HASH, &tags->gnu_hash},
        {DT_RELA, &tags->rela},         {DT_RELASZ, &tags->relasz},
        {DT_RELAENT, &tags->relaent},   {DT_JMPREL, &tags->jmprel},
        {DT_PLTRELSZ, &tags->pltrelsz}, {DT_PLTREL, &tags->pltrel},
        {DT_RELR, &tags->relr},         {DT_RELRSZ, &tags->relrsz},
        {DT_RELRENT, &tags->relrent},   {DT_VERSYM, &tags->versym},
        {DT_VERDEF, &tags->verdef},     {DT_VERDEFNUM, &tags->verdefnum},
        {DT_VERNEED, &tags->verneed},   {DT_VERNEEDNUM, &tags->verneednum},
        {DT_FLAGS, &tags->flags},       {DT_FLAGS_1, &tags->flags_1},
        {DT_TEXTREL, &tags->textrel},   {DT_SONAME, &tags->soname},
    };

    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        if (members[i].tag == tag)
            *members[i].member = value;
    }
    tags->has_textrel |= tag == DT_TEXTREL;
    tags->has_soname |= tag == DT_SONAME;
}

Elf64_Dyn image_dynamic_entry(const struct image *image, size_t i)
{
    Elf64_Dyn entry;

    memcpy(&entry, image->dynamic.bytes + i * sizeof entry, sizeof entry);
    return entry;
}

/*
 * glibc adds the load bias to most pointers of a mapped object's PT_DYNAMIC in place, but not
 * to DT_VERDEF and DT_VERNEED, and to none where the section is read-only (the vDSO).
 */
static uint64_t before_bias(const struct image *image, uint64_t pointer)
{
    if (pointer && image_is_mapped(image) && image_segment(image, pointer - image->bias, 0))
        return pointer - image->bias;
    return pointer;
}

/* Find `size` bytes of records at `address`; NULL bytes where address is 0. */
static int read_records(const struct image *image, uint64_t address, uint64_t size,
                        size_t record_size, const char *what, struct records *out,
                        struct elf_error *error)
{
    address = before_bias(image, address);
    if (address == 0 || size == 0)
        return 0;
    out->bytes = image_bytes_at(image, address, size);
    if (!out->bytes)
        return elf_fail(error, ELF_DAMAGED, "%s lies outside the file", what);
    if (size % record_size != 0)
        return elf_fail(error, ELF_DAMAGED, "%s has a size that is no multiple of %zu", what,
                        record_size);
    out->count = size / record_size;
    return 0;
}

static int read_strings(struct image *image, const struct tags *tags, struct elf_error *error)
{
    struct records strings = {0};

    if (read_records(image, tags->strtab, tags->strsz, 1, "DT_STRTAB", &strings, error))
        return -1;
    if (strings.count > 0 && strings.bytes[strings.count - 1] != '\0')
        return elf_fail(error, ELF_DAMAGED, "DT_STRTAB does not end in a NUL");
    image->dynsym.strings = (struct strings){(const char *)strings.bytes, strings.count};
    if (!tags->has_soname)
        return 0;
    image->soname = image_dynamic_string(image, tags->soname);
    if (!image->soname)
        return elf_fail(error, ELF_DAMAGED, "DT_SONAME lies outside DT_STRTAB");
    return 0;
}

/* No tag gives the length of DT_SYMTAB: the end of the file bounds it here. */
static int read_dynsym(struct image *image, const struct tags *tags, struct elf_error *error)
{
    uint64_t address = before_bias(image, tags->symtab);
    uint64_t there = address ? image_bytes_from(image, address) : 0;

    image->dynsym.dynamic = true;
    if (!address)
        return 0;
    if (tags->syment != sizeof(Elf64_Sym))
        return elf_fail(error, ELF_DAMAGED, "DT_SYMENT is %llu", (unsigned long long)tags->syment);
    if (there < sizeof(Elf64_Sym) || !image->dynsym.strings.bytes)
        return elf_fail(error, ELF_DAMAGED, "DT_SYMTAB lies outside the file");
    image->dynsym.symbols =
        (struct records){image_bytes_at(image, address, there), there / sizeof(Elf64_Sym)};
    return 0;
}

/* ld.so asserts that the number of Bloom words is a power of two. */
static int read_gnu_hash(struct image *image, const struct tags *tags, struct elf_error *error)
{
    enum { HEADER = 16 };
    struct gnu_hash *hash = &image->gnu_hash;
    uint64_t address = before_bias(image, tags->gnu_hash);

    if (!address)
        return 0;
    const uint8_t *bytes = image_bytes_at(image, address, HEADER);
    if (!bytes)
        return elf_fail(error, ELF_DAMAGED, "DT_GNU_HASH lies outside the file");
    hash->bucket_count = image_load32(bytes);
    hash->first_symbol = image_load32(bytes + 4);
    hash->bloom_count = image_load32(bytes + 8);
    hash->bloom_shift = image_load32(bytes + 12) & 31;
    if (hash->bloom_count == 0 || (hash->bloom_count & (hash->bloom_count - 1)) != 0)
        return elf_fail(error, ELF_DAMAGED, "DT_GNU_HASH has %u Bloom words", hash->bloom_count);
    uint64_t there = image_bytes_from(image, address) - HEADER;
    uint64_t fixed = (uint64_t)hash->bloom_count * 8 + (uint64_t)hash->bucket_count * 4;
    if (fixed > there)
        return elf_fail(error, ELF_DAMAGED, "DT_GNU_HASH reaches beyond the file");
    hash->bloom = bytes + HEADER;
    hash->buckets = hash->bloom + (size_t)hash->bloom_count * 8;
    hash->chain = (struct records){bytes + HEADER + fixed, (there - fixed) / 4};
    return 0;
}

static int read_sysv_hash(struct image *image, const struct tags *tags, struct elf_error *error)
{
    struct sysv_hash *hash = &image->sysv_hash;
    uint64_t address = before_bias(image, tags->hash);

    if (!address)
        return 0;
    const uint8_t *bytes = image_bytes_at(image, address, 8);
    if (!bytes)
        return elf_fail(error, ELF_DAMAGED, "DT_HASH lies outside the file");
    uint64_t buckets = image_load32(bytes), chain = image_load32(bytes + 4);
    if ((buckets + chain) * 4 > image_bytes_from(image, address) - 8)
        return elf_fail(error, ELF_DAMAGED, "DT_HASH reaches beyond the file");
    if (chain > image->dynsym.symbols.count)
        return elf_fail(error, ELF_DAMAGED, "DT_HASH tells of more symbols than the file holds");
    hash->bucket_count = buckets;
    hash->buckets = bytes + 8;
    hash->chain = (struct records){bytes + 8 + buckets * 4, chain};
    return 0;
}

static int read_relocation_tables(struct image *image, const struct tags *tags,
                                  struct elf_error *error)
{
    uint64_t rela_size = tags->relasz;

    if (tags->rela && tags->relaent != sizeof(Elf64_Rela))
        return elf_fail(error, ELF_DAMAGED, "DT_RELAENT is not %zu", sizeof(Elf64_Rela));
    if (tags->jmprel && tags->pltrel != DT_RELA)
        return elf_fail(error, ELF_DAMAGED, "DT_PLTREL is not DT_RELA");
    if (tags->relr && tags->relrent != sizeof(uint64_t))
        return elf_fail(error, ELF_DAMAGED, "DT_RELRENT is not %zu", sizeof(uint64_t));
    /* Some linkers count DT_JMPREL into DT_RELASZ; ld.so takes it off again. */
    if (tags->jmprel && tags->rela + tags->relasz == tags->jmprel + tags->pltrelsz &&
        tags->pltrelsz <= rela_size)
        rela_size -= tags->pltrelsz;
    if (read_records(image, tags->rela, rela_size, sizeof(Elf64_Rela), "DT_RELA", &image->rela,
                     error) ||
        read_records(image, tags->jmprel, tags->pltrelsz, sizeof(Elf64_Rela), "DT_JMPREL",
                     &image->jmprel, error))
        return -1;
    return read_records(image, tags->relr, tags->relrsz, sizeof(uint64_t), "DT_RELR", &image->relr,
                        error);
}

static int read_version_tables(struct image *image, const struct tags *tags,
                               struct elf_error *error)
{
    uint64_t address = before_bias(image, tags->versym);

    image->verdef = before_bias(image, tags->verdef);
    image->verdef_count = tags->verdefnum;
    image->verneed = before_bias(image, tags->verneed);
    image->verneed_count = tags->verneednum;
    if (!address)
        return 0;
    uint64_t there = image_bytes_from(image, address);
    if (there < sizeof(Elf64_Versym))
        return elf_fail(error, ELF_DAMAGED, "DT_VERSYM lies outside the file");
    image->versym =
        (struct records){image_bytes_at(image, address, there), there / sizeof(Elf64_Versym)};
    return 0;
}

static int check_needed(const struct image *image, struct elf_error *error)
{
    for (size_t i = 0; i < image->dynamic.count; i++) {
        Elf64_Dyn entry = image_dynamic_entry(image, i);
        if (entry.d_tag == DT_NEEDED && !image_dynamic_string(image, entry.d_un.d_val))
            return elf_fail(error, ELF_DAMAGED, "a DT_NEEDED lies outside DT_STRTAB");
    }
    return 0;
}

/* ld.so follows a chain to its end without a bound: a chain of a patch must end inside the file and have no
 * cycle. ld.so has used the table of a mapped object already. */
static int check_hash(const struct image *image, struct elf_error *error)
{
    const char *problem = image_is_mapped(image) ? NULL : image_hash_problem(image);

    return problem ? elf_fail(error, ELF_DAMAGED, "%s", problem) : 0;
}

/* Read the tags up to DT_NULL, without which ld.so would read on. Of equal tags the last counts, as in
 * ld.so. */
static int read_tags(struct image *image, size_t limit, struct tags *tags, struct elf_error *error)
{
    for (size_t i = 0; i < limit; i++) {
        Elf64_Dyn entry = image_dynamic_entry(image, i);
        if (entry.d_tag == DT_NULL) {
            image->dynamic.count = i;
            return 0;
        }
        read_tag(tags, entry.d_tag, entry.d_un.d_val);
    }
    return elf_fail(error, ELF_DAMAGED, "PT_DYNAMIC has no DT_NULL");
}

int image_read_dynamic(struct image *image, uint64_t address, uint64_t size,
                       struct elf_error *error)
{
    struct tags tags = {0};

    if (image->dynamic.bytes)
        return elf_fail(error, ELF_DAMAGED, "there are two PT_DYNAMICs");
    image->dynamic.bytes = image_bytes_at(image, address, size);
    if (!image->dynamic.bytes)
        return elf_fail(error, ELF_DAMAGED, "PT_DYNAMIC lies outside every PT_LOAD");
    if (read_tags(image, size / sizeof(Elf64_Dyn), &tags, error))
        return -1;
    image->flags_1 = tags.flags_1;
    image->has_textrel = tags.has_textrel || (tags.flags & DF_TEXTREL);
    if (read_strings(image, &tags, error) || read_dynsym(image, &tags, error) ||
        read_gnu_hash(image, &tags, error) || read_sysv_hash(image, &tags, error) ||
        read_relocation_tables(image, &tags, error) || read_version_tables(image, &tags, error) ||
        check_hash(image, error))
        return -1;
    return check_needed(image, error);
}

const char *image_dynamic_string(const struct image *image, uint64_t offset)
{
    const struct strings *strings = &image->dynsym.strings;

    return offset < strings->size ? strings->bytes + offset : NULL;
}
