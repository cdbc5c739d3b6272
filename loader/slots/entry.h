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
#include "loader/transaction/transaction.h"
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

/* Make ready what the changes need: objects are pinned, stubs written. 0, or -1 with `why`. */
int entries_prepare(struct transaction *transaction);
/* The transaction has failed: padding that only it would have used is free for others again. */
void entries_release(struct transaction *transaction);
/* Would entries_prepare() find padding for all that need some? Nothing is mapped, written or kept. 0, or -1
 * with `why`. Inside objects_locked(). */
int entries_try(struct transaction *transaction);

/* own_calls.c: lead the calls that the loaded patches make of functions which they replace past the
 * replacements. 0, or -1 with `why`. Inside objects_locked(). */
int own_calls_settle(struct transaction *transaction);

/* Let the entries jump; on failure those that do are brought back. Waits for threads until the
 * transaction's timeout; takes objects_locked() and the commit section for moments. 0, or -1 with
 * `why`. */
int entries_arm(struct transaction *transaction);
/* What entries_arm() left for the commit: short jumps. Inside objects_locked() and the commit section.
 * 0, or -1 with `why`. */
int entries_arm_rest(struct transaction *transaction);
void entries_disarm(struct transaction *transaction); /* what these two armed */

/* Look whether functions that were switched have been entered since. */
void entries_settle(void);

#endif
