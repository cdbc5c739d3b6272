/*
 * injection_decide.c - see injection_decide.h.
 *
 * Any thread of the program runs this code, from inside any function, malloc included. The engine's own threads run it,
 * too; for them an injection at a function's entry has no effect. This code uses no lock and no memory, and calls no
 * function of libc: an injection may replace that function, and the call would come here again. The file is built
 * without vector registers (-mgeneral-regs-only). injection_row.c restores the general registers and the lower halves
 * of the vector registers, and no part of the registers may be lost.
 */
#include "loader/slots/injection_decide.h"

#include "base/services.h"
#include "base/sys.h"

struct injection injection_table[ARCH_INJECTIONS];
intptr_t injection_errno_offset;

/* Return an even draw from [0, 1000000), without a lock: SplitMix64 (Steele, Lea, Flood 2014) over a shared counter. */
static uint32_t draw_millionths(void)
{
    static uint64_t state;
    uint64_t z = __atomic_add_fetch(&state, UINT64_C(0x9e3779b97f4a7c15), __ATOMIC_RELAXED);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)((z ^ z >> 31) % 1000000);
}

static bool strikes(struct injection *injection, uintptr_t caller)
{
    uint64_t call, strike;

    if (injection->caller_begin &&
        (caller < injection->caller_begin || caller >= injection->caller_end))
        return false;
    call = __atomic_add_fetch(&injection->calls, 1, __ATOMIC_RELAXED);
    if (injection->nth && call % injection->nth != 0)
        return false;
    if (injection->probability && draw_millionths() >= injection->probability)
        return false;
    strike = __atomic_add_fetch(&injection->strikes, 1, __ATOMIC_RELAXED);
    if (!injection->times || strike <= injection->times)
        return true;
    __atomic_sub_fetch(&injection->strikes, 1, __ATOMIC_RELAXED);
    return false;
}

struct arch_injection_verdict arch_injection_decide(uint64_t number, uintptr_t caller)
{
    struct injection *injection = &injection_table[number];
    bool at_entry;

    /* Pairs with the store in injection_new(): a thread that came here through a word reads the whole injection. (The
     * word's own release store ensures that, but a race detector does not see the call through a PLT.) */
    (void)__atomic_load_n(&injection->taken, __ATOMIC_ACQUIRE);
    at_entry = __atomic_load_n(&injection->at_entry, __ATOMIC_ACQUIRE);
    if ((at_entry && shim()->own_thread()) || !strikes(injection, caller))
        return (struct arch_injection_verdict){
            ARCH_INJECTION_PASSES,
            (int64_t)__atomic_load_n(&injection->original, __ATOMIC_ACQUIRE)};
    if (injection->error)
        *(int *)(sys_thread() + (uintptr_t)injection_errno_offset) = injection->error;
    return (struct arch_injection_verdict){injection->no_result ? ARCH_INJECTION_RETURNS_NOTHING
                                                                : ARCH_INJECTION_RETURNS,
                                           injection->value};
}
