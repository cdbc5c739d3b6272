/*
 * functions_read.c - gather the named functions of an object: .dynsym in place, .symtab by pread(2).
 *
 * Runs on the listener and in the command. .symtab is read in pieces and never held; of its
 * strings a copy stays. What is held is counted at the top of functions.c.
 */
#include "elf/functions_read.h"

#include <stdlib.h>
#include <string.h>

#include "elf/functions_parts.h"
#include "elf/functions_places.h"
#include "elf/image.h"
#include "elf/pages.h"
#include "elf/symbols.h"
#include "elf/versions.h"

enum { SYMBOLS_AT_ONCE = 8192 };

#define STRING_LIMIT (UINT32_C(1) << 30) /* struct function_entry holds 30 bits */
#define SYMBOLS_MAX (UINT64_C(1) << 28)

/* ------------------------------------------------------- the name index --- */

/* Until then each entry's `next` holds the hash of its name. Chains keep the order of entries. */
static int make_index(struct functions *functions, struct name_index *index, size_t begin,
                      size_t end, struct elf_error *error)
{
    size_t heads = 16;

    while (heads < end - begin)
        heads *= 2;
    index->heads = calloc(heads, sizeof *index->heads);
    if (!index->heads)
        return elf_fail(error, ELF_NO_MEMORY, "no memory for an index of %zu names", end - begin);
    index->mask = (uint32_t)heads - 1;
    for (size_t i = end; i-- > begin;) {
        uint32_t *head = &index->heads[functions->entries[i].next & index->mask];
        functions->entries[i].next = *head;
        *head = (uint32_t)i + 1;
    }
    return 0;
}

/* ------------------------------------------------------- one symbol --- */

static bool is_function_symbol(struct functions *functions, const struct image_symbol *symbol,
                               uint16_t section)
{
    if (section == SHN_UNDEF || section == SHN_ABS || section == SHN_COMMON ||
        !functions_may_be_at(functions, symbol->value))
        return false;
    if (symbol->type == STT_FUNC || symbol->type == STT_GNU_IFUNC)
        return true;
    /* Assembler code leaves the type out; a label inside a function has none, either. */
    struct unwind_range ignored;
    return symbol->type == STT_NOTYPE &&
           unwind_begins_at(&functions->unwind, symbol->value, &ignored);
}

static void add_symbol_entry(struct functions *functions, const struct image_symbol *symbol,
                             uint32_t name, uint32_t extra, uint32_t hash)
{
    functions->entries[functions->count++] = (struct function_entry){
        .address = symbol->value,
        .name = name,
        .local = symbol->binding == STB_LOCAL,
        .weak = symbol->binding == STB_WEAK,
        .extra = extra,
        .ifunc = symbol->type == STT_GNU_IFUNC,
        .hidden = symbol->version_hidden,
        .size = symbol->size <= UINT32_MAX ? (uint32_t)symbol->size : 0,
        .next = hash,
    };
}

/* ------------------------------------------------------- .dynsym --- */

static uint16_t version_index(const struct image *image, size_t i)
{
    uint16_t version = 0;

    if (image->versym.bytes && i < image->versym.count)
        memcpy(&version, image->versym.bytes + i * sizeof version, sizeof version);
    return version & 0x7fff;
}

static void read_dynamic_symbol(struct functions *functions, size_t i)
{
    const struct image *image = functions->image;
    struct image_symbol symbol;
    uint16_t section;

    if (!image_symbol_get(image, &image->dynsym, i, &symbol) || !symbol.name[0])
        return;
    memcpy(&section,
           image->dynsym.symbols.bytes + i * sizeof(Elf64_Sym) + offsetof(Elf64_Sym, st_shndx),
           sizeof section);
    size_t name = (size_t)(symbol.name - image->dynsym.strings.bytes);
    if (symbol.binding == STB_LOCAL || name >= STRING_LIMIT ||
        !is_function_symbol(functions, &symbol, section))
        return;
    add_symbol_entry(functions, &symbol, (uint32_t)name,
                     symbol.version ? version_index(image, i) : 0,
                     functions_name_hash(symbol.name, strlen(symbol.name)));
}

/* ------------------------------------------------------- .symtab --- */

struct symtab {
    const struct symbol_file *file;
    const Elf64_Shdr *section;
    size_t count;
    uint32_t source; /* offset of the STT_FILE that locals lie under; 0: none */
};

