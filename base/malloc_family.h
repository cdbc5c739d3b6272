/*
 * malloc_family.h - malloc(3) and its kin as hidden functions of the library that includes this header once. Only
 * this library's own calls reach them. The including file defines OWN_ALLOCATE(size), OWN_ALLOCATE_ALIGNED(alignment,
 * size), OWN_RESIZE(memory, size) and OWN_RELEASE(memory). A library that is built with a sanitizer uses the
 * sanitizer's functions.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
#define KEEP_SANITIZERS_MALLOC
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define KEEP_SANITIZERS_MALLOC
#endif

#ifndef KEEP_SANITIZERS_MALLOC
#pragma GCC visibility push(hidden)

void *malloc(size_t size)
{
    return OWN_ALLOCATE(size);
}

void free(void *memory)
{
    OWN_RELEASE(memory);
}

void *calloc(size_t count, size_t size)
{
    size_t whole;
    void *memory;

    if (__builtin_mul_overflow(count, size, &whole)) {
        errno = ENOMEM;
        return NULL;
    }
    memory = OWN_ALLOCATE(whole);
    return memory ? memset(memory, 0, whole) : NULL;
}

void *realloc(void *memory, size_t size)
{
    return OWN_RESIZE(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return OWN_ALLOCATE_ALIGNED(alignment, size);
}

char *strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = OWN_ALLOCATE(size);

    return copy ? memcpy(copy, text, size) : NULL;
}

#pragma GCC visibility pop
#endif
