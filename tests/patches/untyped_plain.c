/* without a manifest, for replace= */
#include <stdint.h>

int32_t untyped_plain(void *state, const void *input, void *output);

int32_t untyped_plain(void *state, const void *input, void *output)
{
    *(int32_t *)output = *(int32_t *)state - *(const int32_t *)input;
    return 9;
}
