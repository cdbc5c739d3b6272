/*
 * shadow_stack.c - checks whether the kernel keeps a second stack of return addresses, with which each `ret` is
 * compared (Intel SDM 1, chapter 17; Documentation/arch/x86/shstk.rst). Listener.
 */
#include "arch/arch.h"

#include <sys/syscall.h>

#include "base/sys.h"

enum { SHSTK_STATUS = 0x5005, SHSTK_ENABLED = 1 }; /* asm/prctl.h, Linux 6.6 */

bool arch_shadow_stack(void)
{
    uint64_t features = 0;

    return sys_call3(SYS_arch_prctl, SHSTK_STATUS, (long)&features, 0) == 0 &&
           features & SHSTK_ENABLED;
}
