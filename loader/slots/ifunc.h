/*
 * ifunc.h - which function an indirect one (gABI, STT_GNU_IFUNC) stands for: the one that its resolver
 * has chosen in this process. The words that are bound to it tell, those of imports and those that its
 * own object's calls go through (ARCH_RELOCATION_INDIRECT); where there are none, ld.so is asked, on the
 * worker, since dlsym(3) runs the resolver.
 *
 * Requests that load, try and list all ask here. Runs on whichever thread holds the engine lock.
 */
#ifndef HOTPATCH_IFUNC_H
#define HOTPATCH_IFUNC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/refusal.h"

struct function;
struct object;
struct slot;

/* Where `function` of `object` leads; 0: nobody says, or not before ifuncs_ask(). Inside
 * objects_locked(). */
uintptr_t ifunc_implementation(struct object *object, const struct function *function);

/* Of an import slot whose definition is an indirect function that no word is bound to yet: let its base be the
 * implementation. False: as above. Inside objects_locked(). */
bool ifunc_bind(struct slot *slot);

/* Asks ld.so about those that were wanted and not known. 1: some are known now, and what was made of them is
 * to be made anew; 0; -1 with `why`. Not inside objects_locked(). */
int ifuncs_ask(uint64_t deadline, struct refusal *why);

/* Register with the list of objects (object.h). */
void ifuncs_register(void);

#endif
