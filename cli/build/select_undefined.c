/* select_undefined.c - see select_undefined.h. */
#include "cli/build/select_undefined.h"

#include <elf.h>
#include <string.h>

#include "cli/build/select_evidence.h"

/* ---- another unit of the edit ---- */

static uint32_t defined_in(const struct object_view *view, const char *name)
{
    uint32_t symbol = rel_symbol_named(view->object, name);

    if (!symbol || !view->of_symbol[symbol] || view->object->symbols[symbol].binding == STB_LOCAL)
        return 0;
    return symbol;
}

static bool from_unit(struct selecting *selecting, uint32_t unit, const char *name,
                      struct symbol_choice *choice)
{
    for (uint32_t i = 0; i < selecting->count; i++) {
        const struct object_view *view = selecting->units[i].compare.after;
        uint32_t symbol = i == unit ? 0 : defined_in(view, name), entity;

        if (!symbol || view->object->symbols[symbol].type == STT_GNU_IFUNC)
            continue;
        entity = view->of_symbol[symbol] - 1;
        switch (selecting->decide(selecting, i, entity)) {
        case PLACE_HOST:
            *choice = selecting->units[i].hosts[entity];
            return true;
        case PLACE_OWN:
            *choice = (struct symbol_choice){.kind = CHOICE_UNIT, .unit = i, .symbol = symbol};
            return true;
        case PLACE_OPEN:
        case PLACE_REFUSED:
            return true;
        }
    }
    return false;
}

/* ---- the unedited object, and the binary ---- */

static bool from_evidence(const struct selecting *selecting, uint32_t unit, const char *name,
                          struct symbol_choice *choice)
{
    struct baseline_symbol evidence;

    if (!host_undefined(&selecting->units[unit].compare, name, &evidence))
        return false;
    /* An undefined weak symbol: another object may have it now. */
    if (evidence.has_address && !evidence.address)
        return false;
    return select_evidence(selecting->binary, &evidence, true, choice);
}

struct global_found {
    const struct binary_symbol *symbol;
    bool twice;
};

static int note_global(const struct binary_symbol *symbol, void *context)
{
    struct global_found *found = context;

    /* The linker makes local what no other object may see; STT_FILE "" is its own. */
    if (symbol->binding == STB_LOCAL && symbol->file && *symbol->file)
        return 0;
    if (found->symbol && found->symbol->address != symbol->address)
        found->twice = true;
    found->symbol = symbol;
    return 0;
}

/* Another object may define a symbol that a library exports. */
static bool is_preemptible(const struct binary *binary, const struct binary_symbol *symbol)
{
    const char *version;

    return !binary_is_program(binary) && symbol->visibility == STV_DEFAULT &&
           binary_import(binary, symbol->name, &version);
}

static bool from_binary(const struct selecting *selecting, const char *name,
                        struct symbol_choice *choice)
{
    struct global_found found = {0};

    binary_named(selecting->binary, name, note_global, &found);
    if (!found.symbol || found.twice || found.symbol->type == STT_GNU_IFUNC ||
        is_preemptible(selecting->binary, found.symbol))
        return false;
    *choice = (struct symbol_choice){
        .kind = found.symbol->type == STT_TLS ? CHOICE_TLS : CHOICE_HOST,
        .at = found.symbol->address,
    };
    return true;
}

static void by_dynamic_linker(const struct selecting *selecting, uint32_t unit, uint32_t symbol,
                              struct symbol_choice *choice)
{
    const struct rel_symbol *named = &selecting->units[unit].compare.after->object->symbols[symbol];
    const char *version = NULL;

    binary_import(selecting->binary, named->name, &version);
    *choice = (struct symbol_choice){
        .kind = CHOICE_DYNAMIC, .version = version, .weak = named->binding == STB_WEAK};
}

void select_undefined(struct selecting *selecting, uint32_t unit, uint32_t symbol)
{
    const char *name = selecting->units[unit].compare.after->object->symbols[symbol].name;
    struct symbol_choice choice = {.kind = CHOICE_DISCARDED};

    if (strcmp(name, "_GLOBAL_OFFSET_TABLE_") != 0 && !from_unit(selecting, unit, name, &choice) &&
        !from_evidence(selecting, unit, name, &choice) && !from_binary(selecting, name, &choice))
        by_dynamic_linker(selecting, unit, symbol, &choice);
    selecting->selection->units[unit].symbols[symbol] = choice;
}
