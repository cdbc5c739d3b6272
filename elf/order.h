/*
 * order.h - records by ascending address.
 */
#ifndef HOTPATCH_ORDER_H
#define HOTPATCH_ORDER_H

#include <stddef.h>
#include <stdint.h>

/* Return the indices of `count` records of `size` bytes, each of which begins with a 64-bit address, in
 * ascending order; equal addresses keep their order. malloc'd; NULL: no memory. */
uint32_t *order_by_address(const void *records, size_t size, size_t count);

#endif