static const struct symtab no_symtab;

/* "memcpy@@GLIBC_2.14": ld writes versions into .symtab's names. 0: an '@' that begins no version. Another
 * name may share it, and end there once versions are cut: this one could not be found by its hash. */
static size_t split_version(const char *name, size_t length, struct image_symbol *symbol,
                            uint32_t *version)
{
    const char *at = memchr(name, '@', length);

    if (!at)
        return length;
    if (symbol->binding == STB_LOCAL)
        return 0;
    symbol->version_hidden = at[1] != '@';
    *version = (uint32_t)(at - name) + (symbol->version_hidden ? 1 : 2);
    return (size_t)(at - name);
}

static bool is_exported(const struct functions *functions, const char *name, size_t length,
                        uint32_t hash, uint64_t address)
{
    enum { VERSIONS_MAX = 64 }; /* a hostile file has any number of one name */
    const struct name_index *index = &functions->dynamic_names;
    uint32_t at = index->heads ? index->heads[hash & index->mask] : 0;

    for (int i = 0; at != 0 && i < VERSIONS_MAX; i++) {
        const struct function_entry *entry = &functions->entries[at - 1];
        const char *other = functions_entry_name(functions, at - 1);
        if (entry->address == address && strncmp(other, name, length) == 0 && !other[length])
            return true;
        at = entry->next;
    }
    return false;
}

static void read_symtab_symbol(struct functions *functions, struct symtab *symtab,
                               const Elf64_Sym *raw)
{
    if (raw->st_name >= functions->strings_size || raw->st_name >= STRING_LIMIT)
        return;
    const char *name = functions->strings + raw->st_name;
    struct image_symbol symbol = {
        .value = raw->st_value,
        .size = raw->st_size,
        .type = ELF64_ST_TYPE(raw->st_info),
        .binding = ELF64_ST_BIND(raw->st_info),
    };
    if (symbol.type == STT_FILE) {
        symtab->source = name[0] ? raw->st_name : 0;
        return;
    }
    if (!name[0] || !is_function_symbol(functions, &symbol, raw->st_shndx))
        return;
    uint32_t version = 0;
    size_t length = split_version(name, strlen(name), &symbol, &version);
    if (length == 0)
        return;
    uint32_t hash = functions_name_hash(name, length);
    if (symbol.binding == STB_LOCAL)
        add_symbol_entry(functions, &symbol, raw->st_name, symtab->source, hash);
    else if (!is_exported(functions, name, length, hash, symbol.value))
        add_symbol_entry(functions, &symbol, raw->st_name, version ? raw->st_name + version : 0,
                         hash);
}

/* Last, since names may share their ends. */
static void cut_versions(struct functions *functions)
{
    for (size_t i = functions->dynamic_count; i < functions->count; i++) {
        const struct function_entry *entry = &functions->entries[i];
        if (!entry->local && entry->extra)
            functions->strings[entry->extra - (entry->hidden ? 1 : 2)] = '\0';
    }
}

static int read_symtab_functions(struct functions *functions, struct symtab *symtab,
                                 struct elf_error *error)
{
    Elf64_Sym *piece = malloc(SYMBOLS_AT_ONCE * sizeof *piece);

    if (!piece)
        return elf_fail(error, ELF_NO_MEMORY, "no memory to read .symtab");
    for (size_t at = 0; at < symtab->count;) {
        size_t count = symtab->count - at < SYMBOLS_AT_ONCE ? symtab->count - at : SYMBOLS_AT_ONCE;
        if (!symbol_file_read(symtab->file, piece, symtab->section->sh_offset + at * sizeof *piece,
                              count * sizeof *piece)) {
            free(piece);
            return elf_fail(error, ELF_DAMAGED, ".symtab cannot be read");
        }
        for (size_t i = 0; i < count; i++)
            read_symtab_symbol(functions, symtab, &piece[i]);
        at += count;
    }
    free(piece);
    cut_versions(functions);
    return 0;
}

/* Find .symtab and copy its strings. Without .symtab `out->count` stays 0. */
static int open_symtab(struct functions *functions, const struct symbol_file *file,
                       struct symtab *out, struct elf_error *error)
{
    const Elf64_Shdr *section = symbol_file_section(file, NULL, SHT_SYMTAB);

