/*
 * callers_facts.h - what is known of each function of an object, found when first asked for and kept.
 *
 * Inside arch/ only. Where something cannot be known, a function writes less, uses more and does not
 * need an aligned stack: what its callers rely on is then found to be more than it is, never less.
 */
#ifndef HOTPATCH_CALLERS_FACTS_H
#define HOTPATCH_CALLERS_FACTS_H

#include "arch/x86_64/callers_body.h"

enum { USES_DEPTH = 4, WRITES_DEPTH = 40 }; /* so far down are callees looked at */

enum facts_state { FACTS_UNKNOWN, FACTS_BUSY, FACTS_KNOWN };

struct facts {
    struct registers writes; /* caller-saved ones that it or a function that it calls may write */
    struct registers uses;   /* that it may read before it writes them */
    uint8_t state, uses_state;
    enum { PART_UNKNOWN, PART_YES, PART_NO } part;
    uint8_t integers,
        vectors; /* arguments that it has at most, by what callers have set; 255: any */
    uint8_t integers_seen, vectors_seen;
    bool arguments_known, arguments_seen, looked_through;
    bool needs_aligned; /* calls functions of other objects, with the stack as the psABI has it */
    bool returns;       /* it may return, or go on in another function */
    bool followed;      /* all of its code was found and read */
    bool is_stub;       /* nothing but a jump out of the object */
    bool variadic;      /* by what its callers have set: rax tells the number of vector arguments */
};

/* Direct calls and jumps to entries, found in a function's body. */
struct site_fact {
    struct registers live;    /* after a call; nothing after a jump */
    uint32_t site;            /* of the opcode, from the index's lowest address */
    struct stack_place stack; /* before it */
    bool call;
    uint8_t read_general, read_vector; /* facts_read_after(): of rax, rdx; xmm0, xmm1 */
    bool unresolved; /* everything is live because the code behind it could not be followed */
};

struct site_list {
    uint32_t count;
    bool cut; /* the function is larger than what is read */
    bool reads_known;
    struct site_fact sites[]; /* ascending */
};

struct analysis {
    struct branch_index index;
    struct facts *facts;      /* of each function */
    struct site_list **lists; /* likewise, or NULL */
    size_t lists_memory;
    struct array above;                 /* callers.c */
    uint32_t *marks;                    /* of each function: its place there + 1 */
    struct array callees;               /* of functions that facts_of() is at */
    struct body summary;                /* in use by facts_of() */
    struct body sample;                 /* in use by facts_arguments() */
    struct body bodies[USES_DEPTH + 1]; /* in use by what looks at callees */
    uint64_t budget;                    /* steps that may still be read */
};

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
                                   struct stack_place stack, uint32_t function);
const struct site_fact *site_find(const struct site_list *list, uint32_t site);

/* The result registers that the function writes on every path on which it returns. */
struct registers facts_results(struct analysis *analysis, uint32_t function);
/* With what is read, not merely handed on, after the call at `site` of a function that facts_sites() has
 * listed; NULL: there is none. */
const struct site_fact *facts_read_after(struct analysis *analysis, uint32_t function,
                                         uint32_t site);

#endif
