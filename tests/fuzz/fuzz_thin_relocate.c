/*
 * fuzz_thin_relocate.c - the relocations of a thin object. The input is a list of relocations, of 14 bytes each: section,
 * symbol, type, offset (2), kind of the symbol, addend (8). Everything else is as compilers write it.
 */
#include <elf.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "elf/image.h"
#include "elf/rel_object.h"
#include "elf/thin_file.h"
#include "elf/thin_link.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SECTIONS = 9, SYMBOLS = 16, ROW = 14, BYTES = 256, ROWS_MAX = 64 };

static uint8_t bytes_of[SECTIONS][BYTES];

static void make_sections(struct rel_section *sections)
{
    static const struct rel_section made[SECTIONS] = {
        {.name = ""},
        {.name = ".text.f", .flags = SHF_ALLOC | SHF_EXECINSTR},
        {.name = ".text.g", .flags = SHF_ALLOC | SHF_EXECINSTR},
        {.name = ".rodata", .flags = SHF_ALLOC},
        {.name = ".data.x", .flags = SHF_ALLOC | SHF_WRITE},
        {.name = ".data.rel.ro.y", .flags = SHF_ALLOC | SHF_WRITE},
        {.name = ".eh_frame", .flags = SHF_ALLOC},
        {.name = ".debug_info"},
        {.name = ".debug_ranges"},
    };
    static const uint8_t frames[] = {
        0x14, 0,    0, 0, 0,    0, 0, 0, 1,    'z', 'R', 0, 1,    0x78, 0x10, 1,
        0x1b, 0x0c, 7, 8, 0x90, 1, 0, 0, 0x14, 0,   0,   0, 0x1c, 0,    0,    0,
        0,    0,    0, 0, 0x20, 0, 0, 0, 0,    0,   0,   0, 0,    0,    0,    0,
    };

    for (size_t i = 0; i < SECTIONS; i++) {
        sections[i] = made[i];
        sections[i].type = i ? SHT_PROGBITS : SHT_NULL;
        sections[i].size = i ? BYTES : 0;
        sections[i].align = 8;
        sections[i].bytes = i ? bytes_of[i] : NULL;
    }
    memset(bytes_of[1], 0xe8, BYTES);
    memset(bytes_of[6], 0, BYTES);
    memcpy(bytes_of[6], frames, sizeof(frames));
}

static void make_symbols(struct rel_symbol *symbols)
{
    for (uint32_t i = 0; i < SYMBOLS; i++)
        symbols[i] = (struct rel_symbol){.name = i ? i & 1 ? "odd" : "even" : "",
                                         .type = i < 9    ? STT_SECTION
                                                 : i < 12 ? STT_FUNC
                                                          : STT_OBJECT,
                                         .binding = i < 12 ? STB_LOCAL : STB_GLOBAL,
                                         .section = i < 9    ? i
                                                    : i < 12 ? 1 + i % 2
                                                             : REL_UNDEFINED};
    symbols[15].binding = STB_WEAK;
}

static bool define_all(void *context, const char *name, const char *version,
                       struct thin_definition *out)
{
    (void)context;
    (void)name;
    *out = (struct thin_definition){.file = "libc.so.6", .version = version};
    return true;
}

static int by_offset(const void *a, const void *b)
{
    const struct rel_relocation *left = a, *right = b;

    return left->offset < right->offset ? -1 : left->offset > right->offset;
}

static void take_rows(const uint8_t *data, size_t size, struct rel_section *sections,
                      struct rel_relocation rows[SECTIONS][ROWS_MAX], struct thin_symbol *thin)
{
    for (size_t i = 0; i + ROW <= size && i / ROW < ROWS_MAX; i += ROW) {
        struct rel_section *section = &sections[1 + data[i] % (SECTIONS - 1)];
        struct rel_relocation *row = &rows[section - sections][section->relocation_count++];
        uint32_t symbol = data[i + 1] % SYMBOLS;

        row->symbol = symbol;
        row->type = data[i + 2] % 48;
        row->offset = (data[i + 3] | (uint64_t)data[i + 4] << 8) % BYTES;
        memcpy(&row->addend, data + i + 6, sizeof(row->addend));
        section->relocations = rows[section - sections];
        if (symbol >= 12)
            thin[symbol] = (struct thin_symbol){.import = (enum thin_import)(data[i + 5] % 5),
                                                .at = data[i + 5],
                                                .has_call = data[i + 5] & 0x40};
        else if (symbol >= 9)
            thin[symbol].has_host = data[i + 5] & 1;
    }
    for (size_t i = 0; i < SECTIONS; i++)
        if (sections[i].relocation_count)
            qsort(rows[i], sections[i].relocation_count, sizeof(rows[i][0]), by_offset);
}

static void link_object(struct rel_object *object, struct thin_symbol *symbols)
{
    struct thin_replacement replacement = {.symbol = 9, .name = "f", .file = ""};
    const struct thin_file thin = {.object = object,
                                   .name = "fuzz",
                                   .version = "",
                                   .symbols = symbols,
                                   .replacements = &replacement,
                                   .replacement_count = 1};
    const struct thin_host host = {.bias = 0x10000000,
                                   .begin = 0x10000000,
                                   .end = 0x10100000,
                                   .tls_module = 1,
                                   .tls_is_static = true,
                                   .definition = define_all};
    struct thin_link *link;
    struct elf_error error;
    struct image *image;
    void *bytes;
    size_t size;

    if (thin_link_begin(&link, &thin, &host, &error) != 0)
        return;
    if (thin_link_at(link, 0x10200000, &bytes, &size, &error) == 0) {
        if (image_open(&image, bytes, size, ET_DYN, &error) != 0)
            abort();
        image_close(image);
        free(bytes);
    }
    thin_link_end(link);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct rel_relocation rows[SECTIONS][ROWS_MAX];
    struct rel_section sections[SECTIONS];
    struct rel_symbol symbols[SYMBOLS];
    struct thin_symbol thin[SYMBOLS] = {0};
    struct rel_object object = {.sections = sections,
                                .section_count = SECTIONS,
                                .symbols = symbols,
                                .symbol_count = SYMBOLS,
                                .file = ""};

    make_sections(sections);
    make_symbols(symbols);
    take_rows(data, size, sections, rows, thin);
    if (rel_object_index(&object) != 0)
        return 0;
    link_object(&object, thin);
    free(object.section_symbols);
    free(object.by_section);
    free(object.by_name);
    return 0;
}
