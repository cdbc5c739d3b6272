/* step_instruction.c - see base/step_instruction.h. Opcodes: Intel SDM, volume 2, appendix A. */
#include "base/step_instruction.h"

#include <signal.h>
#include <string.h>

#define RSEQ_SIGNATURE UINT32_C(0x53053053)
#define VSYSCALL_PAGES UINT64_C(0xffffffffff600000)

enum { NO_OPCODE = -1, TWO_BYTES = 0x0f00 };

/* Return the reg field of a ModRM byte. */
static unsigned reg_of_modrm(uint8_t modrm)
{
    return modrm >> 3 & 7;
}

static bool is_step_prefix(uint8_t byte)
{
    static const uint8_t prefixes[] = {0x66, 0x67, 0x2e, 0x36, 0x3e, 0x26,
                                       0x64, 0x65, 0xf0, 0xf2, 0xf3};

    return memchr(prefixes, byte, sizeof(prefixes)) || (byte & 0xf0) == 0x40;
}

/* Return the opcode, of the two-byte map with TWO_BYTES added. `modrm`: the byte after it, 0 if there is none. */
static int opcode_of(const uint8_t *code, size_t size, uint8_t *modrm)
{
    size_t at = 0;
    int map = 0;

    while (at < size && is_step_prefix(code[at]))
        at++;
    if (at + 1 < size && code[at] == 0xd5) { /* REX2; its highest bit chooses the two-byte map */
        map = code[at + 1] & 0x80 ? TWO_BYTES : 0;
        at += 2;
    } else if (at < size && code[at] == 0x0f) {
        map = TWO_BYTES;
        at++;
    }
    if (at >= size)
        return NO_OPCODE;
    *modrm = at + 1 < size ? code[at + 1] : 0;
    return map + code[at];
}

bool step_instruction_is_syscall(const uint8_t *code, size_t size)
{
    uint8_t modrm;

    return opcode_of(code, size, &modrm) == TWO_BYTES + 0x05;
}

bool step_instruction_may_trap(const uint8_t *code, size_t size)
{
    uint8_t modrm = 0;

    switch (opcode_of(code, size, &modrm)) {
    case NO_OPCODE:
    case 0x9c: /* pushf */
    case 0x9d: /* popf */
    case 0xcc: /* int3 */
    case 0xcd: /* int */
    case 0xcf: /* iret */
    case 0xf1: /* int1 */
    case 0xca: /* far ret */
    case 0xcb:
    case TWO_BYTES + 0x05: /* syscall */
    case TWO_BYTES + 0x07: /* sysret */
    case TWO_BYTES + 0x34: /* sysenter */
    case TWO_BYTES + 0x35: /* sysexit */
        return false;
    case 0x8e: /* mov to a segment register */
        return reg_of_modrm(modrm) != 2;
    case 0xff: /* far call, far jmp */
        return reg_of_modrm(modrm) != 3 && reg_of_modrm(modrm) != 5;
    case 0xc7: /* xbegin */
        return modrm != 0xf8;
    case TWO_BYTES + 0x01: /* enclu, uiret */
        return modrm != 0xd7 && modrm != 0xec;
    default:
        return true;
    }
}

bool step_instruction_is_the_kernels(uint64_t pc)
{
    return pc >= VSYSCALL_PAGES;
}

bool step_instruction_aborts(uint32_t before)
{
    return before == RSEQ_SIGNATURE;
}

bool step_instruction_raised(int si_code)
{
    return si_code == TRAP_TRACE || si_code == TRAP_BRKPT;
}
