/*
 * import.c - import slots: the words of every object that ld.so fills with functions, by
 * JUMP_SLOT, GLOB_DAT and R_X86_64_64 relocations (System V ABI AMD64, "Relocation Types").
 *
 * One slot is one definition under one name; all words that ld.so bound to it switch together. A
 * word that is bound tells its definition itself. One that is not holds its own object's PLT
 * stub, and in a non-PIE process a library's word may hold the executable's PLT entry
 * (gABI, "Function Addresses"): then the definition is looked up as ld.so would, in the global
 * scope first and in the importer's own after it.
 */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "relocations.h"
#include "scope.h"
#include "slot.h"

static bool all_read;

/* ---- the definition of a word ---- */

struct definition {
    struct object *object;
    uint64_t value; /* st_value */
    bool indirect;  /* STT_GNU_IFUNC: the word holds what its resolver chose */
};

static bool is_function(const struct image_symbol *symbol)
{
    return symbol->type == STT_FUNC || symbol->type == STT_GNU_IFUNC;
}

struct by_value {
    const char *name;
    uint64_t value;
    bool found;
};

static int match_value(const struct image_symbol *symbol, void *context)
{
    struct by_value *wanted = context;

    if (!symbol->dynamic)
        return 1;
    wanted->found = symbol->defined && symbol->value == wanted->value && is_function(symbol) &&
                    strcmp(symbol->name, wanted->name) == 0;
    return wanted->found;
}

/* Another version of the name than the default one. */
static bool defines_at(const struct object *object, const char *name, uint64_t value)
{
    struct by_value wanted = {name, value, false};
    struct elf_fault fault;

    image_symbols(object->image, match_value, &wanted, &fault);
    return wanted.found;
}

/* The object that a bound word points into defines the name there, or has an IFUNC of it. */
static bool bound_definition(const char *name, uintptr_t value, struct definition *out)
{
    struct object *object = object_at(value);
    struct image_symbol symbol;

    if (!object || !object->image || !image_symbol(object->image, name, &symbol) ||
        !is_function(&symbol))
        return false;
    out->object = object;
    out->indirect = symbol.type == STT_GNU_IFUNC;
    out->value = symbol.value;
    if (out->indirect || object->bias + symbol.value == value)
        return true;
    out->value = value - object->bias;
    return defines_at(object, name, out->value);
}

static bool looked_up_definition(struct object *importer, const struct image_symbol *import,
                                 struct definition *out)
{
    struct image_symbol symbol;

    out->object = scope_find(importer, import->name, import->version, &symbol);
    if (!out->object || !is_function(&symbol))
        return false;
    out->indirect = symbol.type == STT_GNU_IFUNC;
    out->value = symbol.value;
    return true;
}

/* A word that still leads to a PLT: the importer's own, or the executable's. */
static bool leads_to_plt(const struct object *importer, uintptr_t value)
{
    const struct object *program = object_program();

    return (value >= importer->begin && value < importer->end) ||
           (value >= program->begin && value < program->end);
}

/* ---- slots ---- */

static struct slot *slot_of(const char *name, const char *version,
                            const struct definition *definition)
{
    struct slot *slot;

    for (slot = slots_named(name); slot; slot = slot->next_in_bucket)
        if (slot->kind == SLOT_IMPORT && slot->object == definition->object &&
            slot->definition == definition->value && strcmp(slot->name, name) == 0)
            return slot;
    slot = slot_new(SLOT_IMPORT, HOTPATCH_KIND_FUNCTION, name, NULL);
    if (!slot)
        return NULL;
    slot->object = definition->object;
    slot->definition = definition->value;
    slot->version_name = version ? strdup(version) : NULL;
    if (!definition->indirect)
        slot->base = definition->object->bias + definition->value;
    slot->fallback = slot->live = slot->base;
    slot_register(slot);
    return slot;
}

/* Only functions: an import's own st_info may be STT_NOTYPE, then its definition decides. */
static bool is_candidate(const struct image_relocation *relocation)
{
    uint8_t type = relocation->symbol.type;

    return relocation->has_symbol && relocation->addend == 0 && *relocation->symbol.name &&
           (relocation->type == R_X86_64_JUMP_SLOT || relocation->type == R_X86_64_GLOB_DAT ||
            relocation->type == R_X86_64_64) &&
           (type == STT_FUNC || type == STT_GNU_IFUNC || type == STT_NOTYPE);
}

/* ld.so lists an object before it relocates it: then its words hold nothing yet, or addresses
 * without load bias. */
static bool is_unrelocated(const struct image_relocation *relocation, uintptr_t value)
{
    if (value == 0)
        return relocation->symbol.binding != STB_WEAK;
    return relocation->type == R_X86_64_JUMP_SLOT && !object_at(value);
}

enum { PENDING = 1 };

static int add(const struct image_relocation *relocation, void *context)
{
    struct object *object = context;
    struct word word = {.address = (uintptr_t *)(object->bias + relocation->where),
                        .object = object,
                        .protect = relocation->relro,
                        .pointer = relocation->type == R_X86_64_64 && !relocation->relro};
    struct definition definition;
    uintptr_t value;
    bool bound;
    struct slot *slot;

    if (!is_candidate(relocation))
        return 0;
    value = __atomic_load_n(word.address, __ATOMIC_ACQUIRE);
    if (is_unrelocated(relocation, value))
        return PENDING;
    if (value == 0)
        return 0; /* a weak import that nobody defines */
    bound = bound_definition(relocation->symbol.name, value, &definition);
    if (!bound && (!leads_to_plt(object, value) ||
                   !looked_up_definition(object, &relocation->symbol, &definition)))
        return 0; /* the program's own doing */
    slot = slot_of(relocation->symbol.name, relocation->symbol.version, &definition);
    if (!slot)
        return -1;
    if (bound && slot->base == 0)
        slot->base = slot->fallback = slot->live = value;
    if (slot->layer_count > 0)
        slot->extended = true;
    return slot_add_word(slot, &word);
}

int imports_read_new(struct object *object)
{
    struct elf_fault fault = {0};
    int result;

    if (!all_read || object->imports_read || object->is_ours || !object->image)
        return 0;
    result = image_relocations(object->image, add, object, &fault);
    object->imports_read = result != PENDING;
    if (result == PENDING)
        slots_drop_words(object); /* all of them at a later look */
    if (result >= 0)
        return 0;
    if (fault.code == ELF_OK || fault.code == ELF_NO_MEMORY)
        return -1;
    if (!object->problem)
        object->problem = strdup(fault.text);
    return 0;
}

int imports_read_all(void)
{
    all_read = true;
    for (struct object *o = objects_first(); o; o = o->next)
        if (imports_read_new(o) != 0)
            return -1;
    return 0;
}

/* ---- who ---- */

bool import_is_used(const struct slot *slot)
{
    for (size_t i = 0; i < slot->word_count; i++)
        if (!slot->words[i].object->module)
            return true;
    return false;
}

static bool matches(const struct object *object, const struct target *target)
{
    return target_object_matches(target, object->is_program, object->path, object->soname,
                                 object->name_space);
}

bool import_is_defined_in(const struct slot *slot, const struct target *target)
{
    return matches(slot->object, target);
}

bool import_is_used_in(const struct slot *slot, const struct target *target)
{
    for (size_t i = 0; i < slot->word_count; i++)
        if (!slot->words[i].object->module && matches(slot->words[i].object, target))
            return true;
    return false;
}
