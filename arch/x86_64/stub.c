/*
 * stub.c - finds the addresses for a stub with which the jump has traps on the old instruction boundaries, and writes
 * the stub's code. Pure functions without allocation.
 *
 * The jump is e9 and 32 bits relative to its end. Its byte at offset 1 to 4 must be int3 where an instruction began,
 * so that a thread that had stopped there traps instead of executing a part of the jump. This fixes bytes of the
 * stub's distance: with the highest byte fixed the stub lies 832 to 816 MiB below, with all four fixed there is one
 * address.
 *
 * A program at 0x400000 has no memory so far below. The highest byte may then be another: opcodes that are no
 * instruction in 64-bit mode, with any following bytes (Intel SDM 2, table A-2, "i64"), raise #UD, SIGILL, with the
 * program counter at themselves. Each gives another 16 MiB.
 */
#include "arch/arch.h"

#include <string.h>

#include "arch/x86_64/hold.h"

enum {
    JUMP = 0xe9,
    SHORT_JUMP = 0xeb,
    JUMP_BYTES = ARCH_LONG_BYTES,
    TRAP = 0xcc,
    RETURN = 0xc3,
    LAST_TRAPS_COUNT = ARCH_STUB_CHOICES / 2
};

/* Values for offset 4: int3, then opcodes that raise #UD, those first that lead above. Not d5 and 62, which are
 * prefixes on later processors. */
static const uint8_t LAST_TRAPS[LAST_TRAPS_COUNT] = {0xcc, 0x06, 0x07, 0x0e, 0x16, 0x17, 0x1e,
                                                     0x1f, 0x27, 0x2f, 0x37, 0x3f, 0x60, 0x61,
                                                     0xea, 0xd6, 0xd4, 0xce, 0x9a, 0x82};

static uint32_t traps_of(const struct arch_prologue *prologue)
{
    uint32_t fixed, value = 0;

    if (prologue->hold && hold_pattern(prologue, prologue->hold, &fixed, &value))
        return value;
    return (uint32_t)LAST_TRAPS[prologue->trap] << 24 | 0xcccc00 |
           (prologue->guarded ? prologue->guard : TRAP);
}

/* Return the bits of the distance that are fixed, to those of traps_of(). In a pad no instruction began. */
static uint32_t fixed_bits(const struct arch_prologue *prologue)
{
    uint32_t bits = prologue->guarded ? 0xff : 0, held, value;

    if (prologue->hold && hold_pattern(prologue, prologue->hold, &held, &value))
        return held;
    for (unsigned i = 1; i < prologue->count; i++) {
        if (prologue->start[i] < JUMP_BYTES)
            bits |= 0xffU << 8 * (prologue->start[i] - 1);
    }
    return bits;
}

/* The meaning of the original first byte and a byte after it. */
enum pair {
    PAIR_UNKNOWN,
    PAIR_TRAPS, /* a prefix and int3: SIGTRAP, with the program counter after both */
    PAIR_FAULTS /* no instruction, with any bytes after it: SIGILL, with the program counter at the first */
};

static bool is_trap_prefix(uint8_t byte)
{
    return (byte & 0xf0) == 0x40 || byte == 0x66 || byte == 0xf2 || byte == 0xf3 || byte == 0x64 ||
           byte == 0x65 || byte == 0x2e || byte == 0x3e;
}

/* Return the meaning of two bytes. Intel SDM 2, tables: after a prefix a byte that is no opcode;
 * undefined members of groups 11 (c6, c7; f8 is xabort or xbegin), 4 and 5 (fe, ff); lea of a register; ud2. */
static enum pair pair_of(uint8_t first, uint8_t second)
{
    unsigned member = second >> 3 & 7;

    if (is_trap_prefix(first) && second == TRAP)
        return PAIR_TRAPS;
    if (is_trap_prefix(first) && memchr(LAST_TRAPS + 1, second, sizeof(LAST_TRAPS) - 1))
        return PAIR_FAULTS;
    if ((first == 0xc6 || first == 0xc7) && member != 0 && second != 0xf8)
        return PAIR_FAULTS;
    if ((first == 0xfe || first == 0xff) && member == 7)
        return PAIR_FAULTS;
    if (first == 0x8d && second >> 6 == 3)
        return PAIR_FAULTS;
    return first == 0x0f && second == 0x0b ? PAIR_FAULTS : PAIR_UNKNOWN;
}

