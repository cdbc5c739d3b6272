/* types.c - see types.h. */
#include "cli/build/types.h"

#include <stdlib.h>

int types_check(const struct types_question *question, struct types_notes *notes,
                struct refusal *why)
{
    (void)question;
    (void)notes;
    (void)why;
    return 0;
}

void types_notes_free(struct types_notes *notes)
{
    for (size_t i = 0; i < notes->count; i++)
        free(notes->list[i]);
    free(notes->list);
    *notes = (struct types_notes){0};
}

enum types_prototype types_prototype(const struct object_dwarf *old_dwarf, struct dwarf_place old,
                                     const struct object_dwarf *new_dwarf, struct dwarf_place new,
                                     char **old_text, char **new_text)
{
    (void)old_dwarf;
    (void)new_dwarf;
    (void)old;
    (void)new;
    if (old_text)
        *old_text = NULL;
    if (new_text)
        *new_text = NULL;
    return PROTOTYPE_UNKNOWN;
}

char *types_variable_difference(const struct object_dwarf *old_dwarf,
                                const struct dwarf_variable *old,
                                const struct object_dwarf *new_dwarf,
                                const struct dwarf_variable *new, bool *known)
{
    (void)old_dwarf;
    (void)new_dwarf;
    (void)old;
    (void)new;
    *known = false;
    return NULL;
}
