/*
 * comparable.c - see comparable.h. The kinds are those of the Intel SDM, volumes 1 and 2, and of the AMD
 * APM, volume 3.
 */
#include "tests/support/comparable.h"

#include <stddef.h>

#define M(name) ZYDIS_MNEMONIC_##name

static const struct {
    const char *why;
    ZydisMnemonic mnemonics[24];
} kinds[] = {
    {"asks the kernel", {M(SYSCALL), M(SYSENTER), M(INT)}},
    {"reads a clock or a counter", {M(RDTSC), M(RDTSCP), M(RDPMC), M(RDPRU)}},
    {"reads a source of chance", {M(RDRAND), M(RDSEED)}},
    /* The thread may run on another processor the second time. The kernel answers some of these instructions (UMIP). */
    {"tells which processor it runs on",
     {M(CPUID), M(RDPID), M(XGETBV), M(LSL), M(SGDT), M(SIDT), M(SLDT), M(STR), M(SMSW)}},
    /* Any interrupt, also a single step, aborts a transaction. Outside a transaction xabort, xend and xtest have the
     * same result every time. */
    {"begins a transaction", {M(XBEGIN)}},
    {"suspends the tracking of loads", {M(XSUSLDTRK), M(XRESLDTRK)}},
    /* The address and the operation of the last x87 instruction, and the parts that are in use. */
    {"stores where the last x87 instruction was",
     {M(FNSTENV), M(FNSAVE), M(FXSAVE), M(FXSAVE64), M(XSAVE), M(XSAVE64), M(XSAVEC), M(XSAVEC64),
      M(XSAVEOPT), M(XSAVEOPT64), M(XSAVES), M(XSAVES64)}},
    {"changes how it is stepped",
     {M(POPF), M(POPFD), M(POPFQ), M(IRET), M(IRETD), M(IRETQ), M(UIRET), M(INT1)}},
    {"changes what memory may be reached", {M(WRPKRU), M(RDPKRU)}},
    {"loads a segment", {M(LFS), M(LGS), M(LSS)}},
    {"waits for a time or for a store",
     {M(TPAUSE), M(UMWAIT), M(UMONITOR), M(MWAIT), M(MWAITX), M(MONITOR), M(MONITORX)}},
    /* If the kernel has made a shadow stack for the process. */
    {"reads or changes the shadow stack",
     {M(RDSSPD), M(RDSSPQ), M(INCSSPD), M(INCSSPQ), M(SAVEPREVSSP), M(RSTORSSP), M(WRSSD),
      M(WRSSQ)}},
    {"changes when user interrupts come", {M(CLUI), M(STUI), M(TESTUI), M(SENDUIPI)}},
    /* The results are approximations; the kinds of cores of one machine may differ. */
    {"approximates",
     {M(RCPPS), M(RCPSS), M(RSQRTPS), M(RSQRTSS), M(VRCPPS), M(VRCPSS), M(VRSQRTPS), M(VRSQRTSS)}},
    /* If the source is 0, the result is undefined. */
    {"may leave its result undefined", {M(BSF), M(BSR)}},
};

enum { MOV_TO_SEGMENT = 0x8e };

const char *comparable_not(const ZydisDecodedInstruction *in)
{
    if (in->mnemonic == ZYDIS_MNEMONIC_MOV && in->opcode == MOV_TO_SEGMENT)
        return "loads a segment";
    for (size_t kind = 0; kind < sizeof(kinds) / sizeof(kinds[0]); kind++) {
        for (const ZydisMnemonic *at = kinds[kind].mnemonics; *at != ZYDIS_MNEMONIC_INVALID; at++) {
            if (in->mnemonic == *at)
                return kinds[kind].why;
        }
    }
    return NULL;
}

uint32_t comparable_undefined_flags(const ZydisDecodedInstruction *in, uint32_t before,
                                    uint32_t *read)
{
    const ZydisAccessedFlags *flags = in->cpu_flags;

    *read = flags ? flags->tested & before : 0;
    if (!flags)
        return before;
    return (before & ~(flags->modified | flags->set_0 | flags->set_1)) | flags->undefined;
}
