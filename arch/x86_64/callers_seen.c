/*
 * callers_seen.c - see callers_seen.h. Listener or command.
 *
 * An entry has the bytes of one instruction and its effects. The bytes of a relative field (of a branch, or of an
 * operand's address) are not compared, and their target is computed again. The index of an entry is computed from the
 * bytes that a short table gives for opcode and operands. If the table is wrong, an instruction is found less often,
 * but another instruction is never found in its place.
 */
#include "arch/x86_64/callers_seen.h"

#include <string.h>

#include "arch/x86_64/callers_array.h"

enum { ENTRIES = 1 << 12 };

struct entry {
    uint64_t bytes[2], mask[2]; /* mask: bits that are compared */
    struct effects effects;     /* at address 0, with a field of 0 */
};

struct seen {
    struct array pages;
    struct entry entries[];
};

struct seen *seen_make(void)
{
    struct array pages = {0};
    struct seen *seen = array_add(&pages, seen_memory());

    if (seen)
        seen->pages = pages;
    return seen;
}

void seen_free(struct seen *seen)
{
    struct array pages;

    if (!seen)
        return;
    pages = seen->pages;
    array_free(&pages);
}

size_t seen_memory(void)
{
    return sizeof(struct seen) + ENTRIES * sizeof(struct entry);
}

/* ------------------------------------------------------- index of an entry --- */

static bool is_prefix(uint8_t byte)
{
    return (byte & 0xf0) == 0x40 || byte == 0x66 || byte == 0xf2 || byte == 0xf3 || byte == 0x64;
}

/* Return whether a byte for operands follows an opcode of one byte. */
static bool has_operands(uint8_t opcode)
{
    if (opcode < 0x40)
        return (opcode & 7) < 4;
    return (opcode >= 0x80 && opcode < 0x90) || opcode == 0x63 || (opcode & 0xfd) == 0x69 ||
           (opcode & 0xfe) == 0xc0 || (opcode & 0xfe) == 0xc6 || (opcode & 0xfc) == 0xd0 ||
           (opcode & 0xf8) == 0xd8 || (opcode & 0xf6) == 0xf6;
}

/* Return whether the opcode has an immediate with an effect here. */
static bool has_immediate(uint8_t opcode)
{
    if (opcode < 0x40)
        return (opcode & 6) == 4;
    return (opcode & 0xfc) == 0x80 || (opcode & 0xfe) == 0xc0;
}

/* Return the number of bytes for operands: one, or two. *displacement gets the bytes of the displacement after them. */
static unsigned operand_bytes(const uint8_t *operands, unsigned *displacement)
{
    unsigned kind = operands[0] >> 6, base = operands[0] & 7, size = kind != 3 && base == 4 ? 2 : 1;

    if (size == 2)
        base = operands[1] & 7;
    if (kind == 0)
        *displacement = base == 5 ? 4 : 0;
    else
        *displacement = kind == 1 ? 1 : kind == 2 ? 4 : 0;
    return size;
}

/* The bytes that distinguish one instruction from others. */
struct telling {
    unsigned size;      /* number of such bytes at the start */
    unsigned immediate; /* first byte after the displacement, if it has an effect */
};

static bool displacement_tells(uint8_t opcode, uint8_t operands)
{
    bool relative = (operands & 0xc7) == 5;

    return (opcode == 0x8d || opcode == 0x63 || opcode == 0xff) && !relative;
}

static struct telling find_telling(const uint8_t *code)
{
    unsigned at = 0, displacement = 0, operands;
    uint8_t opcode;

    while (at < 4 && is_prefix(code[at]))
        at++;
    opcode = code[at++];
    if (opcode == 0x0f) {
        opcode = code[at++];
        if ((opcode & 0xf0) != 0x80)
            at += operand_bytes(code + at, &displacement);
        return (struct telling){at, 0};
    }
    if (opcode == 0xc5 || opcode == 0xc4 || opcode == 0x62) {
        at += opcode == 0xc5 ? 2 : opcode == 0xc4 ? 3 : 4;
        return (struct telling){at + operand_bytes(code + at, &displacement), 0};
    }
    operands = at;
    if (has_operands(opcode))
        at += operand_bytes(code + at, &displacement);
    if (displacement > 0 && displacement_tells(opcode, code[operands]))
        return (struct telling){at + displacement, 0};
    if (has_immediate(opcode))
        return (struct telling){at, code[at + displacement]};
    return (struct telling){at, 0};
}

/* Return a mask of the lowest `size` of 8 bytes. */
static uint64_t lowest(unsigned size)
{
    return size >= 8 ? UINT64_MAX : (UINT64_C(1) << size * 8) - 1;
}

static struct entry *seen_entry(struct seen *seen, const uint8_t *code, const uint64_t *bytes)
{
    struct telling telling = find_telling(code);
    uint64_t low = bytes[0] & lowest(telling.size), more = telling.immediate;
    uint64_t mixed;

    if (telling.size > 8)
        more ^= bytes[1] & lowest(telling.size - 8);
    mixed = (low ^ more * UINT64_C(0xff51afd7ed558ccd)) * UINT64_C(0x9e3779b97f4a7c15);

    return &seen->entries[(mixed ^ mixed >> 27) >> 32 & (ENTRIES - 1)];
}

/* ------------------------------------------------------- looking up --- */

static void fill(struct entry *entry, const uint64_t *bytes, const struct effects *effects)
{
    uint8_t mask[SEEN_BYTES] = {0};

    memset(mask, 0xff, effects->length);
    memset(mask + effects->relative_at, 0, effects->relative_bytes);
    memset(mask + effects->displacement_at, 0, effects->displacement_bytes);
    memset(mask + effects->immediate_at, 0, effects->immediate_bytes);
    memcpy(entry->mask, mask, sizeof(entry->mask));
    entry->bytes[0] = bytes[0] & entry->mask[0];
    entry->bytes[1] = bytes[1] & entry->mask[1];
    entry->effects = *effects;
}

static uint64_t relative_of(const uint8_t *code, const struct effects *effects)
{
    int32_t field;
    int16_t half;

    switch (effects->relative_bytes) {
    case 1:
        return (uint64_t)(int8_t)code[effects->relative_at];
    case 2:
        memcpy(&half, code + effects->relative_at, sizeof(half));
        return (uint64_t)half;
    default:
        memcpy(&field, code + effects->relative_at, sizeof(field));
        return (uint64_t)field;
    }
}

bool seen_decode(struct seen *seen, const uint8_t *code, size_t size, uint64_t address,
                 struct effects *out)
{
    uint64_t bytes[2];
    struct entry *entry;

    if (!seen)
        return effects_decode(code, size, address, out);
    memcpy(bytes, code, sizeof(bytes));
    entry = seen_entry(seen, code, bytes);
    if (entry->effects.length > 0 && entry->effects.length <= size &&
        ((bytes[0] & entry->mask[0]) ^ entry->bytes[0]) == 0 &&
        ((bytes[1] & entry->mask[1]) ^ entry->bytes[1]) == 0) {
        *out = entry->effects;
        if (out->relative_bytes > 0)
            effects_lead(out, address + out->length + relative_of(code, out));
        return true;
    }
    if (!effects_decode(code, size, address, out))
        return false;
    fill(entry, bytes, out);
    return true;
}
