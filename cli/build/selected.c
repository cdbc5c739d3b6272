/* selected.c - see selected.h. */
#include "cli/build/selected.h"

#include <stdlib.h>

#include "elf/rel_object.h"

void selection_free(struct selection *selection)
{
    if (!selection)
        return;
    for (size_t i = 0; i < selection->unit_count; i++) {
        struct selected_unit *unit = &selection->units[i];

        for (size_t k = 0; unit->symbols && k < unit->object->symbol_count; k++)
            free(unit->symbols[k].keep);
        free(unit->sections);
        free(unit->symbols);
    }
    for (size_t i = 0; i < selection->function_count; i++) {
        free(selection->functions[i].why);
        free(selection->functions[i].signature);
    }
    for (size_t i = 0; i < selection->note_count; i++)
        free(selection->notes[i]);
    free(selection->units);
    free(selection->functions);
    free(selection->privates);
    free(selection->olds);
    free(selection->notes);
    free(selection);
}
