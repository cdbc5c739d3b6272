/* kept_names.c - see arch_kept_each() in arch/callers.h. */
#include <stdio.h>

#include "arch/callers.h"

static void each_numbered(uint64_t bits, const char *class, arch_kept_name *each, void *context)
{
    for (unsigned i = 0; i < 32; i++) {
        char name[16];

        if (!(bits >> i & 1))
            continue;
        snprintf(name, sizeof(name), "%s%u", class, i);
        each(name, context);
    }
}

void arch_kept_each(const struct arch_kept *kept, arch_kept_name *each, void *context)
{
    static const char *const general[] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                          "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
    const char *vector = kept->vector_bytes == 64   ? "zmm"
                         : kept->vector_bytes == 32 ? "ymm"
                                                    : "xmm";

    for (unsigned i = 0; i < 16; i++)
        if (kept->general >> i & 1)
            each(general[i], context);
    each_numbered(kept->vector, vector, each, context);
    each_numbered(kept->mask, "k", each, context);
    if (kept->x87)
        each("x87", context);
    if (kept->align)
        each("alignment", context);
}
