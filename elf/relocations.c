/*
 * relocations.c - DT_RELR, DT_RELA and DT_JMPREL, and what words hold after them.
 *
 * Any thread, one at a time per image. For a file, an index of all relocated words is made
 * once, when the first word is asked for; of a mapped object the words themselves are read.
 */
#include "elf/relocations.h"

#include <stdlib.h>
#include <string.h>

#include "elf/image_bytes.h"
#include "elf/image_parts.h"
#include "elf/symbols.h"
#include "elf/versions.h"

/* A word that the dynamic relocations write. */
struct relocated_word {
    uint64_t where;
    uint64_t value; /* before load bias */
    uint32_t order; /* ld.so applies them in this order: the last one counts */
    enum word_source source;
};

typedef int (*relocation_function)(const struct image_relocation *relocation, void *context);

struct relocation_walk {
    const struct image *image;
    relocation_function each;
    void *context;
    struct elf_error *error;
    bool symbols_only;
    const char *name; /* of the one symbol that is wanted, or NULL */
    bool indirect_only;
};

/* ld.so would fault on a store outside, or into text without DT_TEXTREL. */
static int check_place(const struct relocation_walk *walk, uint64_t where)
{
    uint32_t flags = walk->image->has_textrel ? 0 : PF_W;

    if (image_has(walk->image, where, sizeof(uint64_t), flags))
        return 0;
    return elf_fail(walk->error, ELF_DAMAGED, "a relocation at 0x%llx is not in writable memory",
                    (unsigned long long)where);
}

static int give_relr(const struct relocation_walk *walk, uint64_t where)
{
    const uint8_t *word = image_bytes_at(walk->image, where, sizeof(uint64_t));

    if (check_place(walk, where))
        return -1;
    if (!word)
        return elf_fail(walk->error, ELF_DAMAGED, "DT_RELR points out of the file");
    struct image_relocation relocation = {
        .where = where,
        .addend =
            (int64_t)(image_load64(word) - (image_is_mapped(walk->image) ? walk->image->bias : 0)),
        .type = ARCH_RELOCATION_RELATIVE,
        .relro = image_in_relro(walk->image, where, sizeof(uint64_t)),
    };
    return walk->each(&relocation, walk->context);
}

/*
 * Generic ABI, "Relative Relocation Table": an even entry is an address, an odd one a bitmap
 * of the 63 words that follow. Entries ascend in what linkers write; that is required here,
 * as a bound on the words that a small file can name.
 */
static int walk_relr(const struct relocation_walk *walk)
{
    const struct records *relr = &walk->image->relr;
    uint64_t next = 0;

    for (size_t i = 0; i < relr->count; i++) {
        uint64_t entry = image_load64(relr->bytes + i * sizeof entry);
        if (!(entry & 1)) {
            if (entry < next)
                return elf_fail(walk->error, ELF_DAMAGED, "DT_RELR does not ascend");
            int stop = give_relr(walk, entry);
            if (stop)
                return stop;
            next = entry + sizeof(uint64_t);
            continue;
        }
        for (uint64_t bits = entry >> 1, at = next; bits; bits >>= 1, at += sizeof(uint64_t)) {
            int stop = bits & 1 ? give_relr(walk, at) : 0;
            if (stop)
                return stop;
        }
        next += 63 * sizeof(uint64_t);
    }
    return 0;
}

static int add_symbol(const struct relocation_walk *walk, uint64_t index,
                      struct image_relocation *relocation)
{
    const struct image_symbol_table *table = &walk->image->dynsym;

    if (index == 0)
        return 0;
    if (index >= table->symbols.count ||
        !image_symbol_get(walk->image, table, index, &relocation->symbol))
        return elf_fail(walk->error, ELF_DAMAGED,
                        "the relocation at 0x%llx names a symbol that is not there",
                        (unsigned long long)relocation->where);
    relocation->has_symbol = true;
    return 0;
}

