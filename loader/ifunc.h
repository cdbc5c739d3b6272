/*
 * ifunc.h - which function an indirect one (gABI, STT_GNU_IFUNC) stands for: the one that its resolver
 * has chosen in this process. The words that are bound to it tell; where there are none, ld.so is
 * asked, on the worker, since dlsym(3) runs the resolver.
 *
 * Runs on whichever thread holds the engine lock.
 */
#ifndef HOTPATCH_IFUNC_H
#define HOTPATCH_IFUNC_H

#include "entry.h"

struct implementation; /* of an object's list; object.h */

/* Where `function` of `object` leads; 0: nobody says, or not before ifuncs_ask(). Inside
 * objects_locked(). */
uintptr_t ifunc_implementation(struct object *object, const struct function *function);

/* Asks ld.so about those that were wanted and not known. True: some are known now, and the plan is to
 * be made anew. Not inside objects_locked(). */
bool ifuncs_ask(const struct transaction *transaction);

void ifuncs_free(struct implementation *list);

#endif
