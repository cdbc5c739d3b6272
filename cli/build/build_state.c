/* build_state.c - see build_state.h. */
#include "cli/build/build_state.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output/output.h"

struct edit_step *build_step_of(const struct build_run *run, const char *real)
{
    for (size_t i = 0; i < run->step_count; i++)
        if (strcmp(run->steps[i].real, real) == 0)
            return &run->steps[i];
    return NULL;
}

bool build_removes(const struct build_run *run, const struct unit *unit)
{
    const struct edit_step *step = build_step_of(run, unit->real);

    return step && !step->file->new_text;
}

void build_note(struct build_run *run, const char *format, ...)
{
    struct build_result *result = run->result;
    va_list arguments;

    result->notes = reallocate(result->notes, (result->note_count + 1) * sizeof(*result->notes));
    va_start(arguments, format);
    result->notes[result->note_count++] = format_list(format, arguments);
    va_end(arguments);
}
