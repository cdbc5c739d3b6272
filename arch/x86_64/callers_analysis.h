/*
 * callers_analysis.h - the data that is kept while the callers in an object are analysed. Inside arch/ only.
 */
#ifndef HOTPATCH_CALLERS_ANALYSIS_H
#define HOTPATCH_CALLERS_ANALYSIS_H

#include "arch/x86_64/callers_body.h"

enum { USES_DEPTH = 4, WRITES_DEPTH = 40 }; /* so far down are callees looked at */

enum facts_state { FACTS_UNKNOWN, FACTS_BUSY, FACTS_KNOWN };

struct facts {
    struct registers writes; /* caller-saved ones that it or its callees may write */
    struct registers uses;   /* registers that it may read before it writes them */
    uint8_t state, uses_state;
    enum { PART_UNKNOWN, PART_YES, PART_NO } part;
    uint8_t integers,
        vectors; /* largest number of arguments, by the registers that callers have set; 255: any */
    uint8_t integers_seen, vectors_seen;
    bool arguments_known, arguments_seen, looked_through;
    bool needs_aligned; /* calls functions of other objects, with the stack as the psABI has it */
    bool returns;       /* it may return, or continue in another function */
    bool followed;      /* all of its code was found and read */
    bool is_stub;       /* only a jump out of the object */
    bool variadic;      /* by what callers set: rax has the number of vector arguments */
};

/* A direct call or jump to an entry, in a function's body. */
struct site_fact {
    struct registers live;      /* after a call; nothing after a jump */
    uint32_t site;              /* offset of the opcode from the index's lowest address */
    struct pointer_place stack; /* before it */
    bool call;
    uint8_t read_general, read_vector; /* facts_read_after(): of rax, rdx; xmm0, xmm1 */
    bool unresolved; /* all registers are live, because the code after it could not be followed */
};

struct site_list {
    uint32_t count;
    bool cut; /* the function is larger than the part that was read */
    bool reads_known;
    struct site_fact sites[]; /* ascending */
};

struct analysis;

/* The functions of callers_facts.c that callers_flow.c calls. The facts of a function depend on the flow through its
 * body, and the flow depends on the facts of the functions that it calls. See callers_facts.h. */
struct facts_questions {
    const struct facts *(*of)(struct analysis *analysis, uint32_t function, unsigned depth);
    struct registers (*uses)(struct analysis *analysis, uint32_t function, unsigned depth);
    const struct facts *(*arguments)(struct analysis *analysis, uint32_t function);
    void (*note_arguments)(struct analysis *analysis, uint32_t function, const struct body *body);
};

struct analysis {
    const struct facts_questions *ask;
    struct branch_index index;
    struct facts *facts;      /* of each function */
    struct site_list **lists; /* of each function, or NULL */
    size_t lists_memory;
    struct array above;                 /* callers.c */
    uint32_t *marks;                    /* for each function: its index there + 1 */
    struct array callees;               /* of functions that facts_of() is at */
    struct body summary;                /* in use by facts_of() */
    struct body sample;                 /* in use by facts_arguments() */
    struct body bodies[USES_DEPTH + 1]; /* in use while callees are read */
    uint64_t budget;                    /* steps that may still be read */
};

#endif
