/* build_untouched.c - see build_untouched.h. */
#include "cli/build/build_untouched.h"

#include <elf.h>

#include "cli/build/selected.h"
#include "elf/binary.h"
#include "resolve/baseline.h"

bool untouched_may_be(const struct build_run *run, const struct unit *unit)
{
    const struct candidate *only = &unit->candidates[0];

    return !run->whole && unit->candidate_count == 1 && !unit->added && !only->old &&
           !build_step_of(run, unit->real);
}

bool untouched_is(const struct unit *unit)
{
    return unit->candidate_count == 1 && unit->candidates[0].untouched;
}

int untouched_find(struct build_run *run, struct refusal *why)
{
    for (size_t i = 0; i < run->affected_count; i++) {
        struct unit *unit = run->affected[i];
        struct candidate *only = &unit->candidates[0];
        struct baseline *baseline;

        if (!untouched_may_be(run, unit) || !only->edited || only->untouched)
            continue;
        if (baseline_compare(&baseline, run->build->target.binary, only->edited->object, NULL,
                             why) != 0)
            return -1;
        only->untouched = baseline->whole;
        baseline_free(baseline);
    }
    return 0;
}

size_t untouched_count(const struct build_run *run)
{
    size_t count = 0;

    for (size_t i = 0; i < run->affected_count; i++)
        count += untouched_is(run->affected[i]);
    return count;
}

static int is_seen_by_others(const struct binary_symbol *symbol, void *context)
{
    (void)context;
    return symbol->binding != STB_LOCAL;
}

bool untouched_doubtful(const struct build_run *run, const struct selection *selection)
{
    if (selection->note_count)
        return true;
    for (size_t i = 0; i < selection->function_count; i++)
        if (!selection->functions[i].host &&
            binary_named(run->build->target.binary, selection->functions[i].name, is_seen_by_others,
                         NULL))
            return true;
    return false;
}

void untouched_forget(struct build_run *run)
{
    run->whole = true;
    for (size_t i = 0; i < run->affected_count; i++)
        for (size_t j = 0; j < run->affected[i]->candidate_count; j++)
            run->affected[i]->candidates[j].untouched = false;
}
