/*
 * binary_words.c - see binary_words.h: the words that the dynamic linker writes.
 */
#include "elf/binary_words.h"

#include <stdlib.h>
#include <string.h>

#include "elf/binary.h"
#include "elf/binary_parts.h"
#include "elf/image_bytes.h"
#include "elf/relocations.h"
#include "elf/versions.h"

/* A program's own definitions are what its words hold: no object comes before it in the search. */
static struct binary_word symbol_word(const struct binary *binary,
                                      const struct image_relocation *relocation, uint64_t addend)
{
    const struct image_symbol *symbol = &relocation->symbol;
    struct binary_word word = {BINARY_WORD_SYMBOL, addend, symbol->name, symbol->version};

    if (!relocation->has_symbol)
        return (struct binary_word){BINARY_WORD_ADDRESS, addend, NULL, NULL};
    if (!symbol->defined || !(binary_is_program(binary) || symbol->visibility != STV_DEFAULT))
        return word;
    word.value += symbol->value;
    word.kind = symbol->type == STT_GNU_IFUNC ? BINARY_WORD_INDIRECT : BINARY_WORD_ADDRESS;
    return word;
}

static struct binary_word tls_word(const struct image_relocation *relocation,
                                   enum binary_word_kind kind)
{
    const struct image_symbol *symbol = &relocation->symbol;
    struct binary_word word = {kind, (uint64_t)relocation->addend, NULL, NULL};

    if (!relocation->has_symbol)
        return word;
    word.name = symbol->name;
    word.version = symbol->version;
    if (symbol->defined)
        word.value += symbol->value;
    return word;
}

static struct binary_word word_after(const struct binary *binary,
                                     const struct image_relocation *relocation)
{
    switch (relocation->type) {
    case ARCH_RELOCATION_RELATIVE:
        return (struct binary_word){BINARY_WORD_ADDRESS, (uint64_t)relocation->addend, NULL, NULL};
    case ARCH_RELOCATION_ADDRESS:
        return symbol_word(binary, relocation, (uint64_t)relocation->addend);
    case ARCH_RELOCATION_GLOB_DAT:
    case ARCH_RELOCATION_JUMP_SLOT:
        return symbol_word(binary, relocation, 0);
    case ARCH_RELOCATION_INDIRECT:
        return (struct binary_word){BINARY_WORD_INDIRECT, (uint64_t)relocation->addend, NULL, NULL};
    case ARCH_RELOCATION_TLS_OFFSET:
        return tls_word(relocation, BINARY_WORD_TLS_OFFSET);
    case ARCH_RELOCATION_TLS_MODULE:
        return tls_word(relocation, BINARY_WORD_TLS_MODULE);
    case ARCH_RELOCATION_TLS_BLOCK:
        return tls_word(relocation, BINARY_WORD_TLS_BLOCK);
    case ARCH_RELOCATION_TLS_DESCRIPTOR:
        return tls_word(relocation, BINARY_WORD_TLS_DESCRIPTOR);
    default:
        return (struct binary_word){BINARY_WORD_OTHER, 0, NULL, NULL};
    }
}

static int add_word(const struct image_relocation *relocation, void *context)
{
    struct binary *binary = context;

    if (relocation->type == ARCH_RELOCATION_COPY)
        return 0;
    if (binary->word_count == binary->word_capacity) {
        size_t capacity = binary->word_capacity ? 2 * binary->word_capacity : 256;
        struct binary_relocated *words = realloc(binary->words, capacity * sizeof *words);
        if (!words)
            return 1;
        binary->words = words;
        binary->word_capacity = capacity;
    }
    binary->words[binary->word_count] = (struct binary_relocated){
        relocation->where, (uint32_t)binary->word_count, word_after(binary, relocation)};
    binary->word_count++;
    return 0;
}

static int compare_words(const void *a, const void *b)
{
    const struct binary_relocated *first = a, *second = b;

    if (first->where != second->where)
        return first->where < second->where ? -1 : 1;
    return first->order < second->order ? -1 : first->order > second->order;
}

int binary_read_words(struct binary *binary, struct elf_error *error)
{
    int result = image_relocations(binary->image, add_word, binary, error);

    if (result > 0)
        return elf_fail(error, ELF_NO_MEMORY, "no memory for the relocations");
    if (result == 0 && binary->word_count)
        qsort(binary->words, binary->word_count, sizeof *binary->words, compare_words);
    return result;
}

/* Return the last relocated word that begins before `end`, or NULL. */
static const struct binary_relocated *word_before(const struct binary *binary, uint64_t end)
{
    size_t low = 0, high = binary->word_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (binary->words[middle].where < end)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 ? &binary->words[low - 1] : NULL;
}

struct binary_word binary_word(const struct binary *binary, uint64_t address)
{
    struct binary_word plain = {BINARY_WORD_PLAIN, 0, NULL, NULL};
    uint64_t there = image_bytes_from(binary->image, address);

    if (!image_segment(binary->image, address, sizeof plain.value))
        return (struct binary_word){BINARY_WORD_OUTSIDE, 0, NULL, NULL};
    const struct binary_relocated *word = word_before(binary, address + sizeof plain.value);
    if (word && word->where == address)
        return word->word;
    if (word && address < word->where + sizeof plain.value)
        return (struct binary_word){BINARY_WORD_OTHER, 0, NULL, NULL};
    if (there) /* the rest of the word is zeroed memory */
        memcpy(&plain.value, image_bytes_at(binary->image, address, 1),
               there < sizeof plain.value ? there : sizeof plain.value);
    return plain;
}

bool binary_word_holds(const struct binary *binary, uint64_t address)
{
    for (size_t i = 0; i < binary->word_count; i++)
        if (binary->words[i].word.kind == BINARY_WORD_ADDRESS &&
            binary->words[i].word.value == address)
            return true;
    return false;
}

/* ------------------------------------------------------- imports --- */

struct wanted_import {
    const char *name;
    const char *version;
};

static int find_import(const struct image_symbol *symbol, void *context)
{
    struct wanted_import *wanted = context;

    if (!symbol->dynamic)
        return 2;
    if (strcmp(symbol->name, wanted->name) != 0 || symbol->version_hidden)
        return 0;
    wanted->version = symbol->version;
    return 1;
}

bool binary_import(const struct binary *binary, const char *name, const char **version)
{
    struct wanted_import wanted = {name, NULL};
    struct elf_error ignored = {ELF_OK, ""};

    if (image_symbols(binary->image, find_import, &wanted, &ignored) != 1)
        return false;
    *version = wanted.version;
    return true;
}
