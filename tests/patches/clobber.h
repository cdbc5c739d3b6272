/*
 * clobber.h - what a replacement may do by the ABI: write every caller-saved register, and store to the
 * stack as only an aligned one allows.
 */
#ifndef CLOBBER_H
#define CLOBBER_H

#include <hotpatch.h>

static inline void clobber(void)
{
    _Alignas(16) char local[16];

    __asm__ volatile("movaps %%xmm0, %0\n"
                     "pcmpeqd %%xmm0, %%xmm0\n pcmpeqd %%xmm1, %%xmm1\n pcmpeqd %%xmm2, %%xmm2\n"
                     "pcmpeqd %%xmm3, %%xmm3\n pcmpeqd %%xmm4, %%xmm4\n pcmpeqd %%xmm5, %%xmm5\n"
                     "pcmpeqd %%xmm6, %%xmm6\n pcmpeqd %%xmm7, %%xmm7\n pcmpeqd %%xmm8, %%xmm8\n"
                     "pcmpeqd %%xmm9, %%xmm9\n pcmpeqd %%xmm10, %%xmm10\n"
                     "pcmpeqd %%xmm11, %%xmm11\n pcmpeqd %%xmm12, %%xmm12\n"
                     "pcmpeqd %%xmm13, %%xmm13\n pcmpeqd %%xmm14, %%xmm14\n"
                     "pcmpeqd %%xmm15, %%xmm15\n"
                     "mov $-1, %%rax\n mov $-2, %%rcx\n mov $-3, %%rdx\n mov $-4, %%rsi\n"
                     "mov $-5, %%rdi\n mov $-6, %%r8\n mov $-7, %%r9\n mov $-8, %%r10\n"
                     "mov $-9, %%r11\n"
                     : "=m"(local)
                     :
                     : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "xmm0", "xmm1",
                       "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
                       "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "cc", "memory");
}

/* One more than the original returns. */
#define CLOBBERING(name)                       \
    HOTPATCH_REPLACE(long, name, (long x))     \
    {                                          \
        long got = HOTPATCH_ORIGINAL(name)(x); \
                                               \
        clobber();                             \
        return got + 1;                        \
    }

#endif
