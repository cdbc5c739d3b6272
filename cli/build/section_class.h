/*
 * section_class.h - what kind of bytes a section of an object has, by its flags and its name.
 *
 * Pure; any thread.
 */
#ifndef HOTPATCH_SECTION_CLASS_H
#define HOTPATCH_SECTION_CLASS_H

#include <stdbool.h>

#include "elf/rel_object.h"

enum section_class {
    SECTION_IGNORED, /* not in memory; .eh_frame; lists of functions for other tools */
    SECTION_CODE,
    SECTION_WRITABLE, /* .data, .bss */
    SECTION_CONSTANT, /* .rodata; .data.rel.ro, which is read-only once relocated */
    SECTION_STRINGS,  /* mergeable strings */
    SECTION_LITERALS, /* mergeable constants */
    SECTION_THREAD,   /* thread-locals */
    SECTION_SPECIAL   /* a meaning of its own: constructors, sections named in the source */
};

enum section_class section_class_of(const struct rel_section *section);

/* Return whether the section is .eh_frame. */
bool section_is_unwind(const struct rel_section *section);
/* Return whether it has the tables of functions that catch exceptions or clean up. */
bool section_is_exception_table(const struct rel_section *section);

#endif
