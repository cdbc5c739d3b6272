/*
 * fault_decide.c - does a call of a function that a fault stands in place of fail?
 *
 * Any thread of the program runs this, from inside any function, malloc included; so do our own threads,
 * for which a fault at a function's entry is none. No lock, no memory, and no call of a function of libc:
 * a fault may stand at its entry, and would come here again. It is built without vector
 * registers (-mgeneral-regs-only): fault_entries.c restores the general ones and the lower halves of
 * the vector registers, and no part of them may be lost.
 */
#include "base/services.h"
#include "base/sys.h"
#include "loader/slots/fault.h"

struct fault fault_table[FAULT_COUNT];
intptr_t fault_errno_offset;

/* SplitMix64 (Steele, Lea, Flood 2014) over a shared counter: even, and without a lock. */
static uint32_t draw_millionths(void)
{
    static uint64_t state;
    uint64_t z = __atomic_add_fetch(&state, UINT64_C(0x9e3779b97f4a7c15), __ATOMIC_RELAXED);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)((z ^ z >> 31) % 1000000);
}

static bool strikes(struct fault *fault, uintptr_t caller)
{
    uint64_t call, strike;

    if (fault->caller_begin && (caller < fault->caller_begin || caller >= fault->caller_end))
        return false;
    call = __atomic_add_fetch(&fault->calls, 1, __ATOMIC_RELAXED);
    if (fault->nth && call % fault->nth != 0)
        return false;
    if (fault->probability && draw_millionths() >= fault->probability)
        return false;
    strike = __atomic_add_fetch(&fault->strikes, 1, __ATOMIC_RELAXED);
    if (!fault->times || strike <= fault->times)
        return true;
    __atomic_sub_fetch(&fault->strikes, 1, __ATOMIC_RELAXED);
    return false;
}

struct fault_verdict fault_decide(uint64_t number, uintptr_t caller)
{
    struct fault *fault = &fault_table[number];
    bool at_entry;

    /* Pairs with fault_new(): who came here through a word sees the whole fault. (The word's own
     * release store does it; a race detector does not see the call through a PLT.) */
    (void)__atomic_load_n(&fault->taken, __ATOMIC_ACQUIRE);
    at_entry = __atomic_load_n(&fault->at_entry, __ATOMIC_ACQUIRE);
    if ((at_entry && shim()->own_thread()) || !strikes(fault, caller))
        return (struct fault_verdict){FAULT_PASSES,
                                      (int64_t)__atomic_load_n(&fault->original, __ATOMIC_ACQUIRE)};
    if (fault->error)
        *(int *)(sys_thread() + (uintptr_t)fault_errno_offset) = fault->error;
    return (struct fault_verdict){fault->no_result ? FAULT_RETURNS_NOTHING : FAULT_RETURNS,
                                  fault->value};
}
