/*
 * own_malloc.c - an allocator inside the program: a lock that does not ask whether it is the only thread, and
 * functions that malloc(3) goes on to by a jump.
 */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { CLASSES = 40, HEAD = 16, SMALLEST = 5 };

struct block {
    size_t size_class;
    struct block *next;
};

static _Alignas(16) unsigned char memory[64 << 20];
static size_t used;
static struct block *free_blocks[CLASSES];
static bool locked;

static void take_lock(void)
{
    while (__atomic_exchange_n(&locked, true, __ATOMIC_ACQUIRE))
        __builtin_ia32_pause();
    for (volatile int i = 0; i < 50; i++)
        ; /* so that most moments are under it */
}

static void give_lock(void)
{
    __atomic_store_n(&locked, false, __ATOMIC_RELEASE);
}

static size_t class_of(size_t size)
{
    size_t at = SMALLEST;

    while (((size_t)1 << at) < size + HEAD)
        at++;
    return at;
}

__attribute__((noinline)) static void *take(size_t size)
{
    size_t at = class_of(size);
    struct block *block;

    take_lock();
    block = free_blocks[at];
    if (block)
        free_blocks[at] = block->next;
    else if (used + ((size_t)1 << at) <= sizeof(memory)) {
        block = (struct block *)(memory + used);
        used += (size_t)1 << at;
    }
    give_lock();
    if (!block) {
        errno = ENOMEM;
        return NULL;
    }
    block->size_class = at;
    return (unsigned char *)block + HEAD;
}

__attribute__((noinline)) static void give(void *pointer)
{
    struct block *block = (struct block *)((unsigned char *)pointer - HEAD);

    take_lock();
    block->next = free_blocks[block->size_class];
    free_blocks[block->size_class] = block;
    give_lock();
}

void *malloc(size_t size)
{
    return take(size);
}

void free(void *pointer)
{
    if (pointer)
        give(pointer);
}

void *calloc(size_t count, size_t size)
{
    void *pointer = take(count * size);

    return pointer ? memset(pointer, 0, count * size) : NULL;
}

void *realloc(void *old, size_t size)
{
    size_t had;
    void *pointer;

    if (!old)
        return take(size);
    had = ((size_t)1 << ((struct block *)((unsigned char *)old - HEAD))->size_class) - HEAD;
    if (size <= had)
        return old;
    pointer = take(size);
    if (pointer) {
        memcpy(pointer, old, had);
        give(old);
    }
    return pointer;
}

/* Blocks of a class begin at multiples of 16. */
void *memalign(size_t alignment, size_t size)
{
    uintptr_t at = (uintptr_t)take(size + alignment + HEAD), to;

    if (!at || alignment <= HEAD)
        return (void *)at;
    to = (at + HEAD + alignment - 1) & ~(alignment - 1);
    memcpy((void *)(to - HEAD), (void *)(at - HEAD), HEAD);
    return (void *)to;
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

int posix_memalign(void **pointer, size_t alignment, size_t size)
{
    *pointer = memalign(alignment, size);
    return *pointer ? 0 : ENOMEM;
}
