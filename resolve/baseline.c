/* baseline.c - see baseline.h. */
#include "resolve/baseline.h"

int baseline_compare(struct baseline **out, struct binary *binary, const struct rel_object *object,
                     const char *file_name, struct refusal *why)
{
    (void)binary;
    (void)object;
    (void)file_name;
    *out = NULL;
    return refuse(why, HP_LATER, "baseline");
}

int baseline_make(struct baseline **out, struct binary *binary, const struct rel_object *object,
                  const char *file_name, struct refusal *why)
{
    return baseline_compare(out, binary, object, file_name, why);
}

void baseline_free(struct baseline *baseline)
{
    (void)baseline;
}

const struct baseline_function *baseline_function(const struct baseline *baseline, uint32_t symbol)
{
    (void)baseline;
    (void)symbol;
    return NULL;
}
