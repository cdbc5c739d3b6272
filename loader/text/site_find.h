/*
 * site_find.h - the site of a function, and what may be done at its entry.
 *
 * Listener (or the thread that runs the constructor), holding the engine lock, inside objects_locked().
 */
#ifndef HOTPATCH_SITE_FIND_H
#define HOTPATCH_SITE_FIND_H

#include "loader/text/site_problem.h"
#include "resolve/function_code.h"

struct site;
struct span;

/*
 * The site of the function at `entry`, whose bytes are mapped, as function_code_read() judges it; the
 * same one for the same entry. NULL: no memory, or why the entry cannot be patched. Inside
 * objects_locked().
 */
struct site *site_at(uintptr_t entry, const struct function_code *code, struct site_problem *why);

/* Do the bytes of `span` belong to no other entry than `entry`, neither as its first bytes nor as its pad? */
bool sites_leave_free(uintptr_t entry, struct span span);

#endif
