/*
 * fit.h - may a replacement take a slot: are both data, or functions of the same type?
 *
 * Compiled into engine and command; any thread.
 */
#ifndef HOTPATCH_FIT_H
#define HOTPATCH_FIT_H

#include <stddef.h>
#include <stdint.h>

enum fit { FIT_AGREES, FIT_OTHER_KIND, FIT_OTHER_SIGNATURE };

/* `kind` and `slot_kind` are of enum hotpatch_kind. A signature of NULL is not known and not compared;
 * that of an untyped slot or replacement is always the untyped ABI's. */
enum fit fit_judge(uint32_t kind, const char *signature, uint32_t slot_kind,
                   const char *slot_signature);

/* The words of a refusal for the two that do not agree: of the slot, or of the replacement. "untyped",
 * "data", or a function's signature in quotes. */
void fit_describe(uint32_t kind, const char *signature, char *text, size_t size);

#endif
