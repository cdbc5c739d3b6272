/* call_site.c - see base/call_site.h. */
#include "base/call_site.h"

#include <string.h>

#include "base/unwind.h"

enum { CALL_BYTES = 6 /* ff 15 disp32 */, PLT_BYTES = 16, SYSCALL_BYTES = 2 };

/* Return the target of an instruction that ends at `next`. `displacement`: its 4 bytes. */
static uint64_t relative(const uint8_t *displacement, uint64_t next)
{
    int32_t distance;

    memcpy(&distance, displacement, sizeof(distance));
    return next + (uint64_t)(int64_t)distance;
}

/* Return the target of `jmp *slot(%rip)` at `at`, after endbr64 and bnd, if there is one; else `at`. */
static uint64_t past_plt(uint64_t at)
{
    static const uint8_t landing[] = {0xf3, 0x0f, 0x1e, 0xfa};
    uint8_t code[PLT_BYTES];
    uint64_t target;
    size_t i = 0;

    if (!unwind_read(NULL, at, code, sizeof(code)))
        return at;
    if (memcmp(code, landing, sizeof(landing)) == 0)
        i = sizeof(landing);
    i += code[i] == 0xf2;
    if (code[i] != 0xff || code[i + 1] != 0x25 ||
        !unwind_read(NULL, relative(code + i + 2, at + i + 6), &target, sizeof(target)))
        return at;
    return target;
}

bool call_site_is_syscall(uint64_t pc)
{
    uint8_t code[SYSCALL_BYTES];

    return unwind_read(NULL, pc, code, sizeof(code)) && code[0] == 0x0f && code[1] == 0x05;
}

bool call_site_is_after_syscall(uint64_t pc)
{
    return call_site_is_syscall(pc - SYSCALL_BYTES);
}

/* Find jmp rel32, or jcc rel32, of which `at` is the second byte. */
bool call_site_jump(const uint8_t *code, size_t at, uint64_t address, uint64_t *target)
{
    if (code[at] != 0xe9 && (at == 0 || code[at - 1] != 0x0f || (code[at] & 0xf0) != 0x80))
        return false;
    *target = relative(code + at + 1, address + CALL_SITE_JUMP_BYTES);
    return true;
}

uint64_t call_site_target(uint64_t back)
{
    uint8_t code[CALL_BYTES];
    uint64_t target;

    if (!unwind_read(NULL, back - sizeof(code), code, sizeof(code)))
        return 0;
    if (code[0] == 0xff && code[1] == 0x15 &&
        unwind_read(NULL, relative(code + 2, back), &target, sizeof(target)))
        return target;
    return code[1] == 0xe8 ? past_plt(relative(code + 2, back)) : 0;
}
