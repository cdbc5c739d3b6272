/*
 * thin_frames.c - see thin_frames.h. The formats: LSB, "Exception Frames"; DWARF 5, 6.4.
 *
 * A compiled file's .eh_frame describes all of its functions; those that are not placed are left out, and so are
 * records that nothing refers to. The sorted table (.eh_frame_hdr) is made anew.
 */
#include "elf/thin_frames.h"

#include <stdlib.h>
#include <string.h>

#include "arch/thin.h"
#include "elf/thin_link_scan.h"
#include "elf/thin_relocate.h"

enum {
    ENCODING_RELATIVE = 0x1b, /* DW_EH_PE_pcrel | DW_EH_PE_sdata4 */
    ENCODING_COUNT = 0x03,    /* DW_EH_PE_udata4 */
    ENCODING_TABLE = 0x3b,    /* DW_EH_PE_datarel | DW_EH_PE_sdata4 */
    TABLE_HEAD = 12,
    PC_BEGIN = 8 /* offset in an FDE: after length and CIE pointer */
};

/* ---- a common information entry ---- */

struct bytes_left {
    const uint8_t *at, *end;
    bool failed;
};

static uint8_t take_byte(struct bytes_left *left)
{
    if (left->at < left->end)
        return *left->at++;
    left->failed = true;
    return 0;
}

static void skip_leb(struct bytes_left *left)
{
    while (!left->failed && (take_byte(left) & 0x80))
        ;
}

/* Skip a pointer; only encodings of four and eight bytes are known. */
static void skip_pointer(struct bytes_left *left, uint8_t encoding)
{
    uint8_t form = encoding & 0x0f, size = form == 0x0b || form == 0x03 ? 4 : 8;

    if ((form != 0x00 && form != 0x03 && form != 0x04 && form != 0x0b && form != 0x0c) ||
        left->end - left->at < size)
        left->failed = true;
    else
        left->at += size;
}

/* Return whether FDEs of the CIE have addresses relative to their field, of four bytes: what compilers write. */
static bool cie_is_known(const uint8_t *cie, uint64_t size)
{
    struct bytes_left left = {cie + 8, cie + size, false};
    uint8_t version = take_byte(&left);
    const char *augmentation = (const char *)left.at;
    bool known = false;

    if (!memchr(augmentation, '\0', (size_t)(left.end - left.at)) || *augmentation != 'z')
        return false;
    left.at += strlen(augmentation) + 1;
    skip_leb(&left); /* code alignment */
    skip_leb(&left); /* data alignment */
    if (version == 1)
        take_byte(&left); /* return address */
    else
        skip_leb(&left);
    skip_leb(&left); /* the augmentation's length */
    for (const char *p = augmentation + 1; *p && !left.failed; p++) {
        if (*p == 'R')
            known = take_byte(&left) == ENCODING_RELATIVE;
        else if (*p == 'P')
            skip_pointer(&left, take_byte(&left));
        else if (*p == 'L')
            take_byte(&left);
        else if (*p != 'S' && *p != 'B')
            return false;
    }
    return known && !left.failed;
}

/* ---- records ---- */

static uint32_t read32(const uint8_t *at)
{
    uint32_t value;

    memcpy(&value, at, sizeof(value));
    return value;
}

static struct thin_record *add_frame_record(struct thin_link *link)
{
    size_t count = link->record_count;

    if ((count & (count - 1)) == 0) { /* a power of two: full */
        struct thin_record *longer =
            realloc(link->records, (count ? 2 * count : 1) * sizeof(*longer));

        if (!longer)
            return NULL;
        link->records = longer;
    }
    link->records[count] = (struct thin_record){0};
    link->record_count++;
    return &link->records[count];
}

/* Find the placed function that an FDE describes, by the relocation of its first field. */
static bool find_code(const struct thin_link *link, const struct rel_section *section,
                      struct thin_record *record)
{
    size_t count;
    const struct rel_relocation *r =
        rel_relocations_in(section, record->from + PC_BEGIN, 4, &count);
    struct arch_thin kind = count ? arch_thin(r->type) : (struct arch_thin){0};
    const struct rel_symbol *symbol;

