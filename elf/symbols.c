/*
 * symbols.c - .dynsym by DT_SYMTAB and the hash tables, .symtab by its section.
 *
 * Any thread, one at a time per image. Every loop is bounded by the bytes there are: the
 * chains of a hostile hash table may cycle or never end.
 */
#include "elf/symbols.h"

#include <stdlib.h>
#include <string.h>

#include "elf/image_bytes.h"
#include "elf/image_parts.h"
#include "elf/symbol_hash.h"
#include "elf/versions.h"

static Elf64_Sym raw_symbol(const struct image_symbol_table *table, size_t i)
{
    Elf64_Sym symbol;

    memcpy(&symbol, table->symbols.bytes + i * sizeof symbol, sizeof symbol);
    return symbol;
}

/* ------------------------------------------------------- one symbol --- */

static void add_version(const struct image *image, size_t i, struct image_symbol *symbol)
{
    if (!image->versym.bytes || i >= image->versym.count)
        return;
    uint16_t version;
    memcpy(&version, image->versym.bytes + i * sizeof version, sizeof version);
    symbol->version_hidden = symbol->defined && (version & 0x8000);
    version &= 0x7fff;
    if (version > VER_NDX_LOCAL && version < image->lazy->version_count)
        symbol->version = image->lazy->versions[version];
}

bool image_symbol_get(const struct image *image, const struct image_symbol_table *table, size_t i,
                      struct image_symbol *symbol)
{
    Elf64_Sym raw = raw_symbol(table, i);

    if (raw.st_name >= table->strings.size)
        return false;
    *symbol = (struct image_symbol){
        .name = table->strings.bytes + raw.st_name,
        .value = raw.st_value,
        .size = raw.st_size,
        .type = ELF64_ST_TYPE(raw.st_info),
        .binding = ELF64_ST_BIND(raw.st_info),
        .visibility = ELF64_ST_VISIBILITY(raw.st_other),
        .defined = raw.st_shndx != SHN_UNDEF,
        .dynamic = table->dynamic,
    };
    if (table->dynamic)
        add_version(image, i, symbol);
    return true;
}

/* ------------------------------------------------------- how many in .dynsym --- */

