/* thin_made.c - see thin_made.h. */
#include "tests/support/thin_made.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/refusal.h"
#include "base/text.h"
#include "cli/build/call_signature.h"
#include "cli/build/object_dwarf.h"
#include "cli/build/selection.h"
#include "cli/build/thin_write.h"
#include "elf/image.h"
#include "elf/rel_object_read.h"
#include "elf/symbols.h"
#include "tests/support/files.h"
#include "tests/support/harness.h"

struct making {
    struct image *target;
    struct rel_object *object;
    struct object_dwarf *dwarf;
    struct selected_unit unit;
    const char *const *functions;
};

struct wanted {
    const char *name;
    struct image_symbol found;
    bool any;
};

static int compare_name(const struct image_symbol *symbol, void *context)
{
    struct wanted *wanted = context;
    size_t length = strcspn(symbol->name, "@"); /* .symtab: "stdout@GLIBC_2.2.5" */

    if (!symbol->defined || strlen(wanted->name) != length ||
        strncmp(symbol->name, wanted->name, length) != 0)
        return 0;
    wanted->found = *symbol;
    wanted->any = true;
    return 0;
}

static bool in_target(const struct making *making, const char *name, struct image_symbol *found)
{
    struct wanted wanted = {.name = name};
    struct elf_error error;

    if (!*name || image_symbols(making->target, compare_name, &wanted, &error) < 0 || !wanted.any)
        return false;
    *found = wanted.found;
    return true;
}

static bool is_wanted(const struct making *making, const char *name)
{
    for (size_t i = 0; making->functions[i]; i++)
        if (strcmp(making->functions[i], name) == 0)
            return true;
    return false;
}

/* Return the index of the symbol that names a section's data or function; 0: none. */
static uint32_t names_section(const struct making *making, uint32_t section)
{
    struct rel_symbols symbols = rel_section_symbols(making->object, section);

    for (size_t i = 0; i < symbols.count; i++)
        if (making->object->symbols[symbols.indexes[i]].value == 0 &&
            making->object->symbols[symbols.indexes[i]].type != STT_NOTYPE)
            return symbols.indexes[i];
    return 0;
}

/* Place what a placed section refers to and the target does not have. Return whether a section was added. */
static bool place_referred(struct making *making, uint32_t from)
{
    const struct rel_section *section = &making->object->sections[from];
    bool added = false;

    for (size_t i = 0; i < section->relocation_count; i++) {
        const struct rel_symbol *to = &making->object->symbols[section->relocations[i].symbol];
        uint32_t name = rel_symbol_placed(to) ? names_section(making, to->section) : 0;
        struct image_symbol found;

        if (!rel_symbol_placed(to) || making->unit.sections[to->section] ||
            (name && in_target(making, making->object->symbols[name].name, &found)))
            continue;
        making->unit.sections[to->section] = added = true;
    }
    return added;
}

static void place_sections_of(struct making *making)
{
    const struct rel_object *object = making->object;
    bool added = true;

    making->unit.sections = calloc(object->section_count + 1, sizeof(bool));
    for (size_t i = 1; i < object->symbol_count; i++)
        if (object->symbols[i].type == STT_FUNC && rel_symbol_placed(&object->symbols[i]) &&
            is_wanted(making, object->symbols[i].name))
            making->unit.sections[object->symbols[i].section] = true;
    while (added) {
        added = false;
        for (uint32_t i = 1; i < object->section_count; i++)
            if (making->unit.sections[i])
                added |= place_referred(making, i);
    }
}

static char *key_of(const struct making *making, const struct rel_symbol *symbol)
{
    const struct rel_section *section = &making->object->sections[symbol->section];

    if (!(section->flags & SHF_WRITE) || strncmp(section->name, ".data.rel.ro", 12) == 0 ||
        symbol->value != 0 || symbol->type != STT_OBJECT)
        return NULL;
    return text_format("%s %s %llu", making->object->file, symbol->name,
                       (unsigned long long)symbol->size);
}

static void choose_own(const struct making *making, const struct rel_symbol *symbol,
                       struct symbol_choice *choice)
{
    struct image_symbol found;

