/*
 * object_references.h - what the bytes of a section of a relocatable object refer to: its relocations in words that
 * need no processor's manual.
 *
 * Compiled into the command. Pure; any thread.
 */
#ifndef HOTPATCH_OBJECT_REFERENCES_H
#define HOTPATCH_OBJECT_REFERENCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rel_object;

enum reference_kind {
    REFERENCE_NOTHING, /* stores nothing */
    REFERENCE_ADDRESS, /* the address of symbol + displacement */
    REFERENCE_BRANCH,  /* control goes to symbol + displacement */
    REFERENCE_WORD,    /* a word of the GOT that holds the symbol's address */
    REFERENCE_THREAD,  /* a thread-local variable, by any of the models */
    REFERENCE_MODULE,  /* the object's block of thread-locals: the symbol does not matter */
    REFERENCE_TABLE,   /* the GOT itself */
    REFERENCE_SIZE,    /* the symbol's size */
    REFERENCE_UNKNOWN  /* a relocation that hotpatch does not know */
};

struct object_reference {
    uint64_t offset; /* of the field in its section */
    uint8_t size;    /* of the field */
    bool relative;   /* the field counts from itself */
    bool
        placed; /* `displacement` is what the symbol is displaced by; else it is the addend as it stands: the field is
                        relative and lies in data, or in code that was not decoded */
    enum reference_kind kind;
    uint32_t symbol; /* 0: none */
    int64_t displacement;
};

/*
 * List what a section refers to, by offset. In code each relative field is counted from the end of its instruction, as
 * the processor does. `*out` is malloc'd, NULL where there is nothing. Return 0, or -1: no memory.
 */
int object_references(const struct rel_object *object, uint32_t section,
                      struct object_reference **out, size_t *count);

#endif
