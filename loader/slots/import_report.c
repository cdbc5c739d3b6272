/* import_report.c - see import_report.h. */
#include "loader/slots/import_report.h"

#include "loader/objects/object.h"
#include "loader/slots/module_state.h"

static bool is_first_of_object(const struct slot *slot, size_t word)
{
    for (size_t i = 0; i < word; i++)
        if (slot->words[i].object == slot->words[word].object)
            return false;
    return true;
}

/* List each object whose words are switched. A patch that is not live is omitted. */
static void each_importer(const void *of, reported_name_fn *put, void *context)
{
    const struct slot *slot = of;

    for (size_t i = 0; i < slot->word_count; i++) {
        const struct module *module = slot->words[i].object->module;

        if (is_first_of_object(slot, i) && (!module || module->live))
            put(context, object_name(slot->words[i].object));
    }
}

void import_report(const struct slot *slot, struct reported_slot *report, reported_slot_fn *put,
                   struct reported_text *text, void *context)
{
    const struct reported_import import = {.definition = object_name(slot->object),
                                           .importers = {each_importer, slot},
                                           .words_live = slot->words_live};

    report->import = &import; /* cppcheck-suppress autoVariables ; put() alone reads it */
    put(context, report, text);
    report->import = NULL;
}
