/* callers_array.c - see callers_memory.h. Any thread, one at a time per array. */
#include "arch/x86_64/callers_array.h"

#include <stdint.h>
#include <sys/mman.h>

enum { PAGE = 4096, FIRST_ROOM = 16 * PAGE };

static size_t whole_pages(size_t size)
{
    return (size + PAGE - 1) & ~(size_t)(PAGE - 1);
}

static int grow(struct array *array, size_t needed)
{
    size_t room = array->room ? array->room : FIRST_ROOM;
    void *relocated;

    while (room < needed)
        room *= 2;
    relocated = array->room
                    ? mremap(array->bytes, array->room, room, MREMAP_MAYMOVE)
                    : mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (relocated == MAP_FAILED)
        return -1;
    array->bytes = relocated;
    array->room = room;
    return 0;
}

void *array_add(struct array *array, size_t size)
{
    size_t at = array->used;

    if (size > SIZE_MAX / 4 - at || (at + size > array->room && grow(array, at + size) != 0))
        return NULL;
    array->used += size;
    return (char *)array->bytes + at;
}

void array_trim(struct array *array)
{
    size_t kept = whole_pages(array->used);

    if (kept == 0 || kept >= array->room)
        return;
    munmap((char *)array->bytes + kept, array->room - kept);
    array->room = kept;
}

void array_rest(struct array *array, size_t room)
{
    array->used = room;
    if (array->room > room)
        array_trim(array);
    array->used = 0;
}

void array_free(struct array *array)
{
    if (array->room)
        munmap(array->bytes, array->room);
    *array = (struct array){0};
}
