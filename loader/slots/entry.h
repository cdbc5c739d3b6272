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

/* Find the functions that a target names, at different addresses: in OBJECT, else in the program.
 * Returns how many there are; fills in as many as `room`. Inside objects_locked(). */
size_t entries_named(const struct symbol_spec *target, struct entry_candidate *found, size_t room);

/* Write the symbol versions of the functions that a target names, each once, into `list`: "A, B". */
void entries_versions(const struct symbol_spec *target, char *list, size_t size);

/* Find the function at `offset` (before load bias) of an object; `known`: debug information says that a function begins
 * there, else the object itself must say it. */
bool entry_at(struct object *object, uint64_t offset, bool known, struct entry_candidate *out);

/* Find the function that calls reach: of an indirect function the one that its resolver chose, which may lie in the vDSO
 * (vdso(7)). False, with `why`: it is not known, or not before ifuncs_ask(), or it is never patched. Inside
 * objects_locked(). */
bool entry_real(const struct entry_candidate *candidate, struct entry_candidate *real,
                struct site_problem *why);

/* Find out how a function's entry can be patched. The object's index of functions was made. Inside objects_locked(). */
void entry_code(struct object *object, const struct function *function, struct function_code *out);

/* Return the name of the function's slot: the function's, else OBJECT+0xOFFSET, written into `buffer`. */
const char *entry_name(const struct entry_candidate *candidate, char buffer[FUNCTION_NAME_MAX]);

/* Return -1 with `why` if no function of the process can be patched at its entry, else 0. */
int entries_refused(struct site_problem *why);

/* Return the slot of a function, made where there is none yet. NULL: `why` says why it cannot have one.
 * Inside objects_locked(). */
struct slot *entry_slot(const struct entry_candidate *candidate, struct site_problem *why);

#endif
