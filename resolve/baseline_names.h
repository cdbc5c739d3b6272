/*
 * baseline_names.h - is an address of the binary what a symbol of the object names? For the files baseline*.c alone.
 */
#ifndef HOTPATCH_BASELINE_NAMES_H
#define HOTPATCH_BASELINE_NAMES_H

#include "resolve/baseline_work.h"

/* Return whether a symbol of the binary can be that of the object: name, and file of a local one. Of statics in
 * functions (name.1) the number is not compared. */
bool name_matches(const struct baseline_work *work, uint32_t symbol,
                  const struct binary_symbol *other);

/* The names below return NULL where the binary has the symbol there, or what it has instead, and add evidence. */

/* `branch`: a direct call or jump leads to the address, which may be a PLT stub. */
const char *name_check_address(struct baseline_work *work, uint32_t symbol, uint64_t address,
                               bool branch);
/* A word of 8 bytes that holds the symbol's address plus `offset`. */
const char *name_check_word(struct baseline_work *work, uint32_t symbol, int64_t offset,
                            uint64_t word);
const char *name_check_got(struct baseline_work *work, uint32_t symbol, uint64_t word);
/* Thread-locals: offset from the thread pointer, in the block (or, in a program, from the thread pointer), a word with
 * the former, a pair of words, a descriptor. */
const char *name_check_tls_offset(struct baseline_work *work, uint32_t symbol, int64_t offset);
const char *name_check_tls_block(struct baseline_work *work, uint32_t symbol, int64_t offset);
const char *name_check_tls_got(struct baseline_work *work, uint32_t symbol, uint64_t word);
const char *name_check_tls_pair(struct baseline_work *work, uint32_t symbol, uint64_t word);
const char *name_check_tls_module(struct baseline_work *work, uint64_t word);
const char *name_check_descriptor(struct baseline_work *work, uint32_t symbol, uint64_t word);

#endif
