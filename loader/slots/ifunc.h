/*
 * ifunc.h - find the implementation of an indirect function (gABI, STT_GNU_IFUNC): the function that its resolver chose
 * in this process. Bound words hold its address: words of imports, and words that calls from the function's own object
 * go through (ARCH_RELOCATION_INDIRECT). If there are no such words, the worker asks ld.so, because dlsym(3) runs the
 * resolver.
 *
 * Requests that load, try and list all use this file. Called by the thread that holds the engine lock.
 */
#ifndef HOTPATCH_IFUNC_H
#define HOTPATCH_IFUNC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/refusal.h"

struct function;
struct object;
struct slot;

/* Return the implementation of `function` of `object`; 0 if it cannot be found, or not before ifuncs_ask(). Called
 * inside objects_locked(). */
uintptr_t ifunc_implementation(struct object *object, const struct function *function);

/* Set the base of an import slot to the implementation, if the slot's definition is an indirect function that no word
 * is bound to yet. Return false if the implementation is not known, or not before ifuncs_ask(). Called inside
 * objects_locked(). */
bool ifunc_bind(struct slot *slot);

/* Ask ld.so about the wanted functions that are not known. Return 1 if some are known now: the plan or list that uses
 * them must be made again. Return 0 if there is no new answer; -1 with `why`. Called outside objects_locked(). */
int ifuncs_ask(uint64_t deadline, struct refusal *why);

/* Register with the list of objects (object.h). */
void ifuncs_register(void);

#endif
