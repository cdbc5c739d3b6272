/*
 * callers_index.h - the direct branches of an object, by target.
 *
 * Inside arch/ only. Sites and targets are offsets from the lowest address of the code.
 */
#ifndef HOTPATCH_CALLERS_INDEX_H
#define HOTPATCH_CALLERS_INDEX_H

#include "arch/callers.h"

/* A branch into the middle of another function, or to an address where no function begins. */
struct inner_branch {
    uint32_t target, site;
};

struct seen;

struct branch_index {
    struct arch_object object; /* `functions`: the index's own, with stubs of a PLT */
    struct arch_function *functions;
    uint32_t function_count;
    uint64_t low;    /* base of the offsets */
    uint32_t *first; /* function_count + 1: where the sites of each function begin in `sites` */
    uint32_t *sites; /* first bytes of opcodes; prefixes may come before them */
    struct inner_branch *inner; /* by target */
    uint32_t inner_count;
    struct seen *seen; /* cache for decoding */
};

/* Make the index. Return false if memory is short, or the code spans more than 4 GiB. Call branch_index_free() in
 * both cases. */
bool branch_index_make(struct branch_index *index, const struct arch_object *object);
void branch_index_free(struct branch_index *index);
size_t branch_index_memory(const struct branch_index *index);

/* Return the function that begins at or before `address`, or -1. */
int64_t branch_index_function(const struct branch_index *index, uint64_t address);
bool branch_index_begins(const struct branch_index *index, uint64_t address, uint32_t *function);
/* Find the target of the word at `where`, if the object binds it itself. */
bool branch_index_word(const struct branch_index *index, uint64_t where, uint64_t *target);
/* Copy original code. Return the number of bytes, at most `size`. */
size_t branch_index_read(const struct branch_index *index, uint64_t address, uint8_t *copy,
                         size_t size);

enum branch_finding {
    BRANCH_REFUTED,
    BRANCH_CONFIRMED,
    BRANCH_UNKNOWN /* the code around it cannot be decoded, or belongs to no function */
};

/* Return whether an instruction at the found bytes leads to `target`. `*begins` gets its address. */
enum branch_finding branch_index_confirm(const struct branch_index *index, uint32_t site,
                                         uint64_t target, uint64_t *begins);

#endif
