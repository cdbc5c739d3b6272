/* libimporter2.c - imports getenv by a JUMP_SLOT that is bound lazily, and memcpy's old version. */
#include <stdlib.h>
#include <string.h>

const char *lazy_call(const char *name);
const char *second_copy(const char *text);
const char *default_copy(const char *text);
void *old_memcpy(void *to, const void *from, size_t size);

__asm__(".symver old_memcpy, memcpy@GLIBC_2.2.5");

const char *lazy_call(const char *name)
{
    return getenv(name);
}

const char *second_copy(const char *text)
{
    static char copy[64];

    memset(copy, 0, sizeof(copy));
    if (!old_memcpy(copy, text, strnlen(text, sizeof(copy) - 1)))
        return "failed";
    return copy;
}

/* A function of the same name in the same library, with another version. */
const char *default_copy(const char *text)
{
    static char copy[64];

    return memcpy(copy, text, strlen(text) + 1) ? copy : "failed";
}
