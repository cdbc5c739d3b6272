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
#include "cli/build/dwarf_rows.h"

struct object_dwarf;
struct rel_object;
struct type_table;

/* Read the debug information of the object, which must outlive the result; `name` is what messages call it. Return 0, or
 * -1 with the refusal: HP-ELF-CORRUPT; HP-LATER for what cannot be read (-gsplit-dwarf, -fdebug-types-section, -gz: the
 * flags -gno-split-dwarf -fno-debug-types-section -gz=none, appended to the command, change no code). An object without
 * debug information (an assembler file) opens, and has nothing in it. */
int object_dwarf_open(struct object_dwarf **out, const char *name, const struct rel_object *object,
                      struct refusal *why);
void object_dwarf_close(struct object_dwarf *dwarf); /* NULL is allowed */

/* Return whether types can be compared: there is debug information of level 2 (-g; not -g1 alone, and not none), or
 * neither code nor data that could have a type, as in a source that was empty. */
bool object_dwarf_has_types(const struct object_dwarf *dwarf);

/* Return all variables with a place, in the order of the debug information. */
const struct dwarf_variable *object_dwarf_variables(const struct object_dwarf *dwarf,
                                                    size_t *count);
/* Return the variable at the place, or NULL. A place within a variable (an array, a structure) counts. */
const struct dwarf_variable *object_dwarf_variable_at(const struct object_dwarf *dwarf,
                                                      uint32_t section, uint64_t offset);

/* Return all variables without one place. Some of them are local variables that the compiler left out. */
const struct dwarf_formed *object_dwarf_formed(const struct object_dwarf *dwarf, size_t *count);

/* Return all functions that have code in the object. */
const struct dwarf_function *object_dwarf_functions(const struct object_dwarf *dwarf,
                                                    size_t *count);
/* Return the function whose code begins there, a clone's too; or NULL. */
const struct dwarf_function *object_dwarf_function_at(const struct object_dwarf *dwarf,
                                                      uint32_t section, uint64_t offset);
/* Return one of several functions whose code begins there: gcc merges static functions of equal code (-fipa-icf). Number 0 is
 * that of object_dwarf_function_at(); NULL: there are no more. */
const struct dwarf_function *object_dwarf_function_nth(const struct object_dwarf *dwarf,
                                                       struct dwarf_place place, size_t number);

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

/* For types*.c. */
const struct rel_object *object_dwarf_object(const struct object_dwarf *dwarf);
Dwarf *object_dwarf_handle(const struct object_dwarf *dwarf);
/* Return the types of the object, which are read once. */
struct type_table *object_dwarf_types(const struct object_dwarf *dwarf);
/* Return where the comparison with another object is kept; `free_it` frees it with the object_dwarf. */
void **object_dwarf_comparison(const struct object_dwarf *dwarf, void (*free_it)(void *));

#endif
