/* valgrind.c - see base/valgrind.h. Rotations that add up to nothing but under valgrind. */
#include "base/valgrind.h"

bool valgrind_runs(void)
{
    unsigned long request[6] = {0x1001, 0, 0, 0, 0, 0};
    unsigned long result = 0;

    __asm__ volatile("rolq $3, %%rdi; rolq $13, %%rdi\n\t"
                     "rolq $61, %%rdi; rolq $51, %%rdi\n\t"
                     "xchgq %%rbx, %%rbx"
                     : "+d"(result)
                     : "a"(request)
                     : "cc", "memory", "rdi");
    return result != 0;
}