/* An instruction of two bytes stays whole, and a trap is put after it. */
bool arch_stub_guard(struct arch_prologue *prologue)
{
    static const uint8_t traps[] = {TRAP, 0x0b, 0xff};
    uint8_t first = prologue->bytes[0];

    prologue->guarded = prologue->start[1] == 2;
    prologue->guard = prologue->bytes[1];
    for (size_t i = 0; i < sizeof(traps) && !prologue->guarded && prologue->start[1] > 2; i++) {
        prologue->guarded = pair_of(first, traps[i]) != PAIR_UNKNOWN;
        prologue->guard = traps[i];
    }
    return prologue->guarded;
}

bool arch_stored_whole(const struct arch_prologue *prologue)
{
    return prologue->count == 1 && prologue->jump % 8 + JUMP_BYTES <= 8;
}

static bool is_trap(uint8_t byte)
{
    return memchr(LAST_TRAPS, byte, sizeof(LAST_TRAPS)) != NULL;
}

bool arch_survives_restore(const struct arch_prologue *prologue, const uint8_t *written,
                           size_t size, uint8_t *trap, bool *faults)
{
    const uint8_t *original = prologue->bytes;
    size_t first = prologue->start[1], kept = first < size ? first : size;
    enum pair pair;

    *trap = 0;
    *faults = false;
    for (unsigned i = 1; i < prologue->count; i++)
        if (prologue->start[i] < size && !is_trap(written[prologue->start[i]]))
            return false;
    if (original[0] == written[0] || original[0] == RETURN ||
        memcmp(original + 1, written + 1, kept - 1) == 0)
        return true;
    pair = pair_of(original[0], written[1]);
    *trap = pair == PAIR_TRAPS;
    *faults = pair == PAIR_FAULTS;
    return pair != PAIR_UNKNOWN;
}

bool arch_stub_faults(const struct arch_prologue *prologue)
{
    return prologue->trap != 0 ||
           (prologue->guarded && pair_of(prologue->bytes[0], prologue->guard) == PAIR_FAULTS);
}

static bool has_hold(const struct arch_prologue *prologue, unsigned number)
{
    uint32_t fixed, value;

    return hold_pattern(prologue, number, &fixed, &value);
}

bool arch_hold_first(struct arch_prologue *prologue)
{
    prologue->hold = has_hold(prologue, 1);
    return prologue->hold != 0;
}

bool arch_stub_other(struct arch_prologue *prologue)
{
    bool last_fixed = fixed_bits(prologue) >> 24;

    if (prologue->hold) {
        if (!has_hold(prologue, prologue->hold + 1u))
            return false;
        prologue->hold++;
        return true;
    }
    if (last_fixed && prologue->trap + 1u < sizeof(LAST_TRAPS)) {
        prologue->trap++;
        return true;
    }
    if (!prologue->guarded)
        return false;
    prologue->guarded = false;
    prologue->trap = 0;
    return true;
}

/* Return the address for the distance 0. */
static uint64_t jump_end(const struct arch_prologue *prologue)
{
    return (prologue->pad ? prologue->pad : prologue->jump) + JUMP_BYTES;
}

/* Return the address at `distance`, limited to the address space. */
static uint64_t reach(uint64_t from, int32_t distance)
{
    uint64_t to = from + (uint64_t)(int64_t)distance;

    if (distance < 0 && to > from)
        return 0;
    return distance > 0 && to < from ? UINT64_MAX : to;
}

void arch_stub_window(const struct arch_prologue *prologue, struct arch_window *out)
{
    uint32_t fixed = fixed_bits(prologue), free = ~fixed, traps = traps_of(prologue);
    int32_t lowest = (int32_t)((0x80000000 & free) | (traps & fixed));
    int32_t highest = (int32_t)((0x7fffffff & free) | (traps & fixed));
    uint64_t end = jump_end(prologue);

    out->low = reach(end, lowest);
    out->high = reach(end, highest);
    out->stride = 1;
    while (fixed & out->stride && out->stride < (uint64_t)1 << 32)
        out->stride <<= 1;
    out->residue = (end + traps) & (out->stride - 1);
    if (highest < 0 && end < (uint64_t) - (int64_t)highest) {
        out->low = 1;
        out->high = 0;
    }
}

