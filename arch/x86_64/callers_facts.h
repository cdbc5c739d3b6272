/*
 * callers_facts.h - what is known of each function of an object, found when first asked for and kept.
 *
 * Inside arch/ only. Where something cannot be known, a function writes less, uses more and does not
 * need an aligned stack: what its callers rely on is then found to be more than it is, never less.
 */
#ifndef HOTPATCH_CALLERS_FACTS_H
#define HOTPATCH_CALLERS_FACTS_H

#include "arch/x86_64/callers_analysis.h"

bool analysis_begin(struct analysis *analysis, const struct arch_object *object);
void analysis_end(struct analysis *analysis);
size_t analysis_memory(const struct analysis *analysis);
/* Give back the memory of what was read last, where it is much. */
void analysis_rest(struct analysis *analysis);

/* Read a function's body, as body_read(). */
void facts_read(struct analysis *analysis, struct body *body, uint32_t function, body_visit *visit,
                void *context);
/* Is it a part of another function, which is jumped to and never called? A function that is entered by
 * tail calls alone looks the same. */
bool facts_is_part(const struct analysis *analysis, uint32_t function);

const struct facts *facts_of(struct analysis *analysis, uint32_t function, unsigned depth);
struct registers facts_uses(struct analysis *analysis, uint32_t function, unsigned depth);

/* Note what a function, whose body flow_forward() has been through, has set before each call. */
void facts_note_arguments(struct analysis *analysis, uint32_t function, const struct body *body);
/* Fills in `integers` and `vectors`: what a few of its callers have set before they call it. */
const struct facts *facts_arguments(struct analysis *analysis, uint32_t function);

/* NULL: no memory. */
const struct site_list *facts_sites(struct analysis *analysis, uint32_t function);
/* The same for code that begins at `root`, that of `function`, or NO_FUNCTION: entered from nobody knows
 * where. Freed by the caller. */
struct site_list *facts_sites_from(struct analysis *analysis, uint64_t root,
                                   struct pointer_place stack, uint32_t function);
const struct site_fact *site_find(const struct site_list *list, uint32_t site);

/* The result registers that the function writes on every path on which it returns. */
struct registers facts_results(struct analysis *analysis, uint32_t function);
/* With what is read, not merely handed on, after the call at `site` of a function that facts_sites() has
 * listed; NULL: there is none. */
const struct site_fact *facts_read_after(struct analysis *analysis, uint32_t function,
                                         uint32_t site);

#endif