/* An index out of bounds is wanted: add_symbol() reports it. */
static bool is_wanted_relocation(const struct relocation_walk *walk, uint64_t info)
{
    const struct image_symbol_table *table = &walk->image->dynsym;
    uint64_t index = ELF64_R_SYM(info);
    Elf64_Sym symbol;

    if (walk->indirect_only)
        return ELF64_R_TYPE(info) == arch_relocation_indirect();
    if (!walk->symbols_only)
        return true;
    if (index == 0 || !walk->name)
        return index != 0;
    if (index >= table->symbols.count)
        return true;
    memcpy(&symbol, table->symbols.bytes + index * sizeof symbol, sizeof symbol);
    return symbol.st_name >= table->strings.size ||
           strcmp(table->strings.bytes + symbol.st_name, walk->name) == 0;
}

static int walk_rela(const struct relocation_walk *walk, const struct records *table, bool plt)
{
    for (size_t i = 0; i < table->count; i++) {
        Elf64_Rela rela;
        memcpy(&rela, table->bytes + i * sizeof rela, sizeof rela);
        if (!is_wanted_relocation(walk, rela.r_info))
            continue;
        struct image_relocation relocation = {
            .where = rela.r_offset,
            .addend = rela.r_addend,
            .type = arch_relocation(ELF64_R_TYPE(rela.r_info)),
            .plt = plt,
            .relro = image_in_relro(walk->image, rela.r_offset, sizeof(uint64_t)),
        };
        if (relocation.type == ARCH_RELOCATION_NONE)
            continue;
        if (check_place(walk, rela.r_offset) ||
            add_symbol(walk, ELF64_R_SYM(rela.r_info), &relocation))
            return -1;
        int stop = walk->each(&relocation, walk->context);
        if (stop)
            return stop;
    }
    return 0;
}

/* Walk the tables in the order in which ld.so applies them. */
static int walk_all(const struct relocation_walk *walk)
{
    int stop;

    if (walk->image->versym.bytes && image_read_versions(walk->image, walk->error))
        return -1;
    stop = walk->symbols_only || walk->indirect_only ? 0 : walk_relr(walk);
    if (!stop)
        stop = walk_rela(walk, &walk->image->rela, false);
    return stop ? stop : walk_rela(walk, &walk->image->jmprel, true);
}

int image_relocations(const struct image *image,
                      int (*each)(const struct image_relocation *relocation, void *context),
                      void *context, struct elf_error *error)
{
    return walk_all(&(struct relocation_walk){image, each, context, error, false, NULL, false});
}

int image_symbol_relocations(const struct image *image, const char *name,
                             int (*each)(const struct image_relocation *relocation, void *context),
                             void *context, struct elf_error *error)
{
    return walk_all(&(struct relocation_walk){image, each, context, error, true, name, false});
}

int image_indirect_relocations(const struct image *image,
                               int (*each)(const struct image_relocation *relocation,
                                           void *context),
                               void *context, struct elf_error *error)
{
    return walk_all(&(struct relocation_walk){image, each, context, error, false, NULL, true});
}

/* ------------------------------------------------------- words --- */

struct relocated_list {
    struct relocated_word *words;
    size_t count, capacity;
    bool ascending;
};

/* Return the source of a word that holds a symbol's address. An IFUNC's resolver decides at run time. */
static enum word_source symbol_source(const struct image_relocation *relocation)
{
    const struct image_symbol *symbol = &relocation->symbol;

    if (!relocation->has_symbol || symbol->type == STT_TLS || symbol->type == STT_GNU_IFUNC)
        return WORD_FOREIGN;
    if (symbol->defined)
        return WORD_ADDRESS;
    return symbol->binding == STB_WEAK ? WORD_WEAK : WORD_FOREIGN;
}

static struct relocated_word word_of(const struct image_relocation *relocation, size_t order)
{
    struct relocated_word word = {
        .where = relocation->where, .order = (uint32_t)order, .source = WORD_FOREIGN};

    switch (relocation->type) {
    case ARCH_RELOCATION_RELATIVE:
        word.source = WORD_ADDRESS;
        word.value = (uint64_t)relocation->addend;
        break;
    case ARCH_RELOCATION_ADDRESS:
        word.source = symbol_source(relocation);
        word.value = relocation->symbol.value + (uint64_t)relocation->addend;
        break;
    case ARCH_RELOCATION_GLOB_DAT:
    case ARCH_RELOCATION_JUMP_SLOT:
        word.source = symbol_source(relocation);
        word.value = relocation->symbol.value;
        break;
    default:
        break;
    }
    if (word.source != WORD_ADDRESS)
        word.value = 0;
    return word;
}

