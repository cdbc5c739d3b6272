/*
 * unit_compare.h - one unit, unedited and edited: which entity of one object is which of the other, and which are
 * equal. correlate.h fills `match`, changes.h the pairs.
 *
 * Two entities are *matched* when they are the same function or variable, changed or not. A *pair* is two entities of
 * which the contents are compared. Clones and constants have a pair with each that they may be, functions with the one
 * of their name.
 *
 * Compiled into the command; one thread.
 */
#ifndef HOTPATCH_UNIT_COMPARE_H
#define HOTPATCH_UNIT_COMPARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/build/object_view.h"
#include "cli/build/unit_pair.h"

struct entity_pair {
    uint32_t before, after;
    bool equal;    /* the greatest solution: equal as far as all that they refer to is */
    uint32_t next; /* the next pair of the same `after`, + 1 */
};

/* Of an entity of the edited object. */
struct entity_state {
    uint32_t match; /* + 1; 0: it is new */
    uint32_t pair;  /* the first, + 1 */
    bool
        together; /* a function whose callers must reach this very code: they are in the patch if it changed */
    bool ambiguous; /* a variable of which several may be the old one */
    bool renamed;   /* matched by its use alone */
    bool shared;    /* a function whose old entry is another function's, too */
};

struct unit_compare {
    const struct unit_pair *unit;
    struct object_view *before; /* NULL: a new file */
    struct object_view *after;
    struct entity_state *states; /* by entity of `after` */
    uint32_t *back;              /* by entity of `before`: the matched one + 1; 0: gone */
    struct entity_pair *pairs;
    size_t pair_count, pair_room;

    /* Names that the unit does not define, and that mean another function or variable after the edit. */
    bool (*means_another)(const char *name, void *context);
    void *context;
};

/* Read both objects. Return 0, or -1: no memory. */
int unit_compare_open(struct unit_compare *compare, const struct unit_pair *unit);
void unit_compare_close(struct unit_compare *compare);

/* Add a pair. Return 0, or -1: no memory. */
int unit_compare_pair(struct unit_compare *compare, uint32_t before, uint32_t after);
/* Return the pair of the two, or NULL. */
struct entity_pair *unit_compare_find(const struct unit_compare *compare, uint32_t before,
                                      uint32_t after);

void unit_compare_match(struct unit_compare *compare, uint32_t before, uint32_t after);

static inline bool entity_is_variable(const struct entity *entity)
{
    return entity->kind == ENTITY_VARIABLE || entity->kind == ENTITY_THREAD;
}

#endif
