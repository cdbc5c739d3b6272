/*
 * unwind_table.c - the search table of .eh_frame_hdr, and the FDEs of .eh_frame.
 *
 * Any thread, one at a time per table. Both are outside input: each read is inside the bytes of
 * one PT_LOAD, and what contradicts itself is left out.
 *
 * Linux Standard Base Core 5.0, chapter 10.6, "Exception Frames"; DWARF 5, section 6.4.1. The
 * search table that linkers write has 4-byte offsets from its own address. Any other, and one that is
 * not ascending or reaches out of the section, is not used: .eh_frame is listed and sorted instead.
 */
#include <stdlib.h>
#include <string.h>

#include "elf/image_bytes.h"
#include "elf/image_parts.h"
#include "elf/order.h"
#include "elf/unwind_table.h"

enum {
    PE_ABSOLUTE = 0,
    PE_ULEB128 = 1,
    PE_UDATA2 = 2,
    PE_UDATA4 = 3,
    PE_UDATA8 = 4,
    PE_SLEB128 = 9,
    PE_SDATA2 = 10,
    PE_SDATA4 = 11,
    PE_SDATA8 = 12,
    PE_FORMAT = 0x0f,
    PE_PC_RELATIVE = 0x10,
    PE_DATA_RELATIVE = 0x30,
    PE_RELATION = 0x70,
    PE_INDIRECT = 0x80,
    PE_OMITTED = 0xff
};

enum { HEADER_SIZE = 4, ENTRY_SIZE = 8, CIE_ID_SIZE = 4 };

/* ------------------------------------------------------- reading --- */

/* Bytes at an address; `damaged` once a read went beyond them. */
struct reader {
    const uint8_t *bytes;
    uint64_t address;
    size_t size, at;
    bool damaged;
};

static bool there_are(struct reader *reader, size_t size)
{
    if (size > reader->size - reader->at)
        reader->damaged = true;
    return !reader->damaged;
}

static uint64_t take_bytes(struct reader *reader, size_t size)
{
    uint64_t value = 0;

    if (!there_are(reader, size))
        return 0;
    memcpy(&value, reader->bytes + reader->at, size);
    reader->at += size;
    return value;
}

static uint64_t take_leb128(struct reader *reader, bool is_signed)
{
    uint64_t value = 0;

    for (unsigned shift = 0; there_are(reader, 1) && shift < 64; shift += 7) {
        uint8_t byte = reader->bytes[reader->at++];
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte & 0x80)
            continue;
        if (is_signed && (byte & 0x40) && shift + 7 < 64)
            value |= UINT64_MAX << (shift + 7);
        return value;
    }
    reader->damaged = true;
    return 0;
}

static uint64_t take_encoded(struct reader *reader, uint8_t format)
{
    switch (format) {
    case PE_ABSOLUTE:
    case PE_UDATA8:
    case PE_SDATA8:
        return take_bytes(reader, 8);
    case PE_UDATA4:
        return take_bytes(reader, 4);
    case PE_SDATA4:
        return (uint64_t)(int32_t)take_bytes(reader, 4);
    case PE_UDATA2:
        return take_bytes(reader, 2);
    case PE_SDATA2:
        return (uint64_t)(int16_t)take_bytes(reader, 2);
    case PE_ULEB128:
        return take_leb128(reader, false);
    case PE_SLEB128:
        return take_leb128(reader, true);
    default:
        reader->damaged = true;
        return 0;
    }
}

/* Read an address before load bias; `data`: what offsets of the "data relative" kind count from, or 0. */
static uint64_t take_address(struct reader *reader, const struct image *image, uint8_t encoding,
                             uint64_t data)
{
    uint64_t here = reader->address + reader->at;
    uint64_t value = take_encoded(reader, encoding & PE_FORMAT);

    if (encoding & PE_INDIRECT)
        reader->damaged = true;
    switch (encoding & PE_RELATION) {
    case 0: /* relocated where it is mapped */
        return value - (image_is_mapped(image) ? image->bias : 0);
    case PE_PC_RELATIVE:
        return here + value;
    case PE_DATA_RELATIVE:
        if (!data)
            reader->damaged = true;
        return data + value;
    default:
        reader->damaged = true;
        return 0;
    }
}

/* ------------------------------------------------------- CIE and FDE --- */

/* A record of .eh_frame without its length. `next`: where the following one begins. False at the
 * terminator, at the end, and for the extended length that no linker writes. */
