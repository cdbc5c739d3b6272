/*
 * thin.c - see arch/thin.h. System V ABI AMD64, "Relocation Types"; the instructions are in the Intel SDM, volume 2.
 */
#include "arch/thin.h"

#include <elf.h>
#include <string.h>

enum { OPCODE_JUMP_REL32 = 0xe9, OPCODE_CALL_REL32 = 0xe8, NOP = 0x90 };

/* Of binutils 2.43 and newer, for APX; elf.h of Debian 12 does not have them. They are not known here. */

#define ROW(target, size, ...)                \
    {                                         \
        ARCH_THIN_##target, size, __VA_ARGS__ \
    }
#define RELATIVE .relative = true
#define SIGNED .sign = true
#define UNSIGNED .zero = true
#define EITHER .sign = true, .zero = true

static const struct arch_thin rows[] = {
    [R_X86_64_NONE] = ROW(NONE, 0, SIGNED),
    [R_X86_64_64] = ROW(ADDRESS, 8, EITHER),
    [R_X86_64_PC32] = ROW(ADDRESS, 4, RELATIVE, SIGNED),
    [R_X86_64_GOT32] = ROW(GOT_OFFSET, 4, SIGNED),
    [R_X86_64_PLT32] = ROW(BRANCH, 4, RELATIVE, SIGNED),
    [R_X86_64_GOTPCREL] = ROW(GOT, 4, RELATIVE, SIGNED),
    [R_X86_64_32] = ROW(ADDRESS, 4, UNSIGNED),
    [R_X86_64_32S] = ROW(ADDRESS, 4, SIGNED),
    [R_X86_64_16] = ROW(ADDRESS, 2, EITHER),
    [R_X86_64_PC16] = ROW(ADDRESS, 2, RELATIVE, SIGNED),
    [R_X86_64_8] = ROW(ADDRESS, 1, EITHER),
    [R_X86_64_PC8] = ROW(ADDRESS, 1, RELATIVE, SIGNED),
    [R_X86_64_TPOFF64] = ROW(TLS_OFFSET, 8, EITHER),
    [R_X86_64_TLSGD] = ROW(TLS_PAIR, 4, RELATIVE, SIGNED),
    [R_X86_64_TLSLD] = ROW(TLS_MODULE, 4, RELATIVE, SIGNED),
    [R_X86_64_DTPOFF64] = ROW(TLS_BLOCK, 8, EITHER),
    [R_X86_64_DTPOFF32] = ROW(TLS_BLOCK, 4, SIGNED),
    [R_X86_64_GOTTPOFF] = ROW(TLS_GOT, 4, RELATIVE, SIGNED),
    [R_X86_64_TPOFF32] = ROW(TLS_OFFSET, 4, SIGNED),
    [R_X86_64_PC64] = ROW(ADDRESS, 8, RELATIVE, EITHER),
    [R_X86_64_GOTOFF64] = ROW(GOT_RELATIVE, 8, EITHER),
    [R_X86_64_GOTPC32] = ROW(GOT_BASE, 4, RELATIVE, SIGNED),
    [R_X86_64_GOT64] = ROW(GOT_OFFSET, 8, EITHER),
    [R_X86_64_GOTPCREL64] = ROW(GOT, 8, RELATIVE, EITHER),
    [R_X86_64_GOTPC64] = ROW(GOT_BASE, 8, RELATIVE, EITHER),
    [R_X86_64_GOTPLT64] = ROW(GOT_OFFSET, 8, EITHER),
    [R_X86_64_PLTOFF64] = ROW(GOT_RELATIVE, 8, EITHER),
    [R_X86_64_SIZE32] = ROW(SIZE, 4, UNSIGNED),
    [R_X86_64_SIZE64] = ROW(SIZE, 8, EITHER),
    [R_X86_64_GOTPC32_TLSDESC] = ROW(TLS_DESCRIPTOR, 4, RELATIVE, SIGNED),
    [R_X86_64_TLSDESC_CALL] = ROW(TLS_DESCRIPTOR_CALL, 0, SIGNED),
    [R_X86_64_GOTPCRELX] = ROW(GOT, 4, RELATIVE, SIGNED, .relaxable = true),
    [R_X86_64_REX_GOTPCRELX] = ROW(GOT, 4, RELATIVE, SIGNED, .relaxable = true),
};

