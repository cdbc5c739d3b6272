/* libc_symbols.c - see libc_symbols.h. The hash table: gABI, "Dynamic Section", and
 * https://sourceware.org/legacy-ml/binutils/2006-10/msg00377.html for DT_GNU_HASH. */
#include "preload/libc_symbols.h"

#include <dlfcn.h>
#include <elf.h>
#include <gnu/libc-version.h>
#include <link.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/unwind.h"

extern const char *gnu_get_libc_version(void) __attribute__((weak));
extern int _dl_find_object(void *address, struct dl_find_object *result) __attribute__((weak));

struct libc_symbol_table {
    uint64_t bias;
    const Elf64_Sym *symbols;
    const char *strings;
    const uint32_t *hash;
    const Elf64_Half *versions;
};

static struct {
    _Atomic bool found;
    struct libc_symbol_table libc, allocator;
    uint64_t libc_begin, loader_begin, allocator_begin;
    bool allocator_is_part; /* the allocator is in an object that has other code too */
} objects;

static uint64_t symbol_begin(const void *address)
{
    struct unwind_object object;

    return unwind_object((uintptr_t)address, &object) ? object.begin : 0;
}

/* Read the dynamic section. ld.so has relocated its pointers in place. */
static void read_libc_dynamic(const struct link_map *map, struct libc_symbol_table *table)
{
    table->bias = map->l_addr;
    for (const ElfW(Dyn) *entry = map->l_ld; entry->d_tag != DT_NULL; entry++) {
        const void *at = (const void *)entry->d_un.d_ptr;

        if (entry->d_tag == DT_SYMTAB)
            table->symbols = at;
        else if (entry->d_tag == DT_STRTAB)
            table->strings = at;
        else if (entry->d_tag == DT_GNU_HASH)
            table->hash = at;
        else if (entry->d_tag == DT_VERSYM)
            table->versions = at;
    }
}

static void *address_of_function(void (*function)(void))
{
    void *address;

    memcpy(&address, &function, sizeof(address));
    return address;
}

static uint32_t gnu_hash(const char *name)
{
    uint32_t hash = 5381;

    for (; *name; name++)
        hash = hash * 33 + (unsigned char)*name;
    return hash;
}

static bool same_symbol_name(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

/* Return whether the symbol has this name. Of several versions only the default has no VERSYM_HIDDEN. */
static bool is_symbol_named(const struct libc_symbol_table *table, uint32_t index, const char *name)
{
    const Elf64_Sym *symbol = &table->symbols[index];

    return same_symbol_name(table->strings + symbol->st_name, name) &&
           symbol->st_shndx != SHN_UNDEF &&
           (!table->versions || !(table->versions[index] & 0x8000));
}

static uint64_t symbol_of(const struct libc_symbol_table *table, const char *name)
{
    uint32_t count = table->hash[0], first = table->hash[1], words = table->hash[2];
    const uint32_t *buckets = table->hash + 4 + words * 2, *chains = buckets + count;
    uint32_t hash = gnu_hash(name), index = buckets[hash % count];

    if (index < first)
        return 0;
    for (;; index++) {
        uint32_t entry = chains[index - first];

        if ((entry | 1) == (hash | 1) && is_symbol_named(table, index, name))
            return table->bias + table->symbols[index].st_value;
        if (entry & 1)
            return 0;
    }
}

static bool is_complete(const struct libc_symbol_table *table)
{
    return table->symbols && table->strings && table->hash;
}

/* Find the first object in the order of look-ups that defines malloc. A program's own address of malloc may be that
 * of a jump to it. The vDSO's pointers are not relocated. */
static void find_allocator(const struct link_map *map)
{
    while (map->l_prev)
        map = map->l_prev;
    for (; map && !objects.allocator_begin; map = map->l_next) {
        struct libc_symbol_table table = {0};
        uint64_t at;

        read_libc_dynamic(map, &table);
        if (!is_complete(&table) || (uintptr_t)table.hash < map->l_addr)
            continue;
        at = symbol_of(&table, "malloc");
        if (!at)
            continue;
        objects.allocator = table;
        objects.allocator_begin = symbol_begin((const void *)(uintptr_t)at);
        objects.allocator_is_part = !map->l_prev || symbol_of(&table, "read") != 0;
    }
}

bool libc_symbols_find(void)
{
    struct dl_find_object found;

    if (atomic_load_explicit(&objects.found, memory_order_acquire))
        return true;
    if (!_dl_find_object || !gnu_get_libc_version ||
        _dl_find_object(address_of_function((void (*)(void))gnu_get_libc_version), &found) != 0 ||
        !found.dlfo_link_map)
        return false;
    objects.libc_begin = (uintptr_t)found.dlfo_map_start;
    read_libc_dynamic(found.dlfo_link_map, &objects.libc);
    objects.loader_begin =
        symbol_begin(address_of_function((void (*)(void))_dl_find_object)); /* ld.so's */
    if (!is_complete(&objects.libc))
        return false;
    find_allocator(found.dlfo_link_map);
    atomic_store_explicit(&objects.found, true, memory_order_release);
    return true;
}

uint64_t libc_symbol(const char *name)
{
    return symbol_of(&objects.libc, name);
}

uint64_t libc_allocator_symbol(const char *name)
{
    return is_complete(&objects.allocator) ? symbol_of(&objects.allocator, name) : 0;
}

bool libc_is_at(uint64_t begin)
{
    return begin == objects.libc_begin;
}

bool libc_loader_is_at(uint64_t begin)
{
    return begin == objects.loader_begin;
}

bool libc_allocator_is_at(uint64_t begin)
{
    return begin == objects.allocator_begin && begin != objects.libc_begin &&
           !objects.allocator_is_part;
}

bool libc_allocator_is_part_of(uint64_t begin)
{
    return begin == objects.allocator_begin && begin != objects.libc_begin &&
           objects.allocator_is_part;
}
