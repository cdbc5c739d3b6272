/*
 * callers_registers.h - sets of registers, in the parts that instructions write and read.
 *
 * A general register has three parts (bits 0 to 7, 8 to 15, the rest), a vector register five (bytes 0 to 3, 4 to 7,
 * 8 to 15, 16 to 31, 32 to 63). The x87 stack's positions are relative to the place where the set is valid. Inside
 * arch/ only.
 */
#ifndef HOTPATCH_CALLERS_REGISTERS_H
#define HOTPATCH_CALLERS_REGISTERS_H

#include <stdbool.h>
#include <stdint.h>

struct registers {
    uint64_t general; /* bits 0-15: lowest parts; 16-31; 32-47; k0-k7: 48-55; st0-st7: 56-63 */
    uint64_t scalar;  /* vector bytes 0-3: bits 0-31; bytes 4-7: bits 32-63 */
    uint64_t vector;  /* vector bytes 8-15: bits 0-31; bytes 16-31: bits 32-63 */
    uint64_t wide;    /* vector bytes 32-63: bits 0-31 */
};

enum {
    RAX = 0,
    RCX = 1,
    RDX = 2,
    RSP = 4,
    RBP = 5,
    RSI = 6,
    RDI = 7,
    R8 = 8,
    R9 = 9,
    R10 = 10,
    R11 = 11,
    MASK_SHIFT = 48,
    X87_SHIFT = 56
};

/* Return all three parts of the general registers in `bits`. */
static inline uint64_t general_parts(uint64_t bits)
{
    return bits | bits << 16 | bits << 32;
}

/* Return the general registers that have a part in the set. */
static inline uint16_t general_of(const struct registers *set)
{
    return (uint16_t)(set->general | set->general >> 16 | set->general >> 32);
}

static inline uint32_t vectors_of(const struct registers *set)
{
    return (uint32_t)(set->scalar | set->scalar >> 32 | set->vector | set->vector >> 32 |
                      set->wide);
}

static inline uint8_t masks_of(const struct registers *set)
{
    return (uint8_t)(set->general >> MASK_SHIFT);
}

static inline uint8_t x87_of(const struct registers *set)
{
    return (uint8_t)(set->general >> X87_SHIFT);
}

/* Return bytes 0 to 15 of the vector registers in `bits`. */
static inline struct registers vector_registers(uint32_t bits)
{
    uint64_t both = bits | (uint64_t)bits << 32;

    return (struct registers){.scalar = both, .vector = bits};
}

static inline struct registers general_registers(uint16_t bits)
{
    return (struct registers){.general = general_parts(bits)};
}

static inline struct registers registers_or(struct registers a, struct registers b)
{
    return (struct registers){a.general | b.general, a.scalar | b.scalar, a.vector | b.vector,
                              a.wide | b.wide};
}

static inline struct registers registers_and(struct registers a, struct registers b)
{
    return (struct registers){a.general & b.general, a.scalar & b.scalar, a.vector & b.vector,
                              a.wide & b.wide};
}

static inline struct registers registers_without(struct registers a, struct registers b)
{
    return (struct registers){a.general & ~b.general, a.scalar & ~b.scalar, a.vector & ~b.vector,
                              a.wide & ~b.wide};
}

static inline bool registers_empty(struct registers a)
{
    return (a.general | a.scalar | a.vector | a.wide) == 0;
}

static inline bool registers_equal(struct registers a, struct registers b)
{
    return a.general == b.general && a.scalar == b.scalar && a.vector == b.vector &&
           a.wide == b.wide;
}

/* psABI, 3.2.1: rax, rcx, rdx, rsi, rdi, r8-r11, every vector and mask register, the x87 stack. */
static inline struct registers registers_caller_saved(void)
{
    return (struct registers){
        general_parts(0x0fc7) | UINT64_C(0xffff) << MASK_SHIFT,
        UINT64_MAX,
        UINT64_MAX,
        UINT32_MAX,
    };
}

/* Return the registers that may hold a result: psABI, 3.2.3. */
static inline struct registers registers_results(void)
{
    struct registers results = vector_registers(3);

    results.general = general_parts(1 << RAX | 1 << RDX) | UINT64_C(3) << X87_SHIFT;
    results.vector |= UINT64_C(3) << 32;
    results.wide |= 3;
    return results;
}

#endif
