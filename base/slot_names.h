/*
 * slot_names.h - the words for kinds and types of slots and for techniques, as requests, replies and tables have them.
 *
 * Compiled into shim, engine and command; no state, any thread.
 */
#ifndef HOTPATCH_SLOT_NAMES_H
#define HOTPATCH_SLOT_NAMES_H

#include <stdbool.h>
#include <stdint.h>

enum slot_kind { SLOT_DECLARED, SLOT_IMPORT, SLOT_ENTRY };

const char *slot_kind_name(enum slot_kind kind);
/* Return whether `name` is the name of `kind`, or NULL: a request without a kind selects all. */
bool slot_kind_asked(const char *name, enum slot_kind kind);
/* Return whether `name` is the name of a kind. */
bool slot_kind_known(const char *name);

/* Return the name of an enum hotpatch_kind. */
const char *slot_type_name(uint32_t type);

/* The techniques for patching an entry. The command counts functions by those up to TECHNIQUE_EVACUATED. */
#define TECHNIQUE_SHORT "short"
#define TECHNIQUE_ALIGNED "aligned"
#define TECHNIQUE_ALIGNED_PUNNED "aligned, punned"
#define TECHNIQUE_SINGLE "single"
#define TECHNIQUE_PUNNED "punned"
#define TECHNIQUE_EVACUATED "evacuated"
#define TECHNIQUE_INT3 "int3"
#define TECHNIQUE_PAGE "page"
#define TECHNIQUE_PROVED "proved"

#endif