    if (count == 0 || r->offset != record->from + PC_BEGIN || kind.target != ARCH_THIN_ADDRESS ||
        kind.size != 4 || !kind.relative)
        return false;
    symbol = &link->object->symbols[r->symbol];
    if (!rel_symbol_placed(symbol) || link->places[symbol->section].part != PART_TEXT)
        return false;
    record->code = symbol->section;
    record->code_offset = symbol->value + (uint64_t)r->addend;
    return record->code_offset < link->object->sections[symbol->section].size;
}

/* Find the CIE of an FDE among the records from `first` on, which are of the same section. */
static bool find_cie(const struct thin_link *link, size_t first, struct thin_record *record,
                     uint32_t back)
{
    for (size_t i = first; i < link->record_count; i++) {
        const struct thin_record *cie = &link->records[i];

        if (cie == record || !cie->is_cie || cie->from != record->from + 4 - back)
            continue;
        record->cie = i;
        return cie_is_known(link->object->sections[cie->section].bytes + cie->from, cie->size);
    }
    return false;
}

/* Read the record at `offset`. Return its size; 0 at the end; -1: damaged, or no memory. */
static int64_t read_record(struct thin_link *link, uint32_t index, size_t first, uint64_t offset)
{
    const struct rel_section *section = &link->object->sections[index];
    uint32_t length, id;
    struct thin_record *record;

    if (section->size - offset < 4 || (length = read32(section->bytes + offset)) == 0)
        return 0;
    if (length < 4 || length > section->size - offset - 4)
        return elf_fail(link->error, ELF_THIN_DAMAGED, ".eh_frame+0x%llx: a record is too long",
                        (unsigned long long)offset);
    id = read32(section->bytes + offset + 4);
    if (!(record = add_frame_record(link)))
        return elf_fail(link->error, ELF_NO_MEMORY, "no memory");
    record->section = index;
    record->from = offset;
    record->size = length + UINT64_C(4);
    record->is_cie = id == 0;
    if (!record->is_cie && (record->size < PC_BEGIN + 8 || !find_code(link, section, record) ||
                            !find_cie(link, first, record, id)))
        link->record_count--;
    return (int64_t)length + 4;
}

static int read_frames(struct thin_link *link, uint32_t index)
{
    const struct rel_section *section = &link->object->sections[index];
    size_t first = link->record_count;
    int64_t size = 0;

    if (!section->bytes)
        return 0;
    for (uint64_t offset = 0;
         offset < section->size && (size = read_record(link, index, first, offset)) > 0;
         offset += (uint64_t)size)
        ;
    return size < 0 ? -1 : 0;
}

/* Return whether only ld.so knows the address: a personality routine of another object, in a CIE of a program at a fixed
 * address. What ld.so writes is not relative to the frames, so a stub stands for it; with 0 every throw would end. */
static bool is_far(const struct thin_link *link, uint32_t symbol)
{
    enum thin_import import = link->thin->symbols[symbol].import;

    return !rel_symbol_placed(&link->object->symbols[symbol]) &&
           (import == THIN_DYNAMIC || import == THIN_GOT);
}

static int check_relocations(struct thin_link *link, const struct thin_record *record)
{
    size_t count;
    const struct rel_relocation *r = rel_relocations_in(&link->object->sections[record->section],
                                                        record->from, record->size, &count);

    for (size_t i = 0; i < count; i++) {
        struct arch_thin kind = arch_thin(r[i].type);

        if (kind.target == ARCH_THIN_NONE)
            continue;
        if (kind.target != ARCH_THIN_ADDRESS ||
            kind.size > record->from + record->size - r[i].offset)
            return elf_fail(link->error, ELF_THIN_RELOCATION,
                            "relocation %u of .eh_frame+0x%llx is not known", r[i].type,
                            (unsigned long long)r[i].offset);
        if (thin_is_missing(link, r[i].symbol))
            return elf_fail(link->error, ELF_THIN_UNDEFINED,
                            ".eh_frame+0x%llx: %.120s is not placed",
                            (unsigned long long)r[i].offset, thin_name_of(link, r[i].symbol));
        if (is_far(link, r[i].symbol) && thin_need_stub(link, r[i].symbol) != 0)
            return -1;
    }
    return 0;
}

