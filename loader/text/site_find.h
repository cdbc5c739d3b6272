/*
 * site_find.h - find the site of a function, and the choices that are possible at its entry.
 *
 * Called by the listener, or by the thread that runs the constructor, with the engine lock held, inside
 * objects_locked().
 */
#ifndef HOTPATCH_SITE_FIND_H
#define HOTPATCH_SITE_FIND_H

#include "loader/text/site_problem.h"
#include "resolve/function_code.h"

struct site;
struct span;

/*
 * Return the site of the function at `entry`, whose bytes are mapped. `code` is the result of function_code_read(). The
 * same entry always has the same site. Return NULL with `why`: no memory, or the reason why the entry cannot be
 * patched. Called inside objects_locked().
 */
struct site *site_at(uintptr_t entry, const struct function_code *code, struct site_problem *why);

/* Return whether the bytes of `span` belong to no other entry than `entry`, neither as its first bytes nor as its
 * pad. */
bool sites_leave_free(uintptr_t entry, struct span span);

#endif
