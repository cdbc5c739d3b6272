/* relocation.c - see arch/relocation.h. System V ABI AMD64, "Relocation Types". */
#include "arch/relocation.h"

#include <elf.h>

enum arch_relocation arch_relocation(uint32_t number)
{
    switch (number) {
    case R_X86_64_NONE:
        return ARCH_RELOCATION_NONE;
    case R_X86_64_RELATIVE:
        return ARCH_RELOCATION_RELATIVE;
    case R_X86_64_64:
        return ARCH_RELOCATION_ADDRESS;
    case R_X86_64_GLOB_DAT:
        return ARCH_RELOCATION_GLOB_DAT;
    case R_X86_64_JUMP_SLOT:
        return ARCH_RELOCATION_JUMP_SLOT;
    case R_X86_64_COPY:
        return ARCH_RELOCATION_COPY;
    case R_X86_64_IRELATIVE:
        return ARCH_RELOCATION_INDIRECT;
    case R_X86_64_TPOFF64:
        return ARCH_RELOCATION_TLS_OFFSET;
    case R_X86_64_DTPMOD64:
        return ARCH_RELOCATION_TLS_MODULE;
    case R_X86_64_DTPOFF64:
        return ARCH_RELOCATION_TLS_BLOCK;
    case R_X86_64_TLSDESC:
        return ARCH_RELOCATION_TLS_DESCRIPTOR;
    default:
        return ARCH_RELOCATION_OTHER;
    }
}

uint32_t arch_relocation_indirect(void)
{
    return R_X86_64_IRELATIVE;
}