static int add_relocated_word(const struct image_relocation *relocation, void *context)
{
    struct relocated_list *list = context;

    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 64;
        struct relocated_word *words = realloc(list->words, capacity * sizeof *words);
        if (!words)
            return 1;
        list->words = words;
        list->capacity = capacity;
    }
    if (list->count > 0 && relocation->where < list->words[list->count - 1].where)
        list->ascending = false;
    list->words[list->count] = word_of(relocation, list->count);
    list->count++;
    return 0;
}

static int compare_relocated(const void *left, const void *right)
{
    const struct relocated_word *a = left, *b = right;

    if (a->where != b->where)
        return a->where < b->where ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

static bool read_relocated_words(const struct image *image)
{
    struct relocated_list list = {.ascending = true};
    struct elf_error ignored = {ELF_OK, ""};

    if (image->lazy->words_read)
        return true;
    if (image_relocations(image, add_relocated_word, &list, &ignored)) {
        free(list.words);
        return false;
    }
    if (!list.ascending)
        qsort(list.words, list.count, sizeof *list.words, compare_relocated);
    image->lazy->words = list.words;
    image->lazy->word_count = list.count;
    image->lazy->words_read = true;
    return true;
}

/* Return the last relocated word that begins before `end`, or NULL. */
static const struct relocated_word *last_word_before(const struct image *image, uint64_t end)
{
    size_t low = 0, high = image->lazy->word_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (image->lazy->words[middle].where < end)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 ? &image->lazy->words[low - 1] : NULL;
}

/* One past the end of a PT_LOAD counts as inside: arrays may end there. */
static bool points_into(const struct image *image, uint64_t address)
{
    return image_segment(image, address, 0) || (address && image_segment(image, address - 1, 0));
}

static enum word_source file_word(const struct image *image, uint64_t address, uint64_t *value)
{
    const uint8_t *bytes = image_bytes_at(image, address, sizeof *value);

    if (!read_relocated_words(image))
        return WORD_FOREIGN;
    const struct relocated_word *word = last_word_before(image, address + sizeof *value);
    if (word && word->where == address) {
        *value = word->value;
        return word->source;
    }
    if (word && address < word->where + sizeof *value)
        return WORD_FOREIGN; /* a relocation changes part of it */
    if (!bytes && image_bytes_from(image, address) > 0)
        return WORD_OUTSIDE; /* half in the file, half in zeroed memory */
    *value = bytes ? image_load64(bytes) : 0;
    return image->type == ET_EXEC && points_into(image, *value) ? WORD_ADDRESS : WORD_PLAIN;
}

/* One load: the host's threads may be switching the word. */
static uint64_t live_word(const uint8_t *bytes)
{
    if ((uintptr_t)bytes % sizeof(uint64_t) != 0)
        return image_load64(bytes);
    return __atomic_load_n((const uint64_t *)(const void *)bytes, __ATOMIC_RELAXED);
}

static enum word_source mapped_word(const struct image *image, uint64_t address, uint64_t *value)
{
    const struct segment *segment = image_segment(image, address, sizeof *value);

    if (!(segment->flags & PF_R))
        return WORD_OUTSIDE;
    uint64_t word = live_word(segment->bytes + (address - segment->address));
    if (word && points_into(image, word - image->bias)) {
        *value = word - image->bias;
        return WORD_ADDRESS;
    }
    *value = word;
    return word ? WORD_FOREIGN : WORD_PLAIN;
}

enum word_source image_word_source(const struct image *image, uint64_t address, uint64_t *value)
{
    *value = 0;
    if (!image_segment(image, address, sizeof *value))
        return WORD_OUTSIDE;
    return image_is_mapped(image) ? mapped_word(image, address, value)
                                  : file_word(image, address, value);
}

bool image_word_at(const struct image *image, uint64_t address, uint64_t *value)
{
    enum word_source source = image_word_source(image, address, value);

    return source == WORD_PLAIN || source == WORD_ADDRESS;
}
