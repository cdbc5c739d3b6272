/*
 * compare_relaxed.c - see compare_step.h: accesses that linkers rewrite.
 *
 * System V ABI AMD64, "Linker Optimization" and "Optimize GOTPCRELX Relocations"; "ELF Handling For Thread-Local
 * Storage", 4.4.6 (Drepper, 2013). GNU ld, gold, lld and mold write these forms. An access through the GOT has, before
 * its field of 4 bytes at the instruction's end, ModR/M, the opcode, and perhaps REX:
 *
 *     48 8b 05 field   mov foo@GOTPCREL(%rip), %rax
 *     48 8d 05 field   lea foo(%rip), %rax
 *     48 c7 c0 field   mov $foo, %rax
 */
#include <string.h>

#include "arch/x86_64/compare_step.h"

enum {
    REX = 0x40,
    REX_B = 1,
    REX_R = 4,
    MOV_LOAD = 0x8b,
    LEA = 0x8d,
    MOV_IMMEDIATE = 0xc7,
    TEST = 0x85,
    TEST_IMMEDIATE = 0xf7,
    ARITHMETIC_LOAD = 0x03,
    ARITHMETIC_IMMEDIATE = 0x81,
    GROUP_5 = 0xff,
    NOP = 0x90,
    MODRM_CALL = 0x15,
    MODRM_JUMP = 0x25,
    MODRM_REGISTER = 0xc0,
    MODRM_DISPLACED = 0x80,
    CALL_RELATIVE = 0xe8,
    JUMP_RELATIVE = 0xe9,
    ADDRESS_SIZE = 0x67
};

/* An instruction that ends in a relocated field of 4 bytes relative to itself. */
struct access {
    const uint8_t *code, *other; /* of the object, of the binary */
    unsigned length;
    unsigned field; /* its offset */
    uint8_t opcode, modrm, reg;
    bool has_rex;
    uint8_t rex;
    const struct rel_relocation *relocation;
    int64_t offset; /* from the symbol */
};

static int64_t field32(const uint8_t *bytes)
{
    int32_t value;

    memcpy(&value, bytes, sizeof value);
    return value;
}

static bool read_access(const struct compare_step *step, struct access *access)
{
    const struct rel_relocation *relocation = step->relocations;
    unsigned length = step->in.length;
    uint64_t field = relocation->offset - step->object;

    if (length < 6 || field + 4 != length || binary_room_at(step) < length)
        return false;
    *access = (struct access){
        .code = object_code_at(step),
        .other = binary_code_at(step),
        .length = length,
        .field = (unsigned)field,
        .opcode = object_code_at(step)[field - 2],
        .modrm = object_code_at(step)[field - 1],
        .relocation = relocation,
        .offset = offset_plus(relocation->addend, 4),
    };
    access->reg = access->modrm >> 3 & 7;
    access->has_rex = field >= 3 && (access->code[field - 3] & 0xf0) == REX;
    access->rex = access->has_rex ? access->code[field - 3] : 0;
    return (access->modrm & 0xc7) == 0x05;
}

/* Return the address that the binary's field at the instruction's end gives. */
static uint64_t relative_target(const struct compare_step *step, const struct access *access)
{
    return step->question->address + step->binary + access->length +
           (uint64_t)field32(access->other + access->field);
}

static uint64_t immediate(const struct access *access)
{
    return (uint64_t)field32(access->other + access->field);
}

/* Return whether the binary has that opcode and ModR/M, the object's prefixes, and that REX where the object has one. */
static bool has_form(const struct access *access, uint8_t opcode, uint8_t modrm, uint8_t rex)
{
    unsigned prefixes = access->field - 2 - access->has_rex;

    return access->other[access->field - 2] == opcode &&
           access->other[access->field - 1] == modrm &&
           (!access->has_rex || access->other[access->field - 3] == rex) &&
           memcmp(access->code, access->other, prefixes) == 0;
}

/* The register moves from ModR/M.reg to ModR/M.rm, its high bit from REX.R to REX.B. */
static uint8_t rex_of_operand(const struct access *access)
{
    return (uint8_t)((access->rex & ~(REX_R | REX_B)) | (access->rex & REX_R ? REX_B : 0));
}

/* ------------------------------------------------------- the GOT --- */

