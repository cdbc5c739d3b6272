/*
 * order.c - sort by address: a radix sort, since qsort(3) allocates inside libc, where an injected
 * fault could strike, and since a million addresses are sorted in the time that a request has.
 *
 * Any thread.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "elf/order.h"

enum { DIGIT_BITS = 11, DIGITS = 1 << DIGIT_BITS };

struct sort {
    const uint8_t *records;
    size_t size, count;
};

static uint64_t address_of(const struct sort *sort, uint32_t i)
{
    uint64_t address;

    memcpy(&address, sort->records + (size_t)i * sort->size, sizeof address);
    return address;
}

/* Make one stable pass; false where every record has the same digit and nothing was moved. */
static bool sort_by_digit(const struct sort *sort, unsigned shift, const uint32_t *from,
                          uint32_t *to)
{
    uint32_t places[DIGITS] = {0};
    uint32_t place = 0;

    for (size_t i = 0; i < sort->count; i++)
        places[address_of(sort, (uint32_t)i) >> shift & (DIGITS - 1)]++;
    if (places[address_of(sort, 0) >> shift & (DIGITS - 1)] == sort->count)
        return false;
    for (size_t digit = 0; digit < DIGITS; digit++) {
        uint32_t here = places[digit];
        places[digit] = place;
        place += here;
    }
    for (size_t i = 0; i < sort->count; i++)
        to[places[address_of(sort, from[i]) >> shift & (DIGITS - 1)]++] = from[i];
    return true;
}

uint32_t *order_by_address(const void *records, size_t size, size_t count)
{
    struct sort sort = {records, size, count};
    size_t bytes = (count ? count : 1) * sizeof(uint32_t);
    uint32_t *order = malloc(bytes), *other = malloc(bytes);

    for (size_t i = 0; order && i < count; i++)
        order[i] = (uint32_t)i;
    for (unsigned shift = 0; order && other && count > 1 && shift < 64; shift += DIGIT_BITS) {
        if (sort_by_digit(&sort, shift, order, other)) {
            uint32_t *sorted = other;
            other = order;
            order = sorted;
        }
    }
    if (!other) {
        free(order);
        order = NULL;
    }
    free(other);
    return order;
}
