/*
 * entries_hooker.h - another tool in the process that hooks functions, as such tools do: its jump is
 * written byte by byte over code that mprotect(2) has made writable, its trampoline runs what lay there,
 * and unhooking writes back what was saved. Included once.
 */
#ifndef ENTRIES_HOOKER_H
#define ENTRIES_HOOKER_H

#include "entries_shapes.h"

/* Instructions of 6 and of 16 bytes make room for either jump. The second begins with one that has room for
 * a jump of two bytes, too. */
SHAPE(hooked,
      "push %rbx\nmov $1, %ebx\nmov %ebx, %eax\nnop\nnop\nnop\nmov $1, %eax\npop %rbx\nret");
SHAPE(hooked_wide, "sub $8, %rsp\nxchg %ax, %ax\nmov $1, %eax\n.byte 0x0f, 0x1f, 0x44, 0, 0\n"
                   "add $8, %rsp\nret");

enum { HOOK_NEAR = 5, HOOK_FAR = 14 };

static struct {
    unsigned char saved[16], *at, *trampoline;
    size_t size;
} hook;

static int hook_detour(int n)
{
    int (*original)(int);

    *(void **)&original = hook.trampoline;
    return 100 + original(n);
}

static void hook_write(unsigned char *to, const unsigned char *bytes, size_t size)
{
    uintptr_t page = (uintptr_t)to & ~(uintptr_t)4095;

    mprotect((void *)page, 8192, PROT_READ | PROT_WRITE | PROT_EXEC);
    for (size_t i = 0; i < size; i++)
        *(volatile unsigned char *)(to + i) = bytes[i];
    mprotect((void *)page, 8192, PROT_READ | PROT_EXEC);
}

static void hook_jump(unsigned char *out, const unsigned char *at, const void *to)
{
    int32_t distance = (int32_t)((intptr_t)to - (intptr_t)(at + HOOK_NEAR));

    out[0] = 0xe9;
    memcpy(out + 1, &distance, sizeof(distance));
}

/* A jump that lies there already leads to the same place from the trampoline. */
static void hook_make_trampoline(void)
{
    size_t size = hook.size == HOOK_NEAR ? 6 : 16;
    unsigned char *to = hook.at + size;
    int32_t distance = 0;

    if (hook.at[0] == 0xe9)
        memcpy(&distance, hook.at + 1, sizeof(distance));
    if (hook.at[0] == 0xe9)
        to = hook.at + 5 + distance;
    if (hook.at[0] == 0xeb)
        to = hook.at + 2 + (signed char)hook.at[1];
    if (hook.at[0] == 0xe9 || hook.at[0] == 0xeb)
        size = 0;
    if (!hook.trampoline)
        hook.trampoline =
            mmap((char *)((uintptr_t)hook.at & ~(uintptr_t)4095) - (64 << 20), 4096,
                 PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memcpy(hook.trampoline, hook.at, size);
    hook_jump(hook.trampoline + size, hook.trampoline + size, to);
}

static const char *hook_in(size_t size, int (*function)(int))
{
    unsigned char jump[HOOK_FAR] = {0xff, 0x25};
    int (*detour)(int) = hook_detour;

    hook.at = (unsigned char *)(uintptr_t)function;
    hook.size = size;
    hook_make_trampoline();
    memcpy(hook.saved, hook.at, size);
    if (size == HOOK_NEAR)
        hook_jump(jump, hook.at, (void *)(uintptr_t)detour);
    else
        memcpy(jump + 6, &detour, sizeof(detour));
    hook_write(hook.at, jump, size);
    return "hooked";
}

static const char *hook_out(void)
{
    hook_write(hook.at, hook.saved, hook.size);
    return "unhooked";
}

#endif
