/*
 * entry.h - entry slots: any function of any object, found by its name or address and switched at its first bytes
 * (site.h).
 *
 * Called by the thread that holds the engine lock.
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

/* Find the functions that a target names, at different addresses: in OBJECT, else in the program. Return how many there
 * are; fill in at most `room`. Called inside objects_locked(). */
size_t entries_named(const struct symbol_spec *target, struct entry_candidate *found, size_t room);

/* Write the symbol versions of the functions that a target names, each once, into `list`: "A, B". */
void entries_versions(const struct symbol_spec *target, char *list, size_t size);

/* Find the function at `offset` (before load bias) of an object. With `known`, debug information says that a function
 * begins there; without it the object itself must say so. */
bool entry_at(struct object *object, uint64_t offset, bool known, struct entry_candidate *out);

/* Find the function that calls reach. For an indirect function this is the function that its resolver chose, which may
 * lie in the vDSO (vdso(7)). Return false with `why` if it is not known, or not before ifuncs_ask(), or if it is never
 * patched. Called inside objects_locked(). */
bool entry_real(const struct entry_candidate *candidate, struct entry_candidate *real,
                struct site_problem *why);

/* Find how a function's entry can be patched. The object's index of functions must exist. Called inside
 * objects_locked(). */
void entry_code(struct object *object, const struct function *function, struct function_code *out);

/* Return the name of the function's slot: the function's name, else OBJECT+0xOFFSET, written into `buffer`. */
const char *entry_name(const struct entry_candidate *candidate, char buffer[FUNCTION_NAME_MAX]);

/* Return 0, or -1 with `why` if no function of the process can be patched at its entry. */
int entries_refused(struct site_problem *why);

/* Return the slot of a function. It is made if there is none yet. Return NULL with `why` if the function cannot have a
 * slot. Called inside objects_locked(). */
struct slot *entry_slot(const struct entry_candidate *candidate, struct site_problem *why);

#endif
