/* keep.c - see ../keep.h. */
#include "arch/keep.h"

#include <string.h>

#include "arch/x86_64/keep_routines.h"

_Static_assert(offsetof(struct arch_keeper, flags) - offsetof(struct arch_keeper, target) ==
                   KEEPER_FLAGS,
               "as the routines read it");
_Static_assert(offsetof(struct arch_keeper, stack_bytes) - offsetof(struct arch_keeper, target) ==
                   KEEPER_STACK_BYTES,
               "as the routines read it");
_Static_assert(offsetof(struct arch_keeper, save_bytes) - offsetof(struct arch_keeper, target) ==
                   KEEPER_SAVE_BYTES,
               "as the routines read it");

enum { RAX = 0, RDX = 2, XMM_COUNT = 16, ZMM_COUNT = 32 };

static uint32_t result_flags(const struct arch_kept *kept)
{
    return (kept->general >> RAX & 1 ? KEEP_RAX : 0) | (kept->general >> RDX & 1 ? KEEP_RDX : 0) |
           (kept->vector & 1 ? KEEP_XMM0 : 0) | (kept->vector & 2 ? KEEP_XMM1 : 0);
}

/* Return the flag for vector registers. A processor without them runs no caller that relies on them. */
static uint32_t vector_flag(const struct arch_kept *kept)
{
    bool wide = kept->vector_bytes > 32 || kept->vector >> XMM_COUNT;

    if (!kept->vector || !kept->vector_bytes)
        return 0;
    if (wide && __builtin_cpu_supports("avx512f"))
        return KEEP_ZMM;
    return kept->vector_bytes > 16 && __builtin_cpu_supports("avx") ? KEEP_YMM : KEEP_XMM;
}

static uint32_t mask_flag(const struct arch_kept *kept)
{
    if (!kept->mask || !__builtin_cpu_supports("avx512f"))
        return 0;
    return __builtin_cpu_supports("avx512bw") ? KEEP_MASKS : KEEP_MASKS_16;
}

static uint64_t area_of(uint32_t flags)
{
    uint64_t vectors = flags & KEEP_ZMM   ? ZMM_COUNT * 64
                       : flags & KEEP_YMM ? XMM_COUNT * 32
                       : flags & KEEP_XMM ? XMM_COUNT * 16
                                          : 0;

    return vectors || flags & (KEEP_MASKS | KEEP_MASKS_16 | KEEP_X87) ? AREA_VECTORS + vectors : 0;
}

static uintptr_t fast_routine(uint32_t flags)
{
    if (flags & KEEP_RAX)
        return (uintptr_t)(flags & KEEP_RDX ? keep_fast_both : keep_fast_rax);
    return (uintptr_t)(flags & KEEP_RDX ? keep_fast_rdx : keep_fast_none);
}

void arch_keeper_fill(struct arch_keeper *out, const struct arch_kept *kept, uint32_t stack_bytes,
                      uintptr_t target)
{
    uint32_t wide = vector_flag(kept) | mask_flag(kept) | (kept->x87 ? KEEP_X87 : 0);

    *out = (struct arch_keeper){.target = target,
                                .flags = result_flags(kept) | wide,
                                .stack_bytes = stack_bytes,
                                .save_bytes = area_of(wide)};
    if (wide || stack_bytes) {
        out->routine = (uintptr_t)keep_full;
        out->pushed = (uintptr_t)&out->target;
    } else {
        out->routine = fast_routine(out->flags);
        out->pushed = target;
    }
}

size_t arch_keep_thunk(uint64_t thunk, uint64_t keeper, uint8_t *out, size_t room)
{
    static const uint8_t code[ARCH_THUNK_BYTES] = {
        0xf3, 0x0f, 0x1e, 0xfa,       /* endbr64 */
        0xff, 0x35, 0,    0,    0, 0, /* pushq pushed(%rip) */
        0xff, 0x25, 0,    0,    0, 0, /* jmp *routine(%rip) */
    };
    const uint64_t words[] = {keeper + offsetof(struct arch_keeper, pushed),
                              keeper + offsetof(struct arch_keeper, routine)};

    if (room < sizeof(code))
        return 0;
    memcpy(out, code, sizeof(code));
    for (size_t i = 0; i < 2; i++) {
        size_t end = 10 + 6 * i;
        int64_t wide = (int64_t)(words[i] - (thunk + end));
        int32_t distance = (int32_t)wide;

        if (distance != wide)
            return 0;
        memcpy(out + end - sizeof(distance), &distance, sizeof(distance));
    }
    return sizeof(code);
}
