/*
 * dwarf_rows.h - variables and functions of an object, and their places, as object_dwarf.h returns them.
 */
#ifndef HOTPATCH_DWARF_ROWS_H
#define HOTPATCH_DWARF_ROWS_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stdint.h>

#define DWARF_SYMBOL \
    0x80000000u /* or'd to a symbol's index, in place of a section's: COMMON or undefined */

/* A place in the object. */
struct dwarf_place {
    uint32_t section; /* its index in the section table; or DWARF_SYMBOL | index in .symtab */
    uint64_t offset;  /* in the section; from the symbol */
};

/* A variable with a place: global, static, static of a function, or thread-local. The strings live as long as the
 * object_dwarf. */
struct dwarf_variable {
    struct dwarf_place place;
    const char *name;    /* as the source spells it: "count", not "count.3" */
    const char *linkage; /* C++: the symbol's name; else NULL */
    const char
        *function; /* the function that it is in, also where that function is inlined; NULL: none */
    unsigned block; /* which block of that function, in the order of the source; 0: the outermost */
    const char *type; /* as C spells it: "struct client *[16]" */
    uint64_t size;    /* bytes; 0: not known */
    const char *file; /* of the declaration; NULL: not known */
    unsigned line;
    bool tls;
    bool external;
    uint32_t type_index; /* of `type` in object_dwarf_types() */
};

/* A variable without one place: a number took its place where it was read, or it lies in pieces, or in another form (clang
 * keeps a variable that is either its initial value or one other as a truth value). */
struct dwarf_formed {
    const char *name, *function; /* as above */
    const char *form;            /* its location without addresses; "": none */
};

/* A function with code, or one that others call. */
struct dwarf_function {
    struct dwarf_place place;
    const char *name, *linkage; /* as above; a clone has the name of its origin */
    const char *file;
    unsigned line;
    bool external;
    bool part;        /* not its entry: its .cold part begins there */
    Dwarf_Die die;    /* the concrete one: parameters and locals */
    Dwarf_Die origin; /* the abstract one that has name and types; the same where there is none */
};

/* Return the place that an address of the debug information means: see elf/rel_debug.h. */
static inline struct dwarf_place dwarf_place_of(uint64_t address)
{
    return (struct dwarf_place){(uint32_t)(address >> 32), address & UINT32_MAX};
}

#endif
