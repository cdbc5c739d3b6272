/*
 * object_view.h - one object as the comparison of two sees it: functions and variables with their bytes and what these
 * refer to, and the constants that have no name.
 *
 * One symbol may not be one thing: aliases lie at one place, references to a static name its section, strings and
 * tables have no symbol. An *entity* is a place that a name stands for. What has no lasting name is *anonymous*: it is
 * found by reference, and compared by content.
 *
 * Compiled into the command; one thread.
 */
#ifndef HOTPATCH_OBJECT_VIEW_H
#define HOTPATCH_OBJECT_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/build/object_dwarf.h"
#include "cli/build/section_class.h"
#include "elf/rel_object.h"
#include "resolve/object_references.h"

enum entity_kind { ENTITY_FUNCTION, ENTITY_VARIABLE, ENTITY_CONSTANT, ENTITY_THREAD };

struct entity {
    enum entity_kind kind;
    uint32_t section; /* index; or REL_COMMON */
    uint64_t offset;
    uint64_t size;   /* of a function: up to the next one */
    uint32_t symbol; /* the one that names it: a global before a local one */
    const char *name;
    bool external;                         /* a symbol of it is global or weak */
    bool special;                          /* it lies in a section of SECTION_SPECIAL */
    const struct dwarf_variable *variable; /* or NULL */
};

/* Where a reference leads. */
enum target_kind { TARGET_NUMBER, TARGET_ENTITY, TARGET_ANONYMOUS, TARGET_UNDEFINED };

struct target {
    enum target_kind kind;
    uint32_t entity;  /* TARGET_ENTITY */
    uint32_t section; /* TARGET_ANONYMOUS */
    uint64_t base; /* TARGET_ANONYMOUS: offset of what is named, to which `displacement` is added */
    uint32_t symbol;      /* TARGET_UNDEFINED */
    int64_t displacement; /* from what is named; the number */
};

struct section_view {
    enum section_class class;
    struct object_reference *references;
    size_t reference_count;
    uint32_t entity, entity_count; /* they lie in a row, by offset */
    uint64_t *bases;               /* SECTION_CONSTANT: places that are referred to, ascending */
    size_t base_count;
};

struct object_view {
    const struct rel_object *object;
    struct object_dwarf *dwarf;
    struct section_view *sections; /* by index */
    struct entity *entities;
    uint32_t entity_count;
    uint32_t *of_symbol; /* by symbol's index: entity + 1; 0: none */
};

/* `dwarf` may be NULL. Return 0, or -1: no memory. */
int object_view_make(struct object_view **out, const struct rel_object *object,
                     struct object_dwarf *dwarf);
void object_view_free(struct object_view *view); /* NULL is allowed */

/* Return where a reference of a section leads. `origin`: the offset from which relative fields of data count: of the
 * table that they lie in. */
struct target object_view_target(const struct object_view *view,
                                 const struct object_reference *reference, uint64_t origin);

/* Return the index of the first reference of the section at or after an offset. */
size_t object_view_reference_from(const struct section_view *section, uint64_t offset);

/* Return whether what has no name in the section is constant. gcc puts initial values of automatic variables that have
 * addresses in them into .data. */
bool object_view_anonymous_constant(const struct object_view *view, uint32_t section);

/* Return the end of the anonymous constant at `base`: the next place that is referred to, or the section's end. */
uint64_t object_view_anonymous_end(const struct object_view *view, uint32_t section, uint64_t base);

/* Return the entity that contains an offset of a section, or that is the only one there; UINT32_MAX: none. */
uint32_t object_view_entity_at(const struct object_view *view, uint32_t section, uint64_t offset);

#endif
