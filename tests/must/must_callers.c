/*
 * must_callers.c - functions whose callers rely on more than the ABI promises; see must.h. Host
 * `relies`.
 */
#include <string.h>

#include "tests/must/must.h"

/* Of a function's question: the answer after the load, the old one after a revert. */
static const char *keeps(struct host *host, const char *patch, const char *question,
                         const char *before, const char *after)
{
    const char *code;

    host_expect(host, question, before);
    code = outcome(host, "load %s", patch_file(patch));
    if (strcmp(code, "apply") != 0)
        return code;
    host_expect(host, question, after);
    must_apply(host, "revert last");
    host_expect(host, question, before);
    return code;
}

#define KEEPS(name, patch, question, before, after)                                     \
    static const char *name(struct host *host)                                          \
    {                                                                                   \
        return keeps(host, patch, question, before ", 0 changed", after ", 0 changed"); \
    }

KEEPS(callers_general, "relies", "general", "21", "22")
KEEPS(callers_far_up, "relies", "deep", "21", "22")
KEEPS(callers_vectors, "relies", "vectors", "21", "22")
KEEPS(callers_unaligned, "relies", "unaligned", "21", "22")
KEEPS(callers_stack_arguments, "relies", "stacked", "37", "38")
KEEPS(callers_none, "relies", "ordinary", "21", "22")
KEEPS(callers_variadic, "relies_variadic", "general", "21", "22")
KEEPS(callers_own_code_tells, "relies_structure", "general", "21", "22")
KEEPS(callers_arguments_unknown, "relies_indexed", "indexed", "20", "21")
KEEPS(callers_no_result, "relies_no_result", "sometimes", "5", "5")
KEEPS(callers_result, "relies_result", "sometimes", "5", "6")
KEEPS(callers_result_unknown, "relies_result_unknown", "sometimes", "5", "6")
KEEPS(callers_twice, "relies_twice", "savectx", "21", "22")

static const char *callers_fault(struct host *host)
{
    const char *code = outcome(host, "load fail=general=4");

    host_expect(host, "general", "4, 0 changed");
    must_apply(host, "revert last");
    host_expect(host, "general", "21, 0 changed");
    return code;
}

static const char *callers_fault_without_result(struct host *host)
{
    const char *code = outcome(host, "load fail=nothing=4");

    host_expect(host, "nothing", "5, 0 changed");
    must_apply(host, "revert last");
    return code;
}

/* The second call strikes; the others reach the replacement below. */
static const char *callers_fault_above_replacement(struct host *host)
{
    const char *code;

    must_apply(host, "load %s", patch_file("relies"));
    code = outcome(host, "load nth=2 fail=general=4");
    for (int i = 0; i < 3; i++) {
        host_expect(host, "general", "22, 0 changed");
        host_expect(host, "general", "4, 0 changed");
    }
    must_apply(host, "revert last");
    host_expect(host, "general", "22, 0 changed");
    must_apply(host, "revert last");
    host_expect(host, "general", "21, 0 changed");
    return code;
}

const struct must_case must_callers[] = {
    CASE_IN(callers_general, "relies"),
    CASE_IN(callers_far_up, "relies"),
    CASE_IN(callers_vectors, "relies"),
    CASE_IN(callers_unaligned, "relies"),
    CASE_IN(callers_stack_arguments, "relies"),
    CASE_IN(callers_none, "relies"),
    CASE_IN(callers_variadic, "relies"),
    CASE_IN(callers_own_code_tells, "relies"),
    CASE_IN(callers_arguments_unknown, "relies"),
    CASE_IN(callers_no_result, "relies"),
    CASE_IN(callers_result, "relies"),
    CASE_IN(callers_result_unknown, "relies"),
    CASE_IN(callers_twice, "relies"),
    CASE_IN(callers_fault, "relies"),
    CASE_IN(callers_fault_without_result, "relies"),
    CASE_IN(callers_fault_above_replacement, "relies"),
    CASES_END,
};
