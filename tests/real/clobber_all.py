"""clobber_all.py - the source of a patch that wraps every function that a program exports.

    clobber_all.py PROGRAM [SKIPPED...] >patch.c

Each wrapper stores to the stack as only an aligned one allows, calls the original by a jump, whatever its
arguments are, and then overwrites every register that the ABI lets a function overwrite and that holds
no result. The return address waits on a stack of the thread's own: nothing may unwind or longjmp.
"""
import subprocess
import sys

PATCH = r"""
#include <hotpatch.h>
#include <stdint.h>
HOTPATCH_MODULE("clobber-all", "1");

#define SEEN __attribute__((visibility("hidden"), used))
enum { THREADS = 64, STACK = 65536 };
SEEN __thread uintptr_t top; /* of the thread's stack of return addresses */
SEEN char stacks[THREADS * STACK];
SEEN long next_stack;

__asm__(".pushsection .text\n"
        ".macro wrapper n\n"
        ".p2align 4\n"
        "wrap_\\n:\n"
        "  movaps %xmm15, -24(%rsp)\n"
        "  pop %r11\n"
        "  push %rax\n"
        "  mov top@gottpoff(%rip), %r10\n"
        "  mov %fs:(%r10), %rax\n"
        "  test %rax, %rax\n"
        "  jnz 1f\n"
        "  mov $65536, %eax\n"
        "  lock xadd %rax, next_stack(%rip)\n"
        "  push %r11\n"
        "  lea stacks(%rip), %r11\n"
        "  add %r11, %rax\n"
        "  pop %r11\n"
        "1:\n"
        "  mov %r11, (%rax)\n"
        "  add $8, %rax\n"
        "  mov %rax, %fs:(%r10)\n"
        "  pop %rax\n"
        "  lea after(%rip), %r11\n"
        "  push %r11\n"
        "  jmp *original_\\n(%rip)\n"
        ".endm\n"
        ".p2align 4\n"
        "after:\n"
        "  push %rax\n"
        "  mov top@gottpoff(%rip), %r10\n"
        "  mov %fs:(%r10), %rax\n"
        "  sub $8, %rax\n"
        "  mov %rax, %fs:(%r10)\n"
        "  mov (%rax), %r11\n"
        "  pop %rax\n"
        ".irp n, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n"
        "  pcmpeqd %xmm\\n, %xmm\\n\n"
        ".endr\n"
        "  mov $-1, %rcx\n"
        "  mov %rcx, %rsi\n"
        "  mov %rcx, %rdi\n"
        "  mov %rcx, %r8\n"
        "  mov %rcx, %r9\n"
        "  mov %rcx, %r10\n"
        "  jmp *%r11\n"
        ".popsection\n");

#define WRAP(n, name)                                                                         \
    SEEN hotpatch_function original_##n;                                                      \
    extern __attribute__((visibility("hidden"))) void wrap_##n(void);                         \
    __asm__(".pushsection .text\nwrapper " #n "\n.popsection\n");                             \
    HOTPATCH_ENTRY(entry_##n, "exe:" name, "unknown (unknown)",                               \
                   HOTPATCH_CAST(hotpatch_function, wrap_##n), NULL, &original_##n,           \
                   HOTPATCH_KIND_FUNCTION)
"""

symbols = subprocess.run(["nm", "-D", "--defined-only", sys.argv[1]], capture_output=True, text=True,
                         check=True).stdout.split("\n")
names = {line.split()[2].split("@")[0] for line in symbols if " T " in line}
names -= {"main", "_init", "_fini", "_start"} | set(sys.argv[2:])
print(PATCH)
for number, name in enumerate(sorted(names)):
    print(f'WRAP({number}, "{name}")')