struct arch_thin arch_thin(uint32_t number)
{
    return number < sizeof rows / sizeof rows[0] ? rows[number] : (struct arch_thin){0};
}

/* ------------------------------------------------------- storing --- */

static bool field_holds(const struct arch_thin *kind, uint64_t value)
{
    unsigned bits = 8u * kind->size;

    if (bits == 64)
        return true;
    uint64_t high = value >> bits;
    /* Sign extension: the bits above the field are copies of its highest bit. */
    bool as_signed = (int64_t)value >> (bits - 1) == 0 || (int64_t)value >> (bits - 1) == -1;
    return (kind->zero && high == 0) || (kind->sign && as_signed);
}

bool arch_thin_apply(uint32_t number, uint8_t *field, uint64_t place, uint64_t target,
                     int64_t addend)
{
    struct arch_thin kind = arch_thin(number);
    uint64_t value = target + (uint64_t)addend - (kind.relative ? place : 0);

    if (kind.target == ARCH_THIN_UNKNOWN)
        return false;
    if (kind.size == 0)
        return true;
    if (!field_holds(&kind, value))
        return false;
    memcpy(field, &value, kind.size); /* little-endian */
    return true;
}

/* ------------------------------------------------------- branches --- */

/* e8, e9, 0f 80 to 0f 8f, and c7 f8 (xbegin): no ModR/M of an access relative to %rip is one of these. */
static bool is_branch_opcode(const uint8_t *bytes, uint64_t field)
{
    if (field >= 1 &&
        (bytes[field - 1] == OPCODE_CALL_REL32 || bytes[field - 1] == OPCODE_JUMP_REL32))
        return true;
    return field >= 2 && bytes[field - 2] == 0x0f && (bytes[field - 1] & 0xf0) == 0x80;
}

bool arch_thin_is_branch(uint32_t number, const uint8_t *bytes, uint64_t offset)
{
    struct arch_thin kind = arch_thin(number);

    if (kind.target == ARCH_THIN_BRANCH)
        return is_branch_opcode(bytes, offset);
    return kind.target == ARCH_THIN_ADDRESS && kind.relative && kind.size == 4 &&
           is_branch_opcode(bytes, offset);
}

/* endbr64, since a stub's address may be taken; jmp *disp32(%rip); NOPs. */
bool arch_thin_stub(uint8_t stub[ARCH_THIN_STUB_SIZE], uint64_t place, uint64_t word)
{
    static const uint8_t head[] = {0xf3, 0x0f, 0x1e, 0xfa, 0xff, 0x25};
    enum { FIELD = sizeof head };
    uint8_t bytes[ARCH_THIN_STUB_SIZE];

    memset(bytes, NOP, sizeof bytes);
    memcpy(bytes, head, sizeof head);
    if (!arch_thin_apply(R_X86_64_PC32, bytes + FIELD, place + FIELD, word, -4))
        return false;
    memcpy(stub, bytes, sizeof bytes);
    return true;
}

/* ------------------------------------------------------- numbers --- */

uint32_t arch_thin_number(enum arch_thin_number kind)
{
    static const uint32_t numbers[] = {
        [ARCH_THIN_ABSOLUTE_64] = R_X86_64_64,
        [ARCH_THIN_ABSOLUTE_32] = R_X86_64_32,
        [ARCH_THIN_RELATIVE_32] = R_X86_64_PC32,
        [ARCH_THIN_RELATIVE_64] = R_X86_64_PC64,
        [ARCH_THIN_DYNAMIC_GOT] = R_X86_64_GLOB_DAT,
        [ARCH_THIN_DYNAMIC_RELATIVE] = R_X86_64_RELATIVE,
        [ARCH_THIN_DYNAMIC_INDIRECT] = R_X86_64_IRELATIVE,
        [ARCH_THIN_DYNAMIC_TLS_OFFSET] = R_X86_64_TPOFF64,
        [ARCH_THIN_DYNAMIC_TLS_MODULE] = R_X86_64_DTPMOD64,
        [ARCH_THIN_DYNAMIC_TLS_BLOCK] = R_X86_64_DTPOFF64,
    };

    return numbers[kind];
}
