/* call_number.c - see call_number.h. Intel SDM, volume 2. */
#include "arch/x86_64/call_number.h"

#include <stdbool.h>
#include <string.h>

enum { NUMBER_MAX = 1023, REX_B = 1, REX_R = 4, REX_W = 8 };

/* The meaning of an instruction's ModRM byte and the bytes after it. */
struct operands {
    size_t length; /* with displacement; 0: not within `room` */
    unsigned reg;  /* with REX.R */
    unsigned rm;   /* with REX.B, if it is a register */
    bool rm_is_register;
};

static struct operands operands_at(const uint8_t *code, size_t room, unsigned rex)
{
    struct operands operands = {0};
    unsigned mod, low;
    size_t length = 1;

    if (room < 1)
        return operands;
    mod = code[0] >> 6;
    low = code[0] & 7;
    operands.reg = (code[0] >> 3 & 7) | (rex & REX_R ? 8 : 0);
    operands.rm = low | (rex & REX_B ? 8 : 0);
    operands.rm_is_register = mod == 3;
    if (mod != 3 && low == 4) {
        if (room < 2)
            return operands;
        length++;
        length += mod == 0 && (code[1] & 7) == 5 ? 4 : 0;
    }
    length += mod == 1 ? 1 : mod == 2 || (mod == 0 && low == 5) ? 4 : 0;
    operands.length = length <= room ? length : 0;
    return operands;
}

enum writes { WRITES_NOTHING, WRITES_RM, WRITES_REG };

/* Find the form of an instruction with a ModRM byte. Return false if `opcode` is not known. */
static bool form_of(uint8_t opcode, enum writes *writes, size_t *immediate)
{
    *immediate = 0;
    switch (opcode) {
    case 0x01: /* add, or, and, sub, xor, mov: to r/m */
    case 0x09:
    case 0x21:
    case 0x29:
    case 0x31:
    case 0x89:
        *writes = WRITES_RM;
        return true;
    case 0x03: /* the same, movslq and lea: to a register */
    case 0x0b:
    case 0x23:
    case 0x2b:
    case 0x33:
    case 0x8b:
    case 0x63:
    case 0x8d:
        *writes = WRITES_REG;
        return true;
    case 0x39: /* cmp, test */
    case 0x3b:
    case 0x85:
        *writes = WRITES_NOTHING;
        return true;
    case 0x83: /* arithmetic with an immediate, mov */
        *immediate = 1;
        *writes = WRITES_RM;
        return true;
    case 0x81:
    case 0xc7:
        *immediate = 4;
        *writes = WRITES_RM;
        return true;
    default:
        return false;
    }
}

/* Return the length of a known instruction that does not change eax; 0: another. */
static size_t harmless_length(const uint8_t *code, size_t room)
{
    size_t at = 0, immediate;
    unsigned rex = 0;
    struct operands operands;
    enum writes writes;
    uint8_t opcode;

    if (room > 0 && (code[0] & 0xf0) == 0x40)
        rex = code[at++];
    if (at >= room)
        return 0;
    opcode = code[at++];
    if (opcode >= 0xb8 && opcode <= 0xbf) { /* mov $immediate, register */
        at += rex & REX_W ? 8 : 4;
        return at <= room && (opcode != 0xb8 || rex & REX_B) ? at : 0;
    }
    if (!form_of(opcode, &writes, &immediate))
        return 0;
    operands = operands_at(code + at, room - at, rex);
    if (operands.length == 0 || at + operands.length + immediate > room)
        return 0;
    if (opcode == 0x8d && operands.rm_is_register)
        return 0; /* no instruction */
    if ((writes == WRITES_RM && operands.rm_is_register && operands.rm == 0) ||
        (writes == WRITES_REG && operands.reg == 0))
        return 0;
    return at + operands.length + immediate;
}

static bool leaves_eax(const uint8_t *code, size_t size)
{
    size_t at = 0, length;

    for (; at < size; at += length) {
        length = harmless_length(code + at, size - at);
        if (length == 0)
            return false;
    }
    return true;
}

/* Return the length of a load of eax at `code`, and the number; 0: there is none. */
static size_t load_length(const uint8_t *code, size_t room, uint32_t *number)
{
    *number = 0;
    if (room >= 2 && (code[0] == 0x31 || code[0] == 0x33) && code[1] == 0xc0) /* xor %eax, %eax */
        return 2;
    if (room >= 5 && code[0] == 0xb8) {
        memcpy(number, code + 1, sizeof(*number));
        return 5;
    }
    if (room >= 6 && code[0] == 0xc7 && code[1] == 0xc0) {
        memcpy(number, code + 2, sizeof(*number));
        return 6;
    }
    return 0;
}

long call_number(const uint8_t *code, size_t size)
{
    uint32_t number;

    for (size_t at = size; at-- > 0;) {
        size_t length = load_length(code + at, size - at, &number);
        /* With REX.B or REX.R before it, it is of r8. */
        bool other = at > 0 && (code[at - 1] & 0xf0) == 0x40 && code[at - 1] & (REX_B | REX_R);

        if (length == 0 || other || !leaves_eax(code + at + length, size - at - length))
            continue;
        return number <= NUMBER_MAX ? (long)number : -1;
    }
    return -1;
}
