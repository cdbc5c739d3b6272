/*
 * object_dwarf.h - the debug information of one object file (ET_REL), read with libdw: variables with their places,
 * functions with their source lines and prototypes, and what the compiler was told.
 *
 * The object's debug sections are copied, and their relocations applied such that an address names its place:
 * (section index << 32) + offset. So a section per function, COMMON and undefined symbols keep apart, and nothing is laid
 * out. A place of a COMMON or undefined symbol is {DWARF_SYMBOL, symbol index, offset}.
 *
 * One thread. Nothing here trusts the bytes: damaged debug information reads as missing.
 */
#ifndef HOTPATCH_OBJECT_DWARF_H
#define HOTPATCH_OBJECT_DWARF_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/refusal.h"

struct object_dwarf;
struct rel_object;

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
    Dwarf_Die die; /* for types.c */
};

/* A function with code, or one that others call. */
struct dwarf_function {
    struct dwarf_place place;
    const char *name, *linkage; /* as above; a clone has the name of its origin */
    const char *file;
    unsigned line;
    bool external;
    Dwarf_Die die;    /* the concrete one: parameters and locals */
    Dwarf_Die origin; /* the abstract one that has name and types; the same where there is none */
};

/* Read the debug information of the object, which must outlive the result; `name` is what messages call it. Return 0, or
 * -1 with the refusal: HP-ELF-CORRUPT; HP-LATER for what cannot be read (-gsplit-dwarf, -fdebug-types-section, -gz: the
 * flags -gno-split-dwarf -fno-debug-types-section -gz=none, appended to the command, change no code). An object without
 * debug information (an assembler file) opens, and has nothing in it. */
int object_dwarf_open(struct object_dwarf **out, const char *name, const struct rel_object *object,
                      struct refusal *why);
void object_dwarf_close(struct object_dwarf *dwarf); /* NULL is allowed */

/* Return whether there are types to compare: debug information of level 2 (-g; not -g1 alone, and not none). */
bool object_dwarf_has_types(const struct object_dwarf *dwarf);

/* Return all variables with a place, in the order of the debug information. */
const struct dwarf_variable *object_dwarf_variables(const struct object_dwarf *dwarf,
                                                    size_t *count);
/* Return the variable at the place, or NULL. A place within a variable (an array, a structure) counts. */
const struct dwarf_variable *object_dwarf_variable_at(const struct object_dwarf *dwarf,
                                                      uint32_t section, uint64_t offset);

/* Return all functions that have code in the object. */
const struct dwarf_function *object_dwarf_functions(const struct object_dwarf *dwarf,
                                                    size_t *count);
/* Return the function whose code begins there, a clone's too; or NULL. */
const struct dwarf_function *object_dwarf_function_at(const struct object_dwarf *dwarf,
                                                      uint32_t section, uint64_t offset);

/* Return the source file, and in `*line` the line, of the code at the place: of a function's declaration where it is a
 * function's start, else of the line table. NULL, 0: not known. */
const char *object_dwarf_where(const struct object_dwarf *dwarf, uint32_t section, uint64_t offset,
                               unsigned *line);

/* Return the compiler and its flags (DW_AT_producer) of the first unit, or NULL. */
const char *object_dwarf_producer(const struct object_dwarf *dwarf);
/* Return the flag in DW_AT_producer that makes code depend on the whole program: "-flto", "-fprofile-use",
 * "-fwhole-program"; NULL: none. clang does not record its flags. */
const char *object_dwarf_whole_program(const struct object_dwarf *dwarf);
/* Return whether the unit is C++. */
bool object_dwarf_is_cxx(const struct object_dwarf *dwarf);

/* For types.c. */
Dwarf *object_dwarf_handle(const struct object_dwarf *dwarf);
/* The place that an address of this debug information means. */
struct dwarf_place object_dwarf_place(uint64_t address);

#endif