static size_t greater(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t count_by_relocations(const struct records *relocations)
{
    size_t count = 0;

    for (size_t i = 0; i < relocations->count; i++) {
        uint64_t info = image_load64(relocations->bytes + i * sizeof(Elf64_Rela) +
                                     offsetof(Elf64_Rela, r_info));
        count = greater(count, (size_t)ELF64_R_SYM(info) + 1);
    }
    return count;
}

static size_t count_by_section(const struct image *image)
{
    GElf_Shdr section;

    if (!image_section(image, NULL, SHT_DYNSYM, &section) ||
        image_bytes_at(image, section.sh_addr, 1) != image->dynsym.symbols.bytes)
        return 0;
    return section.sh_size / sizeof(Elf64_Sym);
}

/* Linkers place .dynstr after .dynsym. */
static size_t count_to_strings(const struct image *image)
{
    const struct image_symbol_table *table = &image->dynsym;
    uintptr_t begin = (uintptr_t)table->symbols.bytes, end = (uintptr_t)table->strings.bytes;
    size_t count = end > begin ? (end - begin) / sizeof(Elf64_Sym) : 0;

    return count < table->symbols.count ? count : table->symbols.count;
}

/*
 * DT_HASH tells the number. DT_GNU_HASH tells it only where symbols are defined: a program
 * that exports nothing has an empty one, so relocations and the section count too. A mapped object has no
 * section.
 */
static size_t count_dynsym(const struct image *image)
{
    size_t count;

    if (image->sysv_hash.buckets)
        return image->sysv_hash.chain.count;
    count = greater(count_by_relocations(&image->rela), count_by_relocations(&image->jmprel));
    if (image_hash_is_sound(image))
        count = greater(count, image_gnu_hash_count(&image->gnu_hash));
    else if (image_is_mapped(image))
        count = greater(count, count_to_strings(image));
    return greater(count, count_by_section(image));
}

/* Counted once: a program may have a million relocations. */
int image_dynsym_count(const struct image *image, size_t *out, struct elf_error *error)
{
    size_t fits = image->dynsym.symbols.count;
    struct image_lazy *lazy = image->lazy;

    if (!lazy->dynsym_counted) {
        lazy->dynsym_count = count_dynsym(image);
        lazy->dynsym_counted = true;
    }
    if (!image->sysv_hash.buckets && lazy->dynsym_count > fits && fits > 0)
        return elf_fail(error, ELF_DAMAGED, "DT_SYMTAB has more symbols than the file holds");
    *out = fits || image->sysv_hash.buckets ? lazy->dynsym_count : 0;
    return 0;
}

/* ------------------------------------------------------- .symtab --- */

/* Return a section's bytes inside the file, or NULL. */
static const uint8_t *section_bytes(const struct image *image, const GElf_Shdr *section)
{
    if (section->sh_type == SHT_NOBITS || section->sh_offset > image->size ||
        section->sh_size > image->size - section->sh_offset)
        return NULL;
    return image->bytes + section->sh_offset;
}

static int read_symtab_section(const struct image *image, const GElf_Shdr *section,
                               struct image_symbol_table *table, struct elf_error *error)
{
    GElf_Shdr names;
    const uint8_t *symbols = section_bytes(image, section);

    if (!symbols || section->sh_entsize != sizeof(Elf64_Sym) || section->sh_flags & SHF_COMPRESSED)
        return elf_fail(error, ELF_DAMAGED, ".symtab lies outside the file");
    if (!gelf_getshdr(elf_getscn(image->elf, section->sh_link), &names) ||
        names.sh_type != SHT_STRTAB)
        return elf_fail(error, ELF_DAMAGED, ".symtab has no string table");
    const uint8_t *strings = section_bytes(image, &names);
    if (!strings || names.sh_size == 0 || strings[names.sh_size - 1] != '\0')
        return elf_fail(error, ELF_DAMAGED, "the string table of .symtab is damaged");
    table->symbols = (struct records){symbols, section->sh_size / sizeof(Elf64_Sym)};
    table->strings = (struct strings){(const char *)strings, names.sh_size};
    return 0;
}

static int find_symtab(const struct image *image, struct elf_error *error)
{
    GElf_Shdr section;

    if (image->lazy->symtab_read)
        return 0;
    if (image_section(image, NULL, SHT_SYMTAB, &section) &&
        read_symtab_section(image, &section, &image->lazy->symtab, error))
        return -1;
    image->lazy->symtab_read = true;
    return 0;
}

/* ------------------------------------------------------- all symbols --- */

typedef int (*symbol_function)(const struct image_symbol *symbol, void *context);

static int each_symbol(const struct image *image, const struct image_symbol_table *table,
                       size_t count, symbol_function each, void *context, struct elf_error *error)
{
    const char *file = NULL;

    for (size_t i = 1; i < count; i++) {
        struct image_symbol symbol;
        if (!image_symbol_get(image, table, i, &symbol))
            return elf_fail(error, ELF_DAMAGED, "a symbol's name lies outside its string table");
        if (symbol.type == STT_FILE) {
            file = symbol.name[0] ? symbol.name : NULL;
            continue;
        }
        if (!symbol.name[0] || symbol.type == STT_SECTION)
            continue;
        if (!table->dynamic && symbol.binding == STB_LOCAL)
            symbol.file = file;
        int stop = each(&symbol, context);
        if (stop)
            return stop;
    }
    return 0;
}

int image_symbols(const struct image *image,
                  int (*each)(const struct image_symbol *symbol, void *context), void *context,
                  struct elf_error *error)
{
    size_t count;

    if (image_dynsym_count(image, &count, error) || image_read_versions(image, error) ||
        find_symtab(image, error))
        return -1;
    int stop = each_symbol(image, &image->dynsym, count, each, context, error);
    if (stop)
        return stop;
    const struct image_symbol_table *symtab = &image->lazy->symtab;
    return each_symbol(image, symtab, symtab->symbols.count, each, context, error);
}

/* ------------------------------------------------------- one by name --- */

struct wanted {
    const char *name;
    struct image_symbol symbol;
    bool found;
};

/* Take the i-th symbol where it is the wanted one; true where no better one can follow. */
static bool consider_symbol(const struct image *image, const struct image_symbol_table *table,
                            size_t i, struct wanted *wanted)
{
    struct image_symbol symbol;
    Elf64_Sym raw = raw_symbol(table, i);

    if (raw.st_shndx == SHN_UNDEF || ELF64_ST_TYPE(raw.st_info) == STT_FILE ||
        ELF64_ST_TYPE(raw.st_info) == STT_SECTION || raw.st_name >= table->strings.size ||
        strcmp(table->strings.bytes + raw.st_name, wanted->name) != 0 ||
        !image_symbol_get(image, table, i, &symbol))
        return false;
    bool best = !symbol.version_hidden && symbol.binding != STB_LOCAL;
    if (best || !wanted->found)
        wanted->symbol = symbol;
    wanted->found = true;
    return best;
}

static void find_by_scan(const struct image *image, const struct image_symbol_table *table,
                         size_t count, struct wanted *wanted)
{
    for (size_t i = 1; i < count; i++) {
        if (consider_symbol(image, table, i, wanted))
            return;
    }
}

struct dynamic_search {
    const struct image *image;
    struct wanted *wanted;
};

static int consider_dynamic(size_t i, void *context)
{
    const struct dynamic_search *search = context;

    return consider_symbol(search->image, &search->image->dynsym, i, search->wanted);
}

static void find_dynamic(const struct image *image, struct wanted *wanted)
{
    struct dynamic_search search = {image, wanted};
    struct elf_error ignored = {ELF_OK, ""};
    size_t count;

    if (!image->dynsym.symbols.bytes)
        return;
    if (image_hash_is_sound(image))
        image_hash_look_up(image, wanted->name, consider_dynamic, &search);
    else if (!image_dynsym_count(image, &count, &ignored))
        find_by_scan(image, &image->dynsym, count, wanted);
}

/* The STT_FILE of a local symbol is not looked for: image_symbols() gives it. */
bool image_symbol(const struct image *image, const char *name, struct image_symbol *symbol)
{
    struct elf_error ignored = {ELF_OK, ""};
    struct wanted wanted = {.name = name};

    if (image->versym.bytes)
        image_read_versions(image, &ignored);
    find_dynamic(image, &wanted);
    if (!wanted.found && !find_symtab(image, &ignored))
        find_by_scan(image, &image->lazy->symtab, image->lazy->symtab.symbols.count, &wanted);
    if (wanted.found)
        *symbol = wanted.symbol;
    return wanted.found;
}

/* ------------------------------------------------------- all of one name --- */

struct named_walk {
    const struct image *image;
    const char *name;
    symbol_function each;
    void *context;
};

static int give_named(size_t i, void *context)
{
    const struct named_walk *walk = context;
    const struct image_symbol_table *table = &walk->image->dynsym;
    struct image_symbol symbol;
    Elf64_Sym raw = raw_symbol(table, i);

    if (raw.st_shndx == SHN_UNDEF || raw.st_name >= table->strings.size ||
        strcmp(table->strings.bytes + raw.st_name, walk->name) != 0 ||
        !image_symbol_get(walk->image, table, i, &symbol) || symbol.type == STT_FILE ||
        symbol.type == STT_SECTION)
        return 0;
    return walk->each(&symbol, walk->context);
}

int image_symbols_named(const struct image *image, const char *name, symbol_function each,
                        void *context, struct elf_error *error)
{
    struct named_walk walk = {image, name, each, context};
    size_t count;
    int stop = 0;

    if (image_read_versions(image, error) || image_dynsym_count(image, &count, error))
        return -1;
    if (image_hash_is_sound(image))
        return image_hash_look_up(image, name, give_named, &walk);
    for (size_t i = 1; i < count && stop == 0; i++)
        stop = give_named(i, &walk);
    return stop;
}