    *out = no_symtab;
    if (!section)
        return 0;
    uint64_t count = section->sh_size / sizeof(Elf64_Sym);
    if (section->sh_entsize != sizeof(Elf64_Sym) || section->sh_flags & SHF_COMPRESSED ||
        count > SYMBOLS_MAX || section->sh_offset > file->size ||
        section->sh_size > file->size - section->sh_offset)
        return elf_fail(error, ELF_DAMAGED, ".symtab lies outside the file");
    if (section->sh_link >= file->section_count)
        return elf_fail(error, ELF_DAMAGED, ".symtab has no string table");
    const Elf64_Shdr *strings = &file->sections[section->sh_link];
    functions->strings = symbol_file_strings(file, strings, error);
    if (!functions->strings)
        return -1;
    functions->strings_size = strings->sh_size;
    *out = (struct symtab){.file = file, .section = section, .count = (size_t)count};
    return 0;
}

static void drop_symtab(struct functions *functions)
{
    pages_drop(functions->strings, functions->strings_size);
    functions->strings = NULL;
    functions->strings_size = 0;
    functions->count = functions->dynamic_count;
}

/* ------------------------------------------------------- all of it --- */

/* Read the names of .dynsym and of `symtab`, which may have no symbols. Where `symtab` cannot be read, those
 * of .dynsym remain. */
static int read_names(struct functions *functions, struct symtab *symtab, struct elf_error *error)
{
    size_t exported = 0;

    if (functions->image && (image_dynsym_count(functions->image, &exported, error) ||
                             image_read_versions(functions->image, error)))
        return -1;
    if (exported > SYMBOLS_MAX)
        return elf_fail(error, ELF_DAMAGED, ".dynsym has %zu symbols", exported);
    size_t room = (exported + symtab->count + 1) * sizeof *functions->entries;
    functions->entries = pages_get(room);
    if (!functions->entries)
        return elf_fail(error, ELF_NO_MEMORY, "no memory for %zu symbols",
                        exported + symtab->count);
    for (size_t i = 1; i < exported; i++)
        read_dynamic_symbol(functions, i);
    functions->entries_size = room;
    functions->dynamic_count = functions->count;
    if (make_index(functions, &functions->dynamic_names, 0, functions->count, error))
        return -1;
    int result = symtab->count > 0 ? read_symtab_functions(functions, symtab, error) : 0;
    if (result)
        drop_symtab(functions);
    functions->entries_size = (functions->count + 1) * sizeof *functions->entries;
    pages_cut(functions->entries, room, functions->entries_size); /* data and imports have none */
    if (make_index(functions, &functions->symtab_names, functions->dynamic_count, functions->count,
                   error))
        return -1;
    return result;
}

/* Open the file of the mapped object; another or a damaged file is left closed. */
static void open_matching(struct symbol_file *file, struct functions *functions, int descriptor)
{
    struct elf_error ignored = {ELF_OK, ""};

    *file = (struct symbol_file){.file = -1};
    if (descriptor < 0 || symbol_file_open(file, descriptor, &ignored) ||
        symbol_file_is_of(file, functions->image))
        return;
    symbol_file_close(file);
}

static uint64_t frames_of(const struct symbol_file *file)
{
    const Elf64_Shdr *section = symbol_file_section(file, ".eh_frame", SHT_NULL);

    return section && section->sh_type != SHT_NOBITS ? section->sh_addr : 0;
}

static int read_mapped(struct functions *functions, const struct symbol_file *file,
                       struct elf_error *error)
{
    struct elf_error why = {ELF_OK, ""};
    struct symtab symtab = no_symtab;

    if (functions_read_places(functions, file, error) ||
        unwind_table_open(&functions->unwind, functions->image, frames_of(file), error))
        return -1;
    open_symtab(functions, file, &symtab, &why); /* a damaged one is left out */
    if (!read_names(functions, &symtab, &why))
        return 0;
    if (why.code != ELF_DAMAGED || !functions->symtab_names.heads) {
        *error = why;
        return -1;
    }
    return 0;
}

int functions_of_mapped(struct functions **out, const struct image *mapped, int file,
                        struct elf_error *error)
{
    struct functions *functions = calloc(1, sizeof *functions);
    struct symbol_file symbols;

    *out = NULL;
    if (!functions)
        return elf_fail(error, ELF_NO_MEMORY, "no memory for a list of functions");
    functions->image = mapped;
    open_matching(&symbols, functions, file);
    int result = read_mapped(functions, &symbols, error);
    symbol_file_close(&symbols);
    if (result) {
        functions_close(functions);
        return -1;
    }
    *out = functions;
    return 0;
}