/* Find the distance from the jump to `stub`. Return false if it does not fit. */
static bool distance_to(const struct arch_prologue *prologue, uint64_t stub, int32_t *distance)
{
    int64_t wide = (int64_t)(stub - jump_end(prologue));

    *distance = (int32_t)wide;
    return *distance == wide && (wide < 0) == (stub < jump_end(prologue));
}

bool arch_stub_possible(const struct arch_prologue *prologue, uint64_t stub)
{
    int32_t distance;

    return distance_to(prologue, stub, &distance) &&
           (((uint32_t)distance ^ traps_of(prologue)) & fixed_bits(prologue)) == 0;
}

/*
 * Find the lowest number that is not below `least` and has the bits `fixed` from `value`. If the highest fixed bit
 * that differs must be set, the bits above it stay. If it must be cleared, the free bits above it count up by one.
 */
static bool lowest_with(uint32_t least, uint32_t fixed, uint32_t value, uint32_t *out)
{
    uint32_t differ = (least ^ value) & fixed, below = 0, kept = least;

    if (differ) {
        uint32_t bit = 0x80000000U >> __builtin_clz(differ);
        below = bit | (bit - 1);
        if (!(value & bit)) {
            uint32_t filled = least | fixed | below;
            if (filled == UINT32_MAX)
                return false;
            kept = filled + 1;
        }
    }
    *out = (kept & ~fixed & ~below) | (value & fixed);
    return true;
}

bool arch_stub_from(const struct arch_prologue *prologue, uint64_t from, uint64_t *stub)
{
    /* With the sign bit flipped, distances are ordered as unsigned numbers. */
    const uint32_t sign = 0x80000000;
    uint64_t end = jump_end(prologue), low = reach(end, INT32_MIN);
    int32_t distance;
    uint32_t found;

    if (from < low)
        from = low;
    if (!distance_to(prologue, from, &distance) ||
        !lowest_with((uint32_t)distance ^ sign, fixed_bits(prologue), traps_of(prologue) ^ sign,
                     &found))
        return false;
    distance = (int32_t)(found ^ sign);
    *stub = end + (uint64_t)(int64_t)distance;
    return *stub >= from;
}

size_t arch_jump_bytes(const struct arch_prologue *prologue, uint64_t stub, uint8_t *jump)
{
    int32_t distance;

    distance_to(prologue, stub, &distance);
    jump[0] = JUMP;
    memcpy(jump + 1, &distance, sizeof(distance));
    return JUMP_BYTES;
}

void arch_short_bytes(const struct arch_prologue *prologue, uint8_t jump[ARCH_SHORT_BYTES])
{
    jump[0] = SHORT_JUMP;
    jump[1] = (uint8_t)(prologue->pad - (prologue->jump + ARCH_SHORT_BYTES));
}

/* ---------------------------------------------------------------------- the code --- */

/* Write the relative field at `field` of an instruction at `at`, of `length` bytes, that refers to `to`. */
static bool refer(uint8_t *out, size_t field, uint64_t at, size_t length, uint64_t to)
{
    int64_t wide = (int64_t)(to - (at + length));
    int32_t distance = (int32_t)wide;

    memcpy(out + field, &distance, sizeof(distance));
    return distance == wide;
}

size_t arch_stub(uint64_t stub, uint64_t word, uint8_t *out, size_t room)
{
    static const uint8_t jump[] = {0xff, 0x25, 0, 0, 0, 0}; /* jmp *word(%rip) */

    if (room < sizeof(jump))
        return 0;
    memcpy(out, jump, sizeof(jump));
    return refer(out, 2, stub, sizeof(jump), word) ? sizeof(jump) : 0;
}

size_t arch_stub_hit(uint64_t stub, uint64_t hit, uint64_t word, uint8_t *out, size_t room)
{
    static const uint8_t store[] = {0xc6, 0x05, 0, 0, 0, 0, 1}; /* movb $1, hit(%rip) */
    size_t jump;

    if (room < sizeof(store))
        return 0;
    memcpy(out, store, sizeof(store));
    if (!refer(out, 2, stub, sizeof(store), hit))
        return 0;
    jump = arch_stub(stub + sizeof(store), word, out + sizeof(store), room - sizeof(store));
    return jump ? sizeof(store) + jump : 0;
}
