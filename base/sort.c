/*
 * sort.c - qsort(3) for the engine alone: libc's allocates from the host's allocator, which gives the listener an
 * arena. A merge sort, so that equal elements keep their order as with libc's.
 */
#include <stdlib.h>
#include <string.h>

typedef int (*comparison)(const void *, const void *);

#pragma GCC visibility push(hidden)

static void insert_each(char *base, size_t count, size_t size, comparison compare, char *one)
{
    for (size_t i = 1; i < count; i++) {
        size_t to = i;

        while (to > 0 && compare(base + (to - 1) * size, base + i * size) > 0)
            to--;
        if (to == i)
            continue;
        memcpy(one, base + i * size, size);
        memmove(base + (to + 1) * size, base + to * size, (i - to) * size);
        memcpy(base + to * size, one, size);
    }
}

static void merge(char *base, size_t count, size_t size, comparison compare, char *room)
{
    size_t left = count / 2, a = 0, b = left;
    char *to;

    if (count <= 8) {
        insert_each(base, count, size, compare, room);
        return;
    }
    merge(base, left, size, compare, room);
    merge(base + left * size, count - left, size, compare, room);
    memcpy(room, base, left * size);
    for (to = base; a < left && b < count; to += size) {
        if (compare(room + a * size, base + b * size) <= 0)
            memcpy(to, room + a++ * size, size);
        else
            memmove(to, base + b++ * size, size);
    }
    memcpy(to, room + a * size, (left - a) * size);
}

void qsort(void *base, size_t count, size_t size, comparison compare)
{
    char *room = count > 1 ? malloc((count / 2 + 1) * size) : NULL;

    if (room)
        merge(base, count, size, compare, room);
    else if (count > 1)
        for (size_t i = 1; i < count; i++) /* no memory: insertion sort */
            for (size_t k = i; k > 0; k--) {
                char *right = (char *)base + k * size, *left = right - size;

                if (compare(left, right) <= 0)
                    break;
                for (size_t byte = 0; byte < size; byte++) {
                    char other = left[byte];

                    left[byte] = right[byte];
                    right[byte] = other;
                }
            }
    free(room);
}

#pragma GCC visibility pop
