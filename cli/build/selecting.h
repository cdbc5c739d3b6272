/*
 * selecting.h - the selection while it is made: shared by its steps.
 *
 * selection.c runs them in order: compare the units, find changed functions (select_changes.h), follow what they refer to
 * (select_closure.h) and bind it (select_bind.h), check data and sections (select_data.h) and types (select_types.h).
 *
 * Compiled into the command; one thread.
 */
#ifndef HOTPATCH_SELECTING_H
#define HOTPATCH_SELECTING_H

#include "base/refusal.h"
#include "cli/build/host_place.h"
#include "cli/build/selected.h"
#include "cli/build/unit_compare.h"

/* What is decided of one function of an edited object. */
struct function_plan {
    bool changed;  /* it differs, or is new */
    bool replaces; /* its old entry is to lead to it */
    bool has_host; /* the binary has its old code, which is equal to the unedited object's */
    uint64_t host, host_size;
    bool prototype; /* its prototype changed */
    char *no_entry; /* why the old entry cannot be patched; NULL: it can */
    char *why;
};

/* What was decided of an entity that is referred to. */
enum entity_place { PLACE_OPEN, PLACE_OWN, PLACE_HOST, PLACE_REFUSED };

struct placing_unit {
    struct unit_compare compare;
    struct function_plan *functions; /* by entity of the edited object */
    enum entity_place *places;       /* by entity */
    struct symbol_choice *hosts;     /* by entity: of PLACE_HOST */
    bool *chosen;                    /* by symbol: the choice was made */
    bool *in_use; /* by entity of the edited object: bound, and so its type counts */
};

struct binary;
struct entry_judge;

struct selecting {
    bool force_types; /* of struct selection_options */
    struct binary *binary;
    struct entry_judge *judge;
    struct refusal *why;
    struct placing_unit *units;
    size_t count;
    struct selection *selection;
    struct {
        uint32_t unit, section;
    } * work; /* placed sections whose references are to be followed */
    size_t work_count, work_room;
    bool no_memory;
    /* Decide where an entity is found: select_entity() of select_closure.h. */
    enum entity_place (*decide)(struct selecting *selecting, uint32_t unit, uint32_t entity);
};

/* Add a note; printf. */
void selecting_note(struct selecting *selecting, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Refuse, with the file and line of an entity of the edited object before the sentence; printf. */
void selecting_refuse(struct selecting *selecting, enum error_code code, uint32_t unit,
                      uint32_t entity, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

static inline const struct entity *selecting_entity(const struct selecting *selecting,
                                                    uint32_t unit, uint32_t entity)
{
    return &selecting->units[unit].compare.after->entities[entity];
}

#endif
