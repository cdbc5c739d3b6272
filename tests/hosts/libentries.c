/*
 * libentries.c - a library whose functions can be patched only at their entries. Its own calls of them go through no
 * word, or through a word that the resolver of an indirect function filled.
 */
#include "parts/entries_twin.h"

typedef int answer_function(void);

int library_direct(void);
int library_indirect(void);
int library_chosen(void);
int library_unused(void);
int library_weak(void);
int library_by_hidden(void);
int in_library(void);

OPAQUE static int hidden_answer(void)
{
    return 30;
}

int library_direct(void)
{
    return hidden_answer();
}

OPAQUE int in_library(void)
{
    return 40;
}

OPAQUE static int chosen_by_resolver(void)
{
    return 50;
}

__attribute__((used, no_sanitize("address", "undefined"))) static answer_function *resolve(void)
{
    return chosen_by_resolver;
}

int library_chosen(void) __attribute__((ifunc("resolve")));

int library_indirect(void)
{
    return library_chosen() + 1;
}

OPAQUE static int chosen_for_hidden(void)
{
    return 71;
}

__attribute__((used, no_sanitize("address", "undefined"))) static answer_function *
resolve_hidden(void)
{
    return chosen_for_hidden;
}

__attribute__((visibility("hidden"))) int library_hidden(void)
    __attribute__((ifunc("resolve_hidden")));

int library_by_hidden(void)
{
    return library_hidden();
}

/* These are no functions: the kernel returns from signal handlers there. The FDE of the first begins a byte before it,
 * as in glibc. The second has no FDE, as in musl. */
__asm__(".text\n.p2align 4\n.cfi_startproc\n.cfi_signal_frame\nnop\n"
        ".globl library_restorer\n.type library_restorer, @function\n"
        "library_restorer: mov $15, %rax\nsyscall\n.cfi_endproc\n"
        ".size library_restorer, . - library_restorer\n.p2align 4\n"
        ".globl library_restorer_unframed\n.type library_restorer_unframed, @function\n"
        "library_restorer_unframed: mov $15, %eax\nsyscall\n"
        ".size library_restorer_unframed, . - library_restorer_unframed\n");

/* Also indirect, and imported by no object: no word holds the resolver's choice. */
int library_unused(void) __attribute__((ifunc("resolve")));

OPAQUE __attribute__((weak)) int library_weak(void)
{
    return 60;
}
