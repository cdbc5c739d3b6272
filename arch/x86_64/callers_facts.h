/*
 * callers_facts.h - the facts of each function of an object, computed at the first use and kept.
 *
 * Inside arch/ only. If a fact cannot be computed, the function is taken to write fewer registers, use more registers
 * and need no aligned stack: the registers that callers rely on are then too many, never too few.
 */
#ifndef HOTPATCH_CALLERS_FACTS_H
#define HOTPATCH_CALLERS_FACTS_H

#include "arch/x86_64/callers_analysis.h"

bool analysis_begin(struct analysis *analysis, const struct arch_object *object);
void analysis_end(struct analysis *analysis);
size_t analysis_memory(const struct analysis *analysis);
/* Release the memory of the last body, if it is large. */
void analysis_rest(struct analysis *analysis);

/* Read a function's body, see body_read(). */
void facts_read(struct analysis *analysis, struct body *body, uint32_t function, body_visit *visit,
                void *context);
/* Return whether this is a part of another function, which is jumped to and never called. A function that is entered
 * only by tail calls looks the same. */
bool facts_is_part(const struct analysis *analysis, uint32_t function);

const struct facts *facts_of(struct analysis *analysis, uint32_t function, unsigned depth);
struct registers facts_uses(struct analysis *analysis, uint32_t function, unsigned depth);

/* Record the registers that a function has set before each call. flow_forward() must have processed its body. */
void facts_note_arguments(struct analysis *analysis, uint32_t function, const struct body *body);
/* Return the facts with `integers` and `vectors`: the arguments that some of its callers set before the call. */
const struct facts *facts_arguments(struct analysis *analysis, uint32_t function);

/* NULL: no memory. */
const struct site_list *facts_sites(struct analysis *analysis, uint32_t function);
/* Return the same for code that begins at `root`, in `function` or NO_FUNCTION, entered from an unknown place. The
 * caller frees it. */
struct site_list *facts_sites_from(struct analysis *analysis, uint64_t root,
                                   struct pointer_place stack, uint32_t function);
const struct site_fact *site_find(const struct site_list *list, uint32_t site);

/* Return the result registers that the function writes on every path on which it returns. */
struct registers facts_results(struct analysis *analysis, uint32_t function);
/* Return the call at `site`, listed by facts_sites(), with the registers that are read after it and not only passed
 * on; NULL: there is none. */
const struct site_fact *facts_read_after(struct analysis *analysis, uint32_t function,
                                         uint32_t site);

#endif