static bool is_arithmetic(uint8_t opcode)
{
    return (opcode & 0xc7) == ARITHMETIC_LOAD;
}

static bool takes_immediate(const struct access *access)
{
    uint8_t rex = rex_of_operand(access), reg = access->reg;

    if (access->opcode == MOV_LOAD)
        return has_form(access, MOV_IMMEDIATE, MODRM_REGISTER | reg, rex);
    if (access->opcode == TEST)
        return has_form(access, TEST_IMMEDIATE, MODRM_REGISTER | reg, rex);
    return is_arithmetic(access->opcode) &&
           has_form(access, ARITHMETIC_IMMEDIATE,
                    (uint8_t)(MODRM_REGISTER | (access->opcode & 0x38) | reg), rex);
}

/* ff 15 and ff 25 become 67 e8, e8 ... 90, e9 ... 90. */
static bool is_direct_branch(const struct compare_step *step, const struct access *access,
                             uint64_t *to)
{
    const uint8_t *other = access->other;
    uint8_t opcode = access->modrm == MODRM_CALL ? CALL_RELATIVE : JUMP_RELATIVE;
    uint64_t begin = step->question->address + step->binary;

    if (access->opcode != GROUP_5 || access->length != 6 ||
        (access->modrm != MODRM_CALL && access->modrm != MODRM_JUMP))
        return false;
    if (other[0] == ADDRESS_SIZE && other[1] == opcode)
        *to = begin + 6 + (uint64_t)field32(other + 2);
    else if (other[0] == opcode && other[5] == NOP)
        *to = begin + 5 + (uint64_t)field32(other + 1);
    else
        return false;
    return true;
}

static enum compare_result relaxed_got(struct compare_step *step, const struct access *access)
{
    uint64_t to;

    if (access->opcode == MOV_LOAD && has_form(access, LEA, access->modrm, access->rex))
        return compare_refer(step, ARCH_REFERENCE_ADDRESS, access->relocation, access->offset,
                             relative_target(step, access));
    if (takes_immediate(access))
        return compare_refer(step, ARCH_REFERENCE_ADDRESS, access->relocation, access->offset,
                             immediate(access));
    if (is_direct_branch(step, access, &to))
        return compare_refer(step, ARCH_REFERENCE_BRANCH, access->relocation, access->offset, to);
    return compare_differs(step, NULL);
}

/* ------------------------------------------------------- thread-locals --- */

/* mov and add of foo@gottpoff(%rip) take the offset itself; add may become lea, but of %rsp and %r12. */
static bool takes_offset(const struct access *access)
{
    uint8_t rex = rex_of_operand(access), reg = access->reg;
    uint8_t both = (uint8_t)(rex | (access->rex & REX_R));

    if (access->opcode == MOV_LOAD)
        return has_form(access, MOV_IMMEDIATE, MODRM_REGISTER | reg, rex);
    return access->opcode == ARITHMETIC_LOAD &&
           (has_form(access, ARITHMETIC_IMMEDIATE, MODRM_REGISTER | reg, rex) ||
            has_form(access, LEA, (uint8_t)(MODRM_DISPLACED | reg << 3 | reg), both));
}

static enum compare_result relaxed_tls_got(struct compare_step *step, const struct access *access)
{
    if (!takes_offset(access))
        return compare_differs(step, NULL);
    return compare_refer(step, ARCH_REFERENCE_TLS_OFFSET, access->relocation, access->offset,
                         immediate(access));
}

/* lea foo@tlsdesc(%rip), %rax. */
static enum compare_result relaxed_descriptor(struct compare_step *step,
                                              const struct access *access)
{
    if (access->opcode != LEA)
        return compare_differs(step, NULL);
    if (has_form(access, MOV_IMMEDIATE, MODRM_REGISTER | access->reg, rex_of_operand(access)))
        return compare_refer(step, ARCH_REFERENCE_TLS_OFFSET, access->relocation, access->offset,
                             immediate(access));
    if (has_form(access, MOV_LOAD, access->modrm, access->rex))
        return compare_refer(step, ARCH_REFERENCE_TLS_GOT, access->relocation, access->offset,
                             relative_target(step, access));
    return compare_differs(step, NULL);
}

/* mov %fs:0, %rax. */
static const uint8_t thread_pointer[] = {0x64, 0x48, 0x8b, 0x04, 0x25, 0, 0, 0, 0};

