/*
 * find.h - the slot that a patch's target means.
 */
#ifndef HOTPATCH_FIND_H
#define HOTPATCH_FIND_H

#include <stdint.h>

struct module;
struct slot;
struct transaction;

/* Find the slot that a module's target `text` means, for a replacement of that kind and signature. NULL: the
 * transaction's `why` says what is wrong. Inside objects_locked(). */
struct slot *find_slot(struct transaction *transaction, const struct module *module,
                       const char *text, uint32_t kind, const char *signature);

#endif
