/* registers.c - see registers.h. */
#include "tests/support/registers.h"

struct registers registers_seen;
unsigned registers_seen_features, registers_seen_words;

unsigned registers_features(void)
{
    return (__builtin_cpu_supports("avx") ? REGISTERS_YMM : 0) |
           (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") ? REGISTERS_ZMM
                                                                                    : 0);
}
