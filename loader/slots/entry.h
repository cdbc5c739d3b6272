/*
 * entry.h - entry slots: any function of any object, found by name or place and switched at its
 * first bytes (site.h).
 *
 * Runs on whichever thread holds the engine lock.
 */
#ifndef HOTPATCH_ENTRY_H
#define HOTPATCH_ENTRY_H

#include "elf/functions.h"
#include "loader/slots/slot.h"
#include "loader/text/site.h"
#include "resolve/function_code.h"
#include "resolve/function_copies.h"

struct entry_candidate {
    struct object *object;
    struct function function;
};

/* The functions that a target names, at different addresses: in OBJECT, else in the program.
 * How many there are; as many as `room` are filled in. Inside objects_locked(). */
size_t entries_named(const struct symbol_spec *target, struct entry_candidate *found, size_t room);

/* The symbol versions of the functions that a target names, each once, in `list`: "A, B". */
void entries_versions(const struct symbol_spec *target, char *list, size_t size);

/* The function at `offset` (before load bias) of an object; `known`: somebody with debug
 * information says that one begins there, else the object must say it. */
bool entry_at(struct object *object, uint64_t offset, bool known, struct entry_candidate *out);

/* Where a function is entered: an indirect one where its resolver said, in the vDSO, maybe (vdso(7)).
 * False: nobody says, or not before ifuncs_ask(), or what is never patched; `why` says which. Inside
 * objects_locked(). */
bool entry_real(const struct entry_candidate *candidate, struct entry_candidate *real,
                struct site_problem *why);

/* How a function's entry can be patched, `functions` being there. Inside objects_locked(). */
void entry_code(struct object *object, const struct function *function, struct function_code *out);

/* What a slot of the function is called: by its name, else OBJECT+0xOFFSET; in `buffer`, maybe. */
const char *entry_name(const struct entry_candidate *candidate, char buffer[FUNCTION_NAME_MAX]);

/* Why no function of the process can be patched at its entry: -1, or 0. */
int entries_refused(struct site_problem *why);

/* The slot of a function, made where there is none yet; NULL: `why` says why it cannot have one.
 * Inside objects_locked(). */
struct slot *entry_slot(const struct entry_candidate *candidate, struct site_problem *why);

#endif
