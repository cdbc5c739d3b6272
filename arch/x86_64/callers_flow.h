/*
 * callers_flow.h - which registers are live after each instruction of a body, and which are defined before
 * it. Inside arch/ only.
 */
#ifndef HOTPATCH_CALLERS_FLOW_H
#define HOTPATCH_CALLERS_FLOW_H

#include "arch/x86_64/callers_analysis.h"

struct flow {
    struct analysis *analysis;
    struct body *body;
    uint32_t function; /* its arguments are defined at the root; NO_FUNCTION: all registers */
    unsigned depth;    /* depth of the body: callees are read one deeper */
    bool reads_alone;  /* neither results at returns nor arguments of calls count as read */
    bool no_returns;   /* results at returns do not count */
    bool floats;       /* an instruction handles a float or double; set by flow_forward() */
};

/* Fill in `defined` and `carried` of each step. `bounded`: of the arguments, only those that callers have set. */
void flow_forward(struct flow *flow, bool bounded);
/* Fill in these and then `live` and `live_before`. */
void flow_run(struct flow *flow);
/* Return how many integer and vector arguments a function may have that is called with these registers. */
unsigned flow_integers(const struct registers *defined);
unsigned flow_vectors(const struct registers *defined);
bool flow_count_is_set(const struct registers *defined);
/* Return the result registers that are written on every path to each return. */
struct registers flow_results(struct flow *flow);

#endif
