/*
 * binary_entry.h - one symbol and one relocated word of a binary: see binary.h.
 */
#ifndef HOTPATCH_BINARY_ENTRY_H
#define HOTPATCH_BINARY_ENTRY_H

#include <stdint.h>

struct binary_symbol {
    const char *name; /* without @VERSION */
    const char
        *file; /* of a local symbol: its STT_FILE, "" for what the linker made local; else NULL */
    uint32_t group;   /* of a local symbol: the number of its STT_FILE, from 1; else 0 */
    uint64_t address; /* of STT_TLS: the offset in PT_TLS */
    uint64_t size;
    uint8_t type;       /* STT_* */
    uint8_t binding;    /* STB_* */
    uint8_t visibility; /* STV_* */
};

enum binary_word_kind {
    BINARY_WORD_OUTSIDE, /* the address is not in the object */
    BINARY_WORD_PLAIN, /* `value` is in the file; in a program at a fixed address it may be an address */
    BINARY_WORD_ADDRESS,    /* `value` is an address in the object */
    BINARY_WORD_SYMBOL,     /* the address of the symbol `name` of any object, plus `value` */
    BINARY_WORD_INDIRECT,   /* what the resolver at `value` returns (IFUNC) */
    BINARY_WORD_TLS_OFFSET, /* a thread-local's offset from the thread pointer; `name` or NULL: this object's, at offset `value` */
    BINARY_WORD_TLS_MODULE, /* likewise the number of its module */
    BINARY_WORD_TLS_BLOCK,  /* likewise its offset in the block */
    BINARY_WORD_TLS_DESCRIPTOR, /* likewise its descriptor, two words */
    BINARY_WORD_OTHER
};

struct binary_word {
    enum binary_word_kind kind;
    uint64_t value;
    const char *name;    /* of .dynsym, or NULL */
    const char *version; /* of the symbol, or NULL */
};

#endif