/* Number the records that are written: FDEs, and CIEs of these. */
static int number_records(struct thin_link *link)
{
    bool *used = calloc(link->record_count + 1, sizeof(*used));
    uint64_t at = 0;
    int result = 0;

    if (!used)
        return elf_fail(link->error, ELF_NO_MEMORY, "no memory");
    for (size_t i = 0; i < link->record_count; i++)
        if (!link->records[i].is_cie)
            used[i] = used[link->records[i].cie] = true;
    for (size_t i = 0; i < link->record_count && result == 0; i++) {
        struct thin_record *record = &link->records[i];

        record->written = used[i];
        if (!used[i])
            continue;
        record->to = at;
        at += record->size;
        link->fde_count += !record->is_cie;
        result = check_relocations(link, record);
    }
    free(used);
    link->parts[PART_FRAMES] = (struct thin_range){.size = at + 4, .align = 8};
    link->parts[PART_FRAME_TABLE] =
        (struct thin_range){.size = TABLE_HEAD + 8 * link->fde_count, .align = 4};
    return result;
}

int thin_frames_plan(struct thin_link *link)
{
    for (uint32_t i = 1; i < link->object->section_count; i++)
        if (link->places[i].part == PART_FRAMES && read_frames(link, i) != 0)
            return -1;
    return number_records(link);
}

/* ---- writing ---- */

static int write_record(const struct thin_link *link, const struct thin_record *record)
{
    const struct rel_section *section = &link->object->sections[record->section];
    uint64_t at = link->parts[PART_FRAMES].at + record->to;
    uint8_t *out = link->bytes + at;
    size_t count;
    const struct rel_relocation *r =
        rel_relocations_in(section, record->from, record->size, &count);

    memcpy(out, section->bytes + record->from, record->size);
    if (!record->is_cie) {
        uint32_t back = (uint32_t)(record->to + 4 - link->records[record->cie].to);

        memcpy(out + 4, &back, sizeof(back));
    }
    for (size_t i = 0; i < count; i++) {
        uint64_t in = r[i].offset - record->from;

        if (thin_relocate(link, record->section, &r[i], at + in, true, out + in) != 0)
            return -1;
    }
    return 0;
}

struct frame_row {
    int32_t code, frame; /* from the table's first byte */
};

static int by_code(const void *a, const void *b)
{
    const struct frame_row *left = a, *right = b;

    return left->code < right->code ? -1 : left->code > right->code;
}

static void write_table(const struct thin_link *link)
{
    uint64_t at = link->parts[PART_FRAME_TABLE].at;
    uint8_t *head = link->bytes + at;
    struct frame_row *rows = (struct frame_row *)(void *)(head + TABLE_HEAD);
    int32_t frames = (int32_t)(link->parts[PART_FRAMES].at - at - 4);
    uint32_t count = (uint32_t)link->fde_count;
    size_t row = 0;

    head[0] = 1;
    head[1] = ENCODING_RELATIVE;
    head[2] = ENCODING_COUNT;
    head[3] = ENCODING_TABLE;
    memcpy(head + 4, &frames, sizeof(frames));
    memcpy(head + 8, &count, sizeof(count));
    for (size_t i = 0; i < link->record_count; i++) {
        const struct thin_record *record = &link->records[i];

        if (!record->is_cie)
            rows[row++] = (struct frame_row){
                (int32_t)(link->places[record->code].at + record->code_offset - at),
                (int32_t)(link->parts[PART_FRAMES].at + record->to - at)};
    }
    qsort(rows, row, sizeof(*rows), by_code);
}

int thin_frames_write(const struct thin_link *link)
{
    for (size_t i = 0; i < link->record_count; i++)
        if (link->records[i].written && write_record(link, &link->records[i]) != 0)
            return -1;
    write_table(link);
    return 0;
}
