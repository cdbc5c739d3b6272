/* foreign.c - see ../foreign.h. */
#include "arch/foreign.h"

#include <stdio.h>
#include <string.h>

#include "arch/x86_64/decode.h"

enum { INT3 = 0xcc, JUMP_BYTES = 5, LANDING_BYTES = 4 };

static const uint8_t LANDING[LANDING_BYTES] = {0xf3, 0x0f, 0x1e, 0xfa}; /* endbr64 */

/* Skip an endbr64: hooks leave it unchanged at the entry. */
static size_t past_landing(const uint8_t *code, size_t size)
{
    return size > LANDING_BYTES && memcmp(code, LANDING, LANDING_BYTES) == 0 ? LANDING_BYTES : 0;
}

/* Return whether the code is a jump as hooks write it: jmp and call rel32, jmp rel8, jmp *word(%rip) with and without
 * REX.W, movabs to a register and jmp to it, push imm32 and ret. */
static bool is_jump(const uint8_t *code, size_t size)
{
    if (size >= 2 && (code[0] == 0xeb || (code[0] == 0xff && code[1] == 0x25)))
        return true;
    if (size >= 3 && (code[0] & 0xf8) == 0x48 && code[1] == 0xff && code[2] == 0x25)
        return true;
    if (size >= 5 && (code[0] == 0xe9 || code[0] == 0xe8))
        return true;
    if (size >= 6 && code[0] == 0x68 && code[5] == 0xc3)
        return true;
    return size >= 12 && (code[0] == 0x48 || code[0] == 0x49) && (code[1] & 0xf8) == 0xb8 &&
           (code[10] == 0xff || code[11] == 0xff);
}

enum arch_foreign arch_foreign(const uint8_t *found, size_t room, const uint8_t *expected,
                               const uint8_t *original, size_t size, size_t *at)
{
    bool differs = false, others = false;
    size_t skipped;

    for (size_t i = 0; i < size; i++) {
        if (found[i] == expected[i])
            continue;
        if (!differs)
            *at = i;
        differs = true;
        if (found[i] == original[i])
            continue;
        if (!others)
            *at = i;
        others = true;
    }
    if (!differs)
        return ARCH_FOREIGN_NONE;
    if (!others)
        return ARCH_FOREIGN_ORIGINAL;
    if (found[*at] == INT3)
        return ARCH_FOREIGN_TRAP;
    skipped = past_landing(found, room);
    return is_jump(found + skipped, room - skipped) ? ARCH_FOREIGN_JUMP : ARCH_FOREIGN_OTHER;
}

bool arch_traps_first(const uint8_t *code, size_t size, size_t *at)
{
    size_t end = past_landing(code, size) + JUMP_BYTES;
    struct instruction in;

    for (*at = 0; *at < end && instruction_decode(code + *at, size - *at, &in); *at += in.length) {
        if (in.breakpoint)
            return true;
        if (in.ends)
            return false;
    }
    return false;
}

static uint64_t field_target(const uint8_t *field, uint64_t end)
{
    int32_t distance;

    memcpy(&distance, field, sizeof(distance));
    return end + (uint64_t)(int64_t)distance;
}

void arch_foreign_jump_text(const uint8_t *found, size_t size, uint64_t address,
                            char text[ARCH_FOREIGN_TEXT])
{
    size_t skipped = past_landing(found, size);
    const char *what = found[skipped] == 0xe8 ? "call" : "jump";
    uint64_t to = 0;

    found += skipped;
    size -= skipped;
    address += skipped;

    if (size >= 5 && (found[0] == 0xe9 || found[0] == 0xe8))
        to = field_target(found + 1, address + 5);
    else if (size >= 2 && found[0] == 0xeb)
        to = address + 2 + (uint64_t)(int64_t)(int8_t)found[1];
    else if (size >= 14 && found[0] == 0xff && found[1] == 0x25 && field_target(found + 2, 0) == 0)
        memcpy(&to, found + 6, sizeof(to));
    else if (size >= 12 && (found[0] & 0xfe) == 0x48 && (found[1] & 0xf8) == 0xb8)
        memcpy(&to, found + 2, sizeof(to));
    if (to)
        snprintf(text, ARCH_FOREIGN_TEXT, "a %s to 0x%llx", what, (unsigned long long)to);
    else
        snprintf(text, ARCH_FOREIGN_TEXT, "a jump");
}
