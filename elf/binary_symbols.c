/*
 * binary_symbols.c - see binary_symbols.h and binary.h.
 */
#include "elf/binary_symbols.h"

#include <stdlib.h>
#include <string.h>

#include "elf/binary.h"
#include "elf/binary_parts.h"
#include "elf/pages.h"
#include "elf/symbol_file.h"

/* Of symbols that overlap, so many are looked at. */
enum { AROUND_TRIED = 64 };

/* ------------------------------------------------------- reading --- */

/* What a local symbol lies under. */
struct file_group {
    const char *file;
    uint32_t number;
};

static bool is_kept_symbol(const Elf64_Sym *symbol)
{
    unsigned type = ELF64_ST_TYPE(symbol->st_info);

    return symbol->st_shndx != SHN_UNDEF && type != STT_FILE && type != STT_SECTION &&
           symbol->st_name != 0;
}

/* The linker writes a version behind a name that the program imports: stdout@GLIBC_2.2.5. */
static const char *symbol_text(struct binary *binary, uint32_t offset)
{
    if (offset >= binary->strings_size)
        return "";
    char *name = binary->strings + offset;
    char *at = strchr(name, '@');
    if (at && at != name)
        *at = '\0';
    return name;
}

static void add_binary_symbol(struct binary *binary, const Elf64_Sym *symbol,
                              const struct file_group *group)
{
    bool local = ELF64_ST_BIND(symbol->st_info) == STB_LOCAL;
    struct binary_symbol *out = &binary->symbols[binary->symbol_count++];

    *out = (struct binary_symbol){
        .name = symbol_text(binary, symbol->st_name),
        .file = local ? group->file : NULL,
        .group = local ? group->number : 0,
        .address = symbol->st_value,
        .size = symbol->st_size,
        .type = ELF64_ST_TYPE(symbol->st_info),
        .binding = ELF64_ST_BIND(symbol->st_info),
        .visibility = ELF64_ST_VISIBILITY(symbol->st_other),
    };
    binary->function_count += out->type == STT_FUNC;
}

static void read_symbol_entries(struct binary *binary, const Elf64_Sym *entries, size_t count)
{
    struct file_group group = {NULL, 0};

    for (size_t i = 1; i < count; i++) {
        if (ELF64_ST_TYPE(entries[i].st_info) == STT_FILE) {
            group.file = symbol_text(binary, entries[i].st_name);
            binary->files[binary->group_count] = group.file;
            group.number = ++binary->group_count;
        } else if (is_kept_symbol(&entries[i]))
            add_binary_symbol(binary, &entries[i], &group);
    }
}

/* ------------------------------------------------------- indexes --- */

struct addressed_symbol {
    uint64_t address;
    uint32_t index;
};

static int compare_addressed(const void *a, const void *b)
{
    const struct addressed_symbol *first = a, *second = b;

    if (first->address != second->address)
        return first->address < second->address ? -1 : 1;
    return first->index < second->index ? -1 : first->index > second->index;
}

static int index_addresses(struct binary *binary)
{
    struct addressed_symbol *order = calloc(binary->symbol_count + 1, sizeof *order);

    binary->by_address = calloc(binary->symbol_count + 1, sizeof *binary->by_address);
    if (!order || !binary->by_address) {
        free(order);
        return -1;
    }
    size_t count = 0;
    for (uint32_t i = 0; i < binary->symbol_count; i++) {
        if (binary->symbols[i].type != STT_TLS)
            order[count++] = (struct addressed_symbol){binary->symbols[i].address, i};
    }
    qsort(order, count, sizeof *order, compare_addressed);
    for (size_t i = 0; i < count; i++)
        binary->by_address[i] = order[i].index;
    binary->by_address_count = count;
    free(order);
    return 0;
}

static size_t name_bucket(const struct binary *binary, const char *name)
{
    uint32_t hash = 5381;

    while (*name)
        hash = hash * 33 + (unsigned char)*name++;
    return (hash ^ hash >> 15) & (binary->bucket_count - 1);
}

static int index_symbol_names(struct binary *binary)
{
    for (binary->bucket_count = 16; binary->bucket_count < binary->symbol_count;)
        binary->bucket_count *= 2;
    binary->buckets = calloc(binary->bucket_count, sizeof *binary->buckets);
    binary->next_named = calloc(binary->symbol_count + 1, sizeof *binary->next_named);
    if (!binary->buckets || !binary->next_named)
        return -1;
    for (size_t i = binary->symbol_count; i > 0; i--) {
        uint32_t *bucket = &binary->buckets[name_bucket(binary, binary->symbols[i - 1].name)];
        binary->next_named[i - 1] = *bucket;
        *bucket = (uint32_t)i;
    }
    return 0;
}

