/*
 * host_place.h - where the binary has what an entity of the unedited object is.
 *
 * The answers come from the baseline: from code that was compared, or from the binary's symbols by name. Addresses are
 * of the binary, before load bias. Compiled into the command; one thread.
 */
#ifndef HOTPATCH_HOST_PLACE_H
#define HOTPATCH_HOST_PLACE_H

#include "cli/build/unit_compare.h"
#include "resolve/baseline.h"

/* Return the function's comparison with the binary, or NULL. */
const struct baseline_function *host_function(const struct unit_compare *compare, uint32_t before);

/* Merge what is known of all symbols of a variable, constant or function: those of its place, and its section's. The
 * address is that of the entity. */
struct baseline_symbol host_symbol(const struct unit_compare *compare, uint32_t before);

/* Return the evidence for a symbol that the unedited object does not define, or that other files see; false: it does not
 * have the symbol. */
bool host_undefined(const struct unit_compare *compare, const char *name,
                    struct baseline_symbol *out);

#endif
