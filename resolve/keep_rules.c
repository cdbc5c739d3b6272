/* keep_rules.c - see keep_rules.h. */
#include "resolve/keep_rules.h"

#include <stdio.h>
#include <string.h>

#include "arch/keep.h"
#include "resolve/signature_call.h"

/* gcc's special_function_p() (calls.cc), and those of the C library that do the same. A stub that has
 * returned once cannot return again. */
bool keep_returns_twice(const char *name)
{
    static const char *const names[] = {"setjmp",     "sigsetjmp", "savectx",    "vfork",
                                        "getcontext", "rfork",     "swapcontext"};

    name += strspn(name, "_");
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

/* Result registers that the original writes on some of its paths only. */
static const char *settle_results(const struct keep_facts *facts, const struct signature_call *call,
                                  struct arch_kept *kept)
{
    kept->general &= (uint16_t)~call->result_general;
    kept->vector &= ~call->result_vector;
    if (!kept->unsure_general && !kept->unsure_vector)
        return NULL;
    if (!call->result_known && facts->unread) {
        kept->unsure_general = 0;
        kept->unsure_vector = 0;
        return NULL;
    }
    if (!call->result_known)
        return "one of the registers may hold the result, and the replacement's "
               "signature "
               "does not tell whether it does";
    kept->general |= kept->unsure_general & (uint16_t)~call->result_general;
    kept->vector |= kept->unsure_vector & ~call->result_vector;
    if (kept->vector && kept->vector_bytes == 0)
        kept->vector_bytes = ARCH_VECTOR_BYTES;
    kept->unsure_general = 0;
    kept->unsure_vector = 0;
    return NULL;
}

static const char *decide_arguments(const struct keep_facts *facts,
                                    const struct signature_call *call, uint32_t *stack_bytes)
{
    int64_t read;

    if (call->variadic)
        return "it takes a variable number of arguments, which a keeping stub cannot copy";
    if (call->arguments_known) {
        *stack_bytes = call->stack_bytes;
        return NULL;
    }
    read = facts->stack_read ? facts->stack_read(facts->context) : -1;
    if (read < 0)
        return "neither the replacement's signature nor the function's code tells how many "
               "arguments "
               "lie on the stack";
    if (read > ARCH_STACK_ARGUMENTS_MAX)
        return "more arguments lie on the stack than a keeping stub copies";
    *stack_bytes = ((uint32_t)read + 7) & ~7u;
    return NULL;
}

const char *keep_decide(const struct keep_facts *facts, struct keep *out)
{
    struct signature_call call = signature_call(facts->signature);
    const char *problem;

    *out = (struct keep){.kept = facts->kept};
    problem = settle_results(facts, &call, &out->kept);
    if (problem || !arch_keeps(&out->kept))
        return problem;
    if (facts->name && keep_returns_twice(facts->name))
        return "it returns twice, which a keeping stub cannot";
    return decide_arguments(facts, &call, &out->stack_bytes);
}

/* ---- in words ---- */

struct kept_listing {
    char *list;
    size_t size;
};

static void list_kept(const char *name, void *context)
{
    const struct kept_listing *l = context;
    size_t used = strlen(l->list);
    const char *text = strcmp(name, "alignment") == 0 ? "a stack that is not aligned" : name;

    snprintf(l->list + used, l->size - used, "%s%s", used ? ", " : "", text);
}

void keep_list(const struct arch_kept *kept, char *list, size_t size)
{
    struct kept_listing l = {list, size};

    *list = '\0';
    arch_kept_each(kept, list_kept, &l);
}
