/*
 * indirect.h - the words that ld.so fills with what the resolvers of indirect functions return.
 */
#ifndef HOTPATCH_INDIRECT_H
#define HOTPATCH_INDIRECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct functions;

/* Find the `i`-th word that ld.so fills with what the resolver at `address` returns; all those words hold
 * the same. False: there are no more. */
bool function_indirect_word(struct functions *functions, uint64_t address, size_t i,
                            uint64_t *where);

#endif