static bool open_record(const struct unwind_table *table, uint64_t address, struct reader *record,
                        uint64_t *next)
{
    uint64_t offset = address - table->frames;

    if (address < table->frames || offset > table->frames_size ||
        table->frames_size - offset < sizeof(uint32_t))
        return false;
    uint32_t length = image_load32(table->frame_bytes + offset);
    uint64_t there = table->frames_size - offset - sizeof length;
    if (length < CIE_ID_SIZE || length > there)
        return false;
    *record = (struct reader){
        .bytes = table->frame_bytes + offset + sizeof length,
        .address = address + sizeof length,
        .size = length,
    };
    *next = address + sizeof length + length;
    return true;
}

/* Read the augmentation: the letters after 'z' name what its data holds, in their order. 'S' has no data,
 * and need not stand last. */
static uint8_t augmentation_encoding(struct reader *cie, const struct image *image,
                                     const char *letters)
{
    for (; *letters && !cie->damaged; letters++) {
        switch (*letters) {
        case 'R':
            return (uint8_t)take_bytes(cie, 1);
        case 'L':
            take_bytes(cie, 1);
            break;
        case 'P': {
            uint8_t encoding = (uint8_t)take_bytes(cie, 1);
            take_address(cie, image, encoding & ~PE_INDIRECT, 1);
            break;
        }
        case 'S':
        case 'B':
            break;
        default:
            return PE_OMITTED;
        }
    }
    return cie->damaged ? PE_OMITTED : PE_ABSOLUTE;
}

/* Return how the FDEs of this CIE write addresses; PE_OMITTED: not understood. `*signal_frame` is set where
 * the augmentation has an 'S'. */
static uint8_t cie_encoding(const struct unwind_table *table, uint64_t address, bool *signal_frame)
{
    struct reader cie;
    uint64_t next;

    if (!open_record(table, address, &cie, &next) || take_bytes(&cie, CIE_ID_SIZE) != 0)
        return PE_OMITTED;
    uint8_t version = (uint8_t)take_bytes(&cie, 1);
    const char *letters = (const char *)cie.bytes + cie.at;
    if ((version != 1 && version != 3) || !memchr(letters, '\0', cie.size - cie.at))
        return PE_OMITTED;
    *signal_frame = letters[0] == 'z' && strchr(letters, 'S') != NULL;
    cie.at += strlen(letters) + 1;
    take_leb128(&cie, false); /* code alignment */
    take_leb128(&cie, true);  /* data alignment */
    if (version == 1)
        take_bytes(&cie, 1); /* return address register */
    else
        take_leb128(&cie, false);
    if (letters[0] != 'z')
        return letters[0] || cie.damaged ? PE_OMITTED : PE_ABSOLUTE;
    take_leb128(&cie, false); /* length of what follows */
    return augmentation_encoding(&cie, table->image, letters + 1);
}

static uint8_t remembered_encoding(struct unwind_table *table, uint64_t cie)
{
    if (cie != table->cie) {
        table->signal_frame = false;
        table->encoding = cie_encoding(table, cie, &table->signal_frame);
        table->cie = cie;
    }
    return table->encoding;
}

/* False: a CIE, or damaged. */
static bool read_table_fde(struct unwind_table *table, struct reader *fde, struct unwind_range *out)
{
    uint64_t here = fde->address + fde->at;
    uint32_t back = (uint32_t)take_bytes(fde, CIE_ID_SIZE);

    if (back == 0)
        return false;
    uint8_t encoding = remembered_encoding(table, here - back);
    if (encoding == PE_OMITTED)
        return false;
    out->start = take_address(fde, table->image, encoding, 0);
    out->size = take_encoded(fde, encoding & PE_FORMAT);
    out->signal_frame = table->signal_frame;
    return !fde->damaged && out->start + out->size >= out->start;
}

/* ------------------------------------------------------- .eh_frame, listed --- */

/* List the FDEs from the first on; with `ranges` NULL, count them. */
static size_t list_frames(struct unwind_table *table, struct unwind_range *ranges)
{
    uint64_t at = table->frames, next;
    struct reader record;
    size_t count = 0;

    for (; open_record(table, at, &record, &next); at = next) {
        struct unwind_range range;
        if (!read_table_fde(table, &record, &range))
            continue;
        if (ranges)
            ranges[count] = range;
        count++;
    }
    return count;
}

static int sort_ranges(struct unwind_table *table, struct unwind_range *listed)
{
    uint32_t *order = order_by_address(listed, sizeof *listed, table->count);

    if (!order)
        return -1;
    for (size_t i = 0; i < table->count; i++)
        table->ranges[i] = listed[order[i]];
    free(order);
    return 0;
}

