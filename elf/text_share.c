/* text_share.c - see text_share.h. In the command alone. */
#include "elf/text_share.h"

#include "elf/functions.h"
#include "elf/functions_parts.h"

struct count {
    const struct code_range *ranges; /* of the code, ascending, without overlaps */
    size_t range_count;
    uint64_t end; /* bytes before it are counted */
    uint64_t covered;
};

static uint64_t common(const struct code_range *range, uint64_t begin, uint64_t end)
{
    if (begin < range->begin)
        begin = range->begin;
    if (end > range->end)
        end = range->end;
    return begin < end ? end - begin : 0;
}

/* Functions come in the order of their addresses. */
static int count_in_share(const struct function *function, void *context)
{
    struct count *count = context;
    uint64_t begin = function->address, end = begin + function->size;

    if (!function->sized)
        return 0;
    if (begin < count->end)
        begin = count->end;
    if (end <= begin)
        return 0;
    for (size_t i = 0; i < count->range_count; i++)
        count->covered += common(&count->ranges[i], begin, end);
    count->end = end;
    return 0;
}

int functions_text_share(struct functions *functions, struct text_share *out)
{
    struct count count = {functions->text, functions->text_count, 0, 0};

    *out = (struct text_share){.of_sections = functions->text_count > 0};
    if (!out->of_sections) {
        count.ranges = functions->code;
        count.range_count = functions->code_count;
    }
    for (size_t i = 0; i < count.range_count; i++)
        out->bytes += count.ranges[i].end - count.ranges[i].begin;
    if (functions_each(functions, count_in_share, &count) != 0)
        return -1;
    out->covered = count.covered;
    return 0;
}

double text_share_percent(const struct text_share *share)
{
    return share->bytes ? 100.0 * (double)share->covered / (double)share->bytes : 0.0;
}