/* Return the length of the lea of a general-dynamic or local-dynamic access and the call that follows it; 0: not so. */
static uint64_t dynamic_length(const struct compare_step *step, const struct access *access)
{
    struct instruction call;
    const uint8_t *next = access->code + access->length;
    uint64_t room = step->question->end - step->object - access->length;

    if (access->opcode != LEA || step->relocation_count < 2 ||
        !instruction_decode(next, room, &call) || !call.call ||
        step->relocations[1].offset - step->object >= access->length + call.length)
        return 0;
    return access->length + call.length;
}

/* 16 bytes: mov %fs:0, %rax; lea foo@tpoff(%rax), %rax, or add foo@gottpoff(%rip), %rax. */
static enum compare_result relaxed_pair(struct compare_step *step, const struct access *access)
{
    static const uint8_t exec[] = {0x48, 0x8d, 0x80}, initial[] = {0x48, 0x03, 0x05};
    enum { HEAD = sizeof thread_pointer, FIELD = HEAD + sizeof exec, LENGTH = FIELD + 4 };
    const uint8_t *other = access->other;
    uint64_t length = dynamic_length(step, access);

    if (length != LENGTH || binary_room_at(step) < LENGTH ||
        memcmp(other, thread_pointer, HEAD) != 0)
        return compare_differs(step, NULL);
    if (memcmp(other + HEAD, exec, sizeof exec) == 0)
        return compare_refer(step, ARCH_REFERENCE_TLS_OFFSET, access->relocation, access->offset,
                             (uint64_t)field32(other + FIELD));
    if (memcmp(other + HEAD, initial, sizeof initial) == 0)
        return compare_refer(step, ARCH_REFERENCE_TLS_GOT, access->relocation, access->offset,
                             step->question->address + step->binary + LENGTH +
                                 (uint64_t)field32(other + FIELD));
    return compare_differs(step, NULL);
}

/* 12 or 13 bytes: prefixes 66, and mov %fs:0, %rax. */
static enum compare_result relaxed_module(struct compare_step *step, const struct access *access)
{
    static const uint8_t prefixes[] = {0x66, 0x66, 0x66, 0x66};
    uint64_t length = dynamic_length(step, access);
    uint64_t head = length - sizeof thread_pointer;

    if ((length != 12 && length != 13) || binary_room_at(step) < length ||
        memcmp(access->other, prefixes, head) != 0 ||
        memcmp(access->other + head, thread_pointer, sizeof thread_pointer) != 0)
        return compare_differs(step, NULL);
    return COMPARE_EQUAL;
}

/* call *foo@tlscall(%rax) becomes a NOP of 2 bytes. */
static enum compare_result relaxed_descriptor_call(struct compare_step *step)
{
    static const uint8_t nop[] = {0x66, 0x90};

    if (step->in.length != sizeof nop || binary_room_at(step) < sizeof nop ||
        memcmp(binary_code_at(step), nop, sizeof nop) != 0)
        return compare_differs(step, NULL);
    return COMPARE_EQUAL;
}

/* ------------------------------------------------------- both --- */

enum compare_result compare_relaxed(struct compare_step *step, uint64_t *length, size_t *used)
{
    struct arch_thin kind = arch_thin(step->relocations->type);
    struct access access;

    *length = step->in.length;
    *used = 1;
    if (kind.target == ARCH_THIN_TLS_DESCRIPTOR_CALL)
        return relaxed_descriptor_call(step);
    if (!read_access(step, &access))
        return compare_differs(step, NULL);
    switch (kind.target) {
    case ARCH_THIN_GOT:
        return relaxed_got(step, &access);
    case ARCH_THIN_TLS_GOT:
        return relaxed_tls_got(step, &access);
    case ARCH_THIN_TLS_DESCRIPTOR:
        return relaxed_descriptor(step, &access);
    case ARCH_THIN_TLS_PAIR:
    case ARCH_THIN_TLS_MODULE:
        *used = 2;
        *length = dynamic_length(step, &access);
        return kind.target == ARCH_THIN_TLS_PAIR ? relaxed_pair(step, &access)
                                                 : relaxed_module(step, &access);
    default:
        return compare_differs(step, NULL);
    }
}
