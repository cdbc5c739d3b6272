/*
 * hold.c - jumps that trap no thread. Pure functions without allocation.
 *
 * A thread that had stopped between two displaced instructions continues in the middle of the jump. The bytes there
 * depend on the 32 bits of the jump's distance, and so on the stub's address:
 *
 *     before   55              push %rbp          53           push %rbx
 *              48 89 e5        mov %rsp, %rbp     48 83 ec 08  sub $8, %rsp
 *              53              push %rbx
 *     then     e9 eb fe xx 53                     e9 eb fe xx xx
 *     at 1        jmp to itself                      jmp to itself
 *     at 4        push %rbx, as before
 *
 * An instruction of two bytes or more is left unchanged, as far as it lies inside the jump, or becomes a jump to
 * itself. An instruction of one byte is left unchanged. A thread that executes an unchanged instruction comes to the
 * next boundary in the same state as in the old code.
 */
#include "arch/x86_64/hold.h"

enum { JUMP_BYTES = 5, SPIN_BYTES = 2 };

static const uint8_t SPIN[SPIN_BYTES] = {0xeb, 0xfe};

struct distance {
    uint32_t fixed, value;
};

static void fix(struct distance *distance, unsigned at, uint8_t byte)
{
    distance->fixed |= 0xffU << 8 * (at - 1);
    distance->value |= (uint32_t)byte << 8 * (at - 1);
}

static void fix_all(struct distance *distance, unsigned begin, unsigned end, const uint8_t *bytes)
{
    for (unsigned at = begin; at < end; at++)
        fix(distance, at, bytes[at - begin]);
}

bool hold_pattern(const struct arch_prologue *prologue, unsigned number, uint32_t *fixed,
                  uint32_t *value)
{
    unsigned left = number - 1; /* a bit for each instruction that is left */
    struct distance distance = {0, 0};

    if (prologue->count < 2 || prologue->start[1] >= JUMP_BYTES)
        return false;
    for (unsigned i = 1; i < prologue->count && prologue->start[i] < JUMP_BYTES; i++) {
        unsigned begin = prologue->start[i], end = prologue->start[i + 1];
        bool spins;

        if (end > JUMP_BYTES)
            end = JUMP_BYTES;
        spins = end - begin >= SPIN_BYTES && !(left & 1);
        if (end - begin >= SPIN_BYTES)
            left >>= 1;
        if (spins)
            fix_all(&distance, begin, begin + SPIN_BYTES, SPIN);
        else
            fix_all(&distance, begin, end, prologue->bytes + begin);
    }
    *fixed = distance.fixed;
    *value = distance.value;
    return left == 0;
}
