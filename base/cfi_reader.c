/* cfi_reader.c - see cfi_reader.h. Encodings: Linux Standard Base Core, "DWARF Exception Header
 * Encoding". */
#include "base/cfi_reader.h"

enum {
    PE_ABSOLUTE = 0x00,
    PE_ULEB = 0x01,
    PE_U2 = 0x02,
    PE_U4 = 0x03,
    PE_U8 = 0x04,
    PE_SLEB = 0x09,
    PE_S2 = 0x0a,
    PE_S4 = 0x0b,
    PE_S8 = 0x0c,
    PE_PCREL = 0x10,
    PE_DATAREL = 0x30
};

void cfi_reader_begin(struct cfi_reader *reader, const struct cfi_memory *memory, uint64_t at,
                      uint64_t end)
{
    reader->memory = memory;
    reader->at = at;
    reader->end = end;
    reader->failed = end < at;
    reader->window = 0;
    reader->held = 0;
}

/* Read bytes into the window. If a page before the section's end is missing, fewer bytes are tried. */
static bool fill_window(struct cfi_reader *reader)
{
    uint64_t left = reader->end - reader->at;
    size_t size = left < sizeof(reader->bytes) ? (size_t)left : sizeof(reader->bytes);

    while (size > 0 &&
           !reader->memory->read(reader->memory->context, reader->at, reader->bytes, size))
        size /= 2;
    reader->window = reader->at;
    reader->held = size;
    return size > 0;
}

static uint8_t next_byte(struct cfi_reader *reader)
{
    bool held = reader->at >= reader->window && reader->at - reader->window < reader->held;

    if (reader->failed || reader->at >= reader->end || (!held && !fill_window(reader))) {
        reader->failed = true;
        return 0;
    }
    return reader->bytes[reader->at++ - reader->window];
}

uint64_t cfi_unsigned(struct cfi_reader *reader, size_t size)
{
    uint64_t value = 0;

    for (size_t i = 0; i < size; i++)
        value |= (uint64_t)next_byte(reader) << 8 * i;
    return reader->failed ? 0 : value;
}

int64_t cfi_signed(struct cfi_reader *reader, size_t size)
{
    uint64_t value = cfi_unsigned(reader, size);
    unsigned shift = 64 - 8 * (unsigned)size;

    return (int64_t)(value << shift) >> shift;
}

static uint64_t leb(struct cfi_reader *reader, unsigned *bits, uint8_t *last)
{
    uint64_t value = 0;

    *bits = 0;
    do {
        *last = next_byte(reader);
        if (*bits < 64)
            value |= (uint64_t)(*last & 0x7f) << *bits;
        *bits += 7;
        if (*bits > 140)
            reader->failed = true;
    } while (*last & 0x80 && !reader->failed);
    return reader->failed ? 0 : value;
}

uint64_t cfi_uleb(struct cfi_reader *reader)
{
    unsigned bits;
    uint8_t last;

    return leb(reader, &bits, &last);
}

int64_t cfi_sleb(struct cfi_reader *reader)
{
    unsigned bits;
    uint8_t last;
    uint64_t value = leb(reader, &bits, &last);

    if (bits < 64 && last & 0x40)
        value |= UINT64_MAX << bits;
    return (int64_t)value;
}

void cfi_skip(struct cfi_reader *reader, uint64_t size)
{
    if (reader->failed || size > reader->end - reader->at)
        reader->failed = true;
    else
        reader->at += size;
}

/* Return the number of bytes that a pointer of that encoding takes; 0: it has no fixed size. */
static size_t pointer_size(uint8_t encoding)
{
    switch (encoding & CFI_PE_FORMAT) {
    case PE_U2:
    case PE_S2:
        return 2;
    case PE_U4:
    case PE_S4:
        return 4;
    case PE_ABSOLUTE:
    case PE_U8:
    case PE_S8:
        return 8;
    default:
        return 0;
    }
}

static uint64_t read_format(struct cfi_reader *reader, uint8_t encoding)
{
    size_t size = pointer_size(encoding);

    if ((encoding & CFI_PE_FORMAT) == PE_ULEB)
        return cfi_uleb(reader);
    if ((encoding & CFI_PE_FORMAT) == PE_SLEB)
        return (uint64_t)cfi_sleb(reader);
    if (size == 0) {
        reader->failed = true;
        return 0;
    }
    return encoding & 0x08 ? (uint64_t)cfi_signed(reader, size) : cfi_unsigned(reader, size);
}

uint64_t cfi_pointer(struct cfi_reader *reader, uint8_t encoding, uint64_t data)
{
    uint64_t value, base = reader->at;

    if (encoding == CFI_PE_OMIT)
        return 0;
    value = read_format(reader, encoding);
    switch (encoding & CFI_PE_APPLICATION) {
    case PE_ABSOLUTE:
        break;
    case PE_PCREL:
        value += base;
        break;
    case PE_DATAREL:
        value += data;
        break;
    default: /* relative to text or to a function, or aligned: not in .eh_frame of this machine */
        reader->failed = true;
    }
    if (encoding & CFI_PE_INDIRECT && !reader->failed &&
        !reader->memory->read(reader->memory->context, value, &value, sizeof(value)))
        reader->failed = true;
    return reader->failed ? 0 : value;
}
