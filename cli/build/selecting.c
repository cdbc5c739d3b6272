/* selecting.c - see selecting.h. */
#include "cli/build/selecting.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/build/entity_names.h"

void selecting_note(struct selecting *selecting, const char *format, ...)
{
    struct selection *selection = selecting->selection;
    char **larger = realloc(selection->notes, (selection->note_count + 1) * sizeof(*larger));
    va_list arguments;
    int length;

    if (!larger) {
        selecting->no_memory = true;
        return;
    }
    selection->notes = larger;
    va_start(arguments, format);
    length = vasprintf(&larger[selection->note_count], format, arguments);
    va_end(arguments);
    if (length < 0)
        selecting->no_memory = true;
    else
        selection->note_count++;
}

void selecting_refuse(struct selecting *selecting, enum error_code code, uint32_t unit,
                      uint32_t entity, const char *format, ...)
{
    const struct placing_unit *of = &selecting->units[unit];
    char text[1024], where[512];
    va_list arguments;

    entity_where(of->compare.after, &of->compare.after->entities[entity], where, sizeof(where));
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    refuse(selecting->why, code, "%s: %s", *where ? where : of->compare.unit->source, text);
}