static int list_ranges(struct unwind_table *table, struct elf_error *error)
{
    int result = 0;

    table->count = list_frames(table, NULL);
    if (table->count == 0)
        return 0;
    struct unwind_range *listed = calloc(table->count, sizeof *listed);
    table->ranges = calloc(table->count, sizeof *table->ranges);
    if (listed)
        list_frames(table, listed);
    if (!listed || !table->ranges || sort_ranges(table, listed))
        result = elf_fail(error, ELF_NO_MEMORY, "no memory for %zu FDEs", table->count);
    free(listed);
    return result;
}

/* ------------------------------------------------------- .eh_frame_hdr --- */

static bool is_ascending(const struct unwind_table *table)
{
    for (size_t i = 1; i < table->count; i++) {
        if (unwind_start(table, i - 1) > unwind_start(table, i))
            return false;
    }
    return true;
}

/* Take the table of .eh_frame_hdr where it is of the usual kind. Return where .eh_frame begins, or 0. */
static uint64_t read_search_table(struct unwind_table *table)
{
    const struct image *image = table->image;
    struct reader header = {
        .bytes = image_bytes_at(image, image->unwind, image->unwind_size),
        .address = image->unwind,
        .size = image->unwind_size,
    };

    if (!header.bytes || header.size < HEADER_SIZE || header.bytes[0] != 1)
        return 0;
    const uint8_t *encodings = header.bytes;
    header.at = HEADER_SIZE;
    if (encodings[1] == PE_OMITTED)
        return 0;
    uint64_t frames = take_address(&header, image, encodings[1], image->unwind);
    if (header.damaged)
        return 0;
    if (encodings[2] == PE_OMITTED || encodings[3] != (PE_DATA_RELATIVE | PE_SDATA4))
        return frames;
    uint64_t count = take_encoded(&header, encodings[2]);
    if (header.damaged || count == 0 || count > (header.size - header.at) / ENTRY_SIZE)
        return frames;
    table->entries = header.bytes + header.at;
    table->header = image->unwind;
    table->count = count;
    if (!is_ascending(table)) {
        table->entries = NULL;
        table->count = 0;
    }
    return frames;
}

int unwind_table_open(struct unwind_table *table, const struct image *image, uint64_t eh_frame,
                      struct elf_error *error)
{
    *table = (struct unwind_table){.image = image, .cie = UINT64_MAX, .encoding = PE_OMITTED};
    uint64_t frames = image->unwind_size > 0 ? read_search_table(table) : 0;
    if (!frames)
        frames = eh_frame;
    table->frames = frames;
    table->frames_size = frames ? image_bytes_from(image, frames) : 0;
    if (table->frames_size > 0)
        table->frame_bytes = image_bytes_at(image, frames, 1);
    return table->entries ? 0 : list_ranges(table, error);
}

void unwind_table_close(struct unwind_table *table)
{
    free(table->ranges);
    *table = (struct unwind_table){0};
}

/* ------------------------------------------------------- by number and by address --- */

static uint64_t entry_value(const struct unwind_table *table, size_t i, size_t member)
{
    return table->header +
           (uint64_t)(int32_t)image_load32(table->entries + i * ENTRY_SIZE + member);
}

uint64_t unwind_start(const struct unwind_table *table, size_t i)
{
    return table->ranges ? table->ranges[i].start : entry_value(table, i, 0);
}

struct unwind_range unwind_range(struct unwind_table *table, size_t i)
{
    struct unwind_range range;
    struct reader record;
    uint64_t next;

    if (table->ranges)
        return table->ranges[i];
    uint64_t start = unwind_start(table, i);
    if (open_record(table, entry_value(table, i, 4), &record, &next) &&
        read_table_fde(table, &record, &range) && range.start == start)
        return range;
    return (struct unwind_range){.start = start};
}

size_t unwind_count_to(const struct unwind_table *table, uint64_t address)
{
    size_t low = 0, high = table->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (unwind_start(table, middle) <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool unwind_begins_at(struct unwind_table *table, uint64_t address, struct unwind_range *out)
{
    enum { EQUALS_MAX = 64 }; /* looked at; a hostile file gives any number to one address */
    size_t count = unwind_count_to(table, address);

    if (count == 0 || unwind_start(table, count - 1) != address)
        return false;
    *out = unwind_range(table, count - 1);
    for (size_t n = 1; n < EQUALS_MAX && out->size == 0 && count > n; n++) {
        if (unwind_start(table, count - n - 1) != address)
            break;
        *out = unwind_range(table, count - n - 1);
    }
    return true;
}

bool unwind_signal_frame(struct unwind_table *table, uint64_t address, struct unwind_range *out)
{
    size_t count = unwind_count_to(table, address);

    return count > 0 && unwind_begins_at(table, unwind_start(table, count - 1), out) &&
           out->signal_frame && address - out->start < out->size;
}