/* ------------------------------------------------------- a file alone --- */

static bool is_needed(const struct symbol_file *file, const Elf64_Shdr *section)
{
    static const uint32_t types[] = {SHT_DYNAMIC, SHT_DYNSYM,     SHT_STRTAB,     SHT_HASH,
                                     SHT_NOTE,    SHT_GNU_HASH,   SHT_GNU_versym, SHT_RELA,
                                     SHT_RELR,    SHT_GNU_verdef, SHT_GNU_verneed};
    const char *name = symbol_file_section_name(file, section);

    if (!(section->sh_flags & SHF_ALLOC) || section->sh_type == SHT_NOBITS)
        return false;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (section->sh_type == types[i])
            return true;
    }
    return strcmp(name, ".interp") == 0 || strncmp(name, ".eh_frame", 9) == 0;
}

static bool copy_range(struct functions *functions, const struct symbol_file *file, uint64_t offset,
                       uint64_t size)
{
    return offset <= file->size && size <= file->size - offset &&
           symbol_file_read(file, (uint8_t *)functions->region + offset, offset, size);
}

/* Read the parts of a file that image_open() and the unwind table use; without section headers, all of it. */
static bool copy_needed(struct functions *functions, const struct symbol_file *file)
{
    const Elf64_Ehdr *header = &file->header;

    if (file->section_count == 0)
        return copy_range(functions, file, 0, file->size);
    if (!copy_range(functions, file, 0, sizeof *header) ||
        !copy_range(functions, file, header->e_phoff,
                    (uint64_t)header->e_phnum * sizeof(Elf64_Phdr)) ||
        !copy_range(functions, file, header->e_shoff,
                    (uint64_t)header->e_shnum * sizeof(Elf64_Shdr)))
        return false;
    for (size_t i = 0; i < file->section_count; i++) {
        const Elf64_Shdr *section = &file->sections[i];
        if (is_needed(file, section) &&
            !copy_range(functions, file, section->sh_offset, section->sh_size))
            return false;
    }
    return true;
}

/* Open an image over memory as large as the file, of which only the pages in use are touched. */
static int open_own_image(struct functions *functions, const struct symbol_file *file,
                          struct elf_error *error)
{
    void *region = pages_get(file->size);

    if (!region)
        return elf_fail(error, ELF_NO_MEMORY, "no address space for the file");
    functions->region = region;
    functions->region_size = file->size;
    if (!copy_needed(functions, file))
        return elf_fail(error, ELF_DAMAGED, "a section lies beyond the end of the file");
    if (image_open(&functions->own_image, region, file->size, 0, error))
        return -1;
    functions->image = functions->own_image;
    return unwind_table_open(&functions->unwind, functions->image, frames_of(file), error);
}

static int read_function_file(struct functions *functions, const struct symbol_file *file,
                              struct elf_error *error)
{
    struct symtab symtab;

    if (!symbol_file_is_debug(file) && open_own_image(functions, file, error))
        return -1;
    if (functions_read_places(functions, file, error) ||
        open_symtab(functions, file, &symtab, error))
        return -1;
    return read_names(functions, &symtab, error);
}

int functions_of_file(struct functions **out, int file, struct elf_error *error)
{
    struct functions *functions = calloc(1, sizeof *functions);
    struct symbol_file symbols;

    *out = NULL;
    if (!functions)
        return elf_fail(error, ELF_NO_MEMORY, "no memory for a list of functions");
    int result = symbol_file_open(&symbols, file, error);
    if (!result) {
        result = read_function_file(functions, &symbols, error);
        symbol_file_close(&symbols);
    }
    if (result) {
        functions_close(functions);
        return -1;
    }
    *out = functions;
    return 0;
}

void functions_close(struct functions *functions)
{
    if (!functions)
        return;
    unwind_table_close(&functions->unwind);
    image_close(functions->own_image);
    pages_drop(functions->region, functions->region_size);
    free(functions->code);
    pages_drop(functions->strings, functions->strings_size);
    pages_drop(functions->entries, functions->entries_size);
    free(functions->dynamic_names.heads);
    free(functions->symtab_names.heads);
    free(functions->order);
    free(functions->indirect);
    free(functions);
}
