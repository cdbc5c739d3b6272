/* plt.c - see arch/plt.h. System V ABI AMD64, "Procedure Linkage Table". */
#include "arch/plt.h"

#include <string.h>

enum { OPCODE_PUSH_IMM32 = 0x68, OPCODE_JUMP_REL32 = 0xe9, PREFIX_BND = 0xf2 };

static const uint8_t endbr64[] = {0xf3, 0x0f, 0x1e, 0xfa};

/* jmp *disp32(%rip), as PLTs have it: with a BND prefix where they were made for MPX or CET. */
static size_t memory_jump_end(const uint8_t *code, size_t size, size_t at)
{
    if (at < size && code[at] == PREFIX_BND)
        at++;
    return at + 6 <= size && code[at] == 0xff && code[at + 1] == 0x25 ? at + 6 : 0;
}

bool arch_is_plt(const uint8_t *code, size_t size)
{
    size_t at = size > sizeof(endbr64) && memcmp(code, endbr64, sizeof(endbr64)) == 0 ? 4 : 0;
    size_t end;

    if (at == 0 && size >= 6 && code[0] == 0xff && code[1] == 0x35) /* push disp32(%rip) */
        at = 6;
    end = memory_jump_end(code, size, at);
    return end > 0 && end < size;
}

/* After an endbr64 with -z ibtplt; mold's PLT moves the number into r11d. */
bool arch_is_lazy_plt(const uint8_t code[ARCH_LAZY_BYTES])
{
    if (memcmp(code, endbr64, sizeof(endbr64)) == 0)
        code += sizeof(endbr64);
    if (code[0] == OPCODE_PUSH_IMM32)
        return code[5] == OPCODE_JUMP_REL32 ||
               (code[5] == PREFIX_BND && code[6] == OPCODE_JUMP_REL32);
    return code[0] == 0x41 && code[1] == 0xbb;
}

/* mold's entries move a number into r11d before the jump. */
bool arch_plt_word(const uint8_t *code, size_t size, uint64_t address, uint64_t *word)
{
    enum { MOVE_BYTES = 6, FIELD_BYTES = 4 };
    size_t at = size > sizeof endbr64 && memcmp(code, endbr64, sizeof endbr64) == 0 ? 4 : 0;
    int32_t field;

    if (at + MOVE_BYTES < size && code[at] == 0x41 && code[at + 1] == 0xbb)
        at += MOVE_BYTES;
    size_t end = memory_jump_end(code, size, at);
    if (end == 0)
        return false;
    memcpy(&field, code + end - FIELD_BYTES, sizeof field);
    *word = address + end + (uint64_t)(int64_t)field;
    return true;
}