    choice->kind = CHOICE_OWN;
    choice->keep = key_of(making, symbol);
    choice->has_host = symbol->type == STT_FUNC && in_target(making, symbol->name, &found) &&
                       found.type == STT_FUNC;
    choice->host = choice->has_host ? found.value : 0;
}

static void choose_symbol(const struct making *making, uint32_t index, struct symbol_choice *choice)
{
    const struct rel_symbol *symbol = &making->object->symbols[index];
    const char *name = symbol->name;
    struct image_symbol found;
    bool placed = rel_symbol_placed(symbol);

    choice->kind = CHOICE_DISCARDED;
    if (placed && making->unit.sections[symbol->section]) {
        choose_own(making, symbol, choice);
        return;
    }
    if (placed && symbol->type == STT_SECTION)
        name = making->object->symbols[names_section(making, symbol->section)].name;
    if (*name && in_target(making, name, &found)) {
        choice->kind = found.type == STT_TLS ? CHOICE_TLS : CHOICE_HOST;
        choice->at = found.value;
    } else if (!placed && symbol->section == REL_UNDEFINED) {
        choice->kind = CHOICE_DYNAMIC;
        choice->weak = symbol->binding == STB_WEAK;
    }
}

static void choose_functions(const struct making *making, struct selection *selection)
{
    for (uint32_t i = 1; i < making->object->symbol_count; i++) {
        const struct rel_symbol *symbol = &making->object->symbols[i];
        struct image_symbol found;

        if (symbol->type != STT_FUNC || !is_wanted(making, symbol->name) ||
            !in_target(making, symbol->name, &found))
            continue;
        selection->functions = realloc(selection->functions, (selection->function_count + 1) *
                                                                 sizeof(*selection->functions));
        selection->functions[selection->function_count++] = (struct selected_function){
            .symbol = i,
            .replaces = true,
            .host = found.value,
            .host_size = found.size,
            .name = symbol->name,
            .source = making->object->file,
            .signature = call_signature(making->dwarf, symbol->section, symbol->value)};
    }
}

static void write_made(struct making *making, const char *out, const struct thin_meta *meta)
{
    struct selection selection = {.units = &making->unit, .unit_count = 1};
    struct refusal why = {0};

    making->unit.object = making->object;
    making->unit.source = making->object->file;
    making->unit.symbols = calloc(making->object->symbol_count + 1, sizeof(struct symbol_choice));
    place_sections_of(making);
    for (uint32_t i = 1; i < making->object->symbol_count; i++)
        choose_symbol(making, i, &making->unit.symbols[i]);
    choose_functions(making, &selection);
    if (thin_write(out, &selection, meta, &why) != 0)
        fail_msg("write %s: %s", out, refusal_text(&why, 0));
    for (size_t i = 0; i < making->object->symbol_count; i++)
        free(making->unit.symbols[i].keep);
    free(making->unit.symbols);
    free(making->unit.sections);
    for (size_t i = 0; i < selection.function_count; i++)
        free(selection.functions[i].signature);
    free(selection.functions);
}

void thin_make(const char *out, const char *name, const char *target, const char *object,
               const char *const *functions)
{
    struct file target_file = file_read(target), object_file = file_read(object);
    struct making making = {.functions = functions};
    struct refusal why = {0};
    struct elf_error error;

    if (image_open(&making.target, target_file.bytes, target_file.size, 0, &error) != 0 ||
        rel_object_open(&making.object, object_file.bytes, object_file.size, &error) != 0)
        fail_msg("%s, %s: %s", target, object, error.text);
    if (object_dwarf_open(&making.dwarf, object, making.object, &why) != 0)
        fail_msg("%s: %s", object, refusal_text(&why, 0));
    write_made(&making, out,
               &(struct thin_meta){.name = name,
                                   .version = "1",
                                   .target_path = target,
                                   .build_id = image_build_id(making.target)});
    image_close(making.target);
    object_dwarf_close(making.dwarf);
    rel_object_close(making.object);
    file_free(&target_file);
    file_free(&object_file);
}
