/* selection.c - see selection.h. */
#include "cli/build/selection.h"

#include <stdlib.h>

#include "base/refusal.h"

int selection_make(struct selection **out, const struct unit_pair *units, size_t count,
                   struct binary *binary, const struct selection_options *options,
                   struct refusal *why)
{
    (void)units, (void)count, (void)binary, (void)options;
    *out = NULL;
    return refuse(why, HP_LATER, "select functions: not written");
}

void selection_free(struct selection *selection)
{
    free(selection);
}