static int read_entries_of(struct binary *binary, const struct symbol_file *file,
                           const Elf64_Shdr *table, struct elf_error *error)
{
    size_t count = table->sh_size / sizeof(Elf64_Sym);
    Elf64_Sym *entries;

    if (table->sh_entsize != sizeof *entries || table->sh_size % sizeof *entries != 0 ||
        table->sh_link >= file->section_count || table->sh_size > file->size)
        return elf_fail(error, ELF_DAMAGED, "the symbol table is damaged");
    binary->strings_size = file->sections[table->sh_link].sh_size;
    binary->strings = symbol_file_strings(file, &file->sections[table->sh_link], error);
    if (!binary->strings)
        return -1;
    entries = calloc(count + 1, sizeof *entries);
    binary->symbols = calloc(count + 1, sizeof *binary->symbols);
    binary->files = calloc(count + 1, sizeof *binary->files);
    if (!entries || !binary->symbols || !binary->files) {
        free(entries);
        return elf_fail(error, ELF_NO_MEMORY, "no memory for the symbols");
    }
    if (!symbol_file_read(file, entries, table->sh_offset, table->sh_size)) {
        free(entries);
        return elf_fail(error, ELF_DAMAGED, "the symbol table cannot be read");
    }
    read_symbol_entries(binary, entries, count);
    free(entries);
    return 0;
}

int binary_read_symbols(struct binary *binary, const struct symbol_file *file,
                        struct elf_error *error)
{
    const Elf64_Shdr *table = symbol_file_section(file, NULL, SHT_SYMTAB);

    if (table && read_entries_of(binary, file, table, error))
        return -1;
    if (index_addresses(binary) || index_symbol_names(binary))
        return elf_fail(error, ELF_NO_MEMORY, "no memory for the symbols");
    return 0;
}

void binary_free_symbols(struct binary *binary)
{
    free(binary->symbols);
    free(binary->files);
    free(binary->by_address);
    free(binary->buckets);
    free(binary->next_named);
    pages_drop(binary->strings, binary->strings_size);
}

/* ------------------------------------------------------- look-ups --- */

bool binary_has_symbols(const struct binary *binary)
{
    return binary->function_count > 0;
}

bool binary_has_files(const struct binary *binary)
{
    return binary->group_count > 0;
}

size_t binary_file_count(const struct binary *binary, const char *name)
{
    size_t count = 0;

    for (uint32_t i = 0; i < binary->group_count; i++)
        count += strcmp(binary->files[i], name) == 0;
    return count;
}

size_t binary_group_count(const struct binary *binary)
{
    return binary->group_count;
}

size_t binary_symbol_count(const struct binary *binary)
{
    return binary->symbol_count;
}

const struct binary_symbol *binary_symbol(const struct binary *binary, size_t i)
{
    return &binary->symbols[i];
}

int binary_named(const struct binary *binary, const char *name, binary_symbol_visit *each,
                 void *context)
{
    for (uint32_t i = binary->buckets[name_bucket(binary, name)]; i;
         i = binary->next_named[i - 1]) {
        const struct binary_symbol *symbol = &binary->symbols[i - 1];
        int stop = strcmp(symbol->name, name) == 0 ? each(symbol, context) : 0;
        if (stop)
            return stop;
    }
    return 0;
}

/* Return how many symbols begin at or before the address; all of them below `address` with `before`. */
static size_t symbols_to(const struct binary *binary, uint64_t address, bool before)
{
    size_t low = 0, high = binary->by_address_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        uint64_t begin = binary->symbols[binary->by_address[middle]].address;
        if (begin < address || (begin == address && !before))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int binary_at(const struct binary *binary, uint64_t address, binary_symbol_visit *each,
              void *context)
{
    size_t end = symbols_to(binary, address, false);

    for (size_t i = symbols_to(binary, address, true); i < end; i++) {
        int stop = each(&binary->symbols[binary->by_address[i]], context);
        if (stop)
            return stop;
    }
    return 0;
}

const struct binary_symbol *binary_around(const struct binary *binary, uint64_t address)
{
    size_t count = symbols_to(binary, address, false);

    for (size_t i = count; i > 0 && count - i < AROUND_TRIED; i--) {
        const struct binary_symbol *symbol = &binary->symbols[binary->by_address[i - 1]];
        if (address - symbol->address < symbol->size)
            return symbol;
    }
    return NULL;
}

struct unique_place {
    uint64_t address;
    size_t count;
};

static int count_place(const struct binary_symbol *symbol, void *context)
{
    struct unique_place *place = context;

    if (place->count > 0 && place->address == symbol->address)
        return 0;
    place->address = symbol->address;
    return ++place->count > 1;
}

bool binary_unique(const struct binary *binary, const char *name, uint64_t *address)
{
    struct unique_place place = {0, 0};

    binary_named(binary, name, count_place, &place);
    *address = place.address;
    return place.count == 1;
}
