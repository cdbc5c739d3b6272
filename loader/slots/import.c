/*
 * import.c - import slots: the words of every object that ld.so fills with functions by JUMP_SLOT, GLOB_DAT and ADDRESS
 * relocations (arch/relocation.h); see import.h.
 *
 * A slot is one definition under one name. All words that ld.so bound to the definition switch together. A bound word
 * holds the address of its definition. A word that is not bound holds the address of its own object's PLT stub. In a
 * non-PIE process a library's word may hold the executable's PLT entry (gABI, "Function Addresses"). For such words the
 * definition is looked up as ld.so does, first in the global scope and then in the importer's own scope.
 */
#include "loader/slots/import.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "arch/plt.h"
#include "base/text.h"
#include "elf/image_bytes.h"
#include "elf/relocations.h"
#include "loader/objects/object_meant.h"
#include "loader/objects/program_plt.h"
#include "loader/objects/scope.h"
#include "loader/slots/change.h"
#include "loader/slots/import_report.h"

/* Objects have thousands of words and a patch names few. So only words of names that were asked for are read, until a
 * request lists all words. */
static bool all_wanted;
static char **wanted;
static size_t wanted_count;
static bool expect_new; /* objects may have wanted words that are not read yet */

/* ---- the definition of a word ---- */

struct definition {
    struct object *object;
    uint64_t value; /* st_value */
    bool indirect;  /* STT_GNU_IFUNC: the word holds the address that the resolver chose */
};

static bool is_function(const struct image_symbol *symbol)
{
    return symbol->type == STT_FUNC || symbol->type == STT_GNU_IFUNC;
}

static int match_value(const struct image_symbol *symbol, void *context)
{
    const uint64_t *value = context;

    return symbol->value == *value && is_function(symbol);
}

/* Return whether the object defines the name at that value, in another version than the default version. */
static bool defines_at(const struct object *object, const char *name, uint64_t value)
{
    struct elf_error error;

    return image_symbols_named(object->image, name, match_value, &value, &error) == 1;
}

/*
 * Find the definition of a bound word: the object that the word points into defines the name there, or has an IFUNC of
 * that name. A word that points into its own object or into the program, and not at the name's definition, leads to a
 * PLT. Only for the other words another version of the name is searched, because that search takes long.
 */
static bool bound_definition(const struct object *importer, const char *name, uintptr_t value,
                             struct definition *out)
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
    if (object == importer || object->is_program)
        return false;
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

/* Return whether the word leads to the vDSO. No object is linked with the vDSO: the resolver of an indirect function,
 * such as libc's time(), stored the address, although the vDSO has a function of that name (vdso(7)). */
static bool leads_to_vdso(uintptr_t value)
{
    const struct object *object = object_at(value);

    return object && object->is_vdso;
}

/*
 * Find the definition of a word. The value of a bound word shows which function of an object it is, except for an
 * IFUNC: two versions of one name may have chosen one function, or functions without a name. For these, ld.so's own
 * rule decides which version it is.
 */
static bool find_definition(struct object *importer, const struct image_symbol *import,
                            uintptr_t value, struct definition *out, bool *bound)
{
    struct definition asked;

    if (leads_to_vdso(value) && looked_up_definition(importer, import, out)) {
        *bound = out->indirect;
        return true;
    }
    *bound = bound_definition(importer, import->name, value, out);
    if (!*bound)
        return looked_up_definition(importer, import, out);
    if (out->indirect && looked_up_definition(importer, import, &asked) &&
        asked.object == out->object)
        *out = asked;
    return true;
}

/* ---- words that lead to a PLT ---- */

/* Return whether the value is the address of a PLT stub. Return false also for an address between two segments: a word
 * may hold any value. */
static bool is_lazy_stub(const struct object *object, uintptr_t value)
{
    const uint8_t *code = image_bytes_at(object->image, value - object->bias, ARCH_LAZY_BYTES);

    return code && arch_is_lazy_plt(code);
}

bool import_is_unbound(const struct slot *slot, const struct word *word, uintptr_t value)
{
    const struct object *importer = word->object;

    if (slot->plt && value == slot->plt)
        return true;
    return word->lazy && value >= importer->begin && value < importer->end &&
           is_lazy_stub(importer, value);
}

/* ---- the kind ---- */

/* Return the value that the word must hold. A patch's own calls of a function that it replaces reach the code that was
 * there before any patch. HOTPATCH_ORIGINAL holds the value below the patch's layer. */
static uintptr_t word_value(const struct slot *slot, const struct layer *layers, size_t count,
                            uintptr_t live, const struct word *word)
{
    for (size_t i = 0; word->object->module && i < count; i++)
        if (layers[i].module == word->object->module)
            return slot->base;
    return live;
}

/* Return whether the word holds the value that was last stored or read there. A word that ld.so has bound since, or has
 * still to bind, holds the definition, or the address of a PLT entry: its object's, or in a non-PIE process the
 * program's. The program has stored any other value. */
static bool is_as_expected(const struct slot *slot, const struct word *word)
{
    uintptr_t now = __atomic_load_n(word->address, __ATOMIC_ACQUIRE);

    return now == slot->live || now == slot->base || import_is_unbound(slot, word, now);
}

/* Return whether the live value stays, and is only stored into words that came since. If the program has changed such a
 * word, the request is not refused. */
static bool only_extends(const struct change *change)
{
    return change->before == change->after && change->layer_count == change->slot->layer_count;
}

static bool may_be_kept(const struct change *change, const struct word *word)
{
    return word->pointer || only_extends(change);
}

static enum word_state import_word_state(const struct change *change, const struct word *word)
{
    if (is_as_expected(change->slot, word))
        return WORD_EXPECTED;
    return may_be_kept(change, word) ? WORD_KEPT : WORD_HOST_OWNED;
}

/* Store a word. A word of data is stored only if it holds the expected value, in one step with the comparison: the
 * program may write it at any moment. */
static bool import_store(const struct change *change, const struct word *word, bool hits)
{
    uintptr_t now = __atomic_load_n(word->address, __ATOMIC_ACQUIRE);
    uintptr_t value = change_word_value(change, word);
    bool may_be_overwritten;

    (void)hits;
    if (now == value)
        return false;
    may_be_overwritten = word->lazy && import_is_unbound(change->slot, word, now);
    if (!may_be_kept(change, word))
        __atomic_store_n(word->address, value, __ATOMIC_RELEASE);
    else if (is_as_expected(change->slot, word))
        __atomic_compare_exchange_n(word->address, &now, value, false, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE);
    return may_be_overwritten;
}

static const struct slot_ops import_ops = {.kind = SLOT_IMPORT,
                                           .of_importers = true,
                                           .word_value = word_value,
                                           .word_state = import_word_state,
                                           .store = import_store,
                                           .is_listed = import_is_used,
                                           .report = import_report};

/* ---- slots ---- */

static struct slot *import_slot(const char *name, const char *version,
                                const struct definition *definition)
{
    struct slot *slot;

    for (slot = slot_next_named(SLOT_IMPORT, name, NULL); slot;
         slot = slot_next_named(SLOT_IMPORT, name, slot))
        if (slot->object == definition->object && slot->definition == definition->value)
            return slot;
    slot = slot_new(&import_ops, HOTPATCH_KIND_FUNCTION, name, NULL);
    if (!slot)
        return NULL;
    slot->object = definition->object;
    slot->definition = definition->value;
    slot->version_name = text_copy(version);
    if (!definition->indirect)
        slot->base = definition->object->bias + definition->value;
    slot->fallback = slot->live = slot->base;
    slot->plt = program_plt(name);
    slot_register(slot);
    return slot;
}

/* Return whether the relocation may be that of a function. The st_info of an import may be STT_NOTYPE; its definition
 * decides then. */
static bool is_candidate(const struct image_relocation *relocation)
{
    uint8_t type = relocation->symbol.type;

    return relocation->has_symbol && relocation->addend == 0 && *relocation->symbol.name &&
           relocation_binds(relocation) &&
           (type == STT_FUNC || type == STT_GNU_IFUNC || type == STT_NOTYPE);
}

/* Return whether ld.so has listed the object and not yet relocated it: its words then hold 0, or addresses without load
 * bias. */
static bool is_unrelocated(const struct image_relocation *relocation, uintptr_t value)
{
    if (value == 0)
        return relocation->symbol.binding != STB_WEAK;
    return relocation->type == ARCH_RELOCATION_JUMP_SLOT && !object_at(value);
}

static bool is_among(const char *name, size_t begin, size_t end)
{
    for (size_t i = begin; i < end; i++)
        if (strcmp(wanted[i], name) == 0)
            return true;
    return false;
}

/* Return whether the name is wanted, and is not among the names that the object was read for before. */
static bool is_wanted(const struct object *object, const char *name)
{
    return all_wanted ? !is_among(name, 0, object->names_read)
                      : is_among(name, object->names_read, wanted_count);
}

enum { PENDING = 1 };

static int add_relocation(const struct image_relocation *relocation, void *context)
{
    struct object *object = context;
    struct word word = {.address = (uintptr_t *)(object->bias + relocation->where),
                        .object = object,
                        .protect = relocation->relro,
                        .pointer =
                            relocation->type == ARCH_RELOCATION_ADDRESS && !relocation->relro,
                        .lazy = relocation->type == ARCH_RELOCATION_JUMP_SLOT};
    struct definition definition;
    uintptr_t value;
    bool bound;
    struct slot *slot;

    if (!is_candidate(relocation) || !is_wanted(object, relocation->symbol.name))
        return 0;
    value = __atomic_load_n(word.address, __ATOMIC_ACQUIRE);
    if (is_unrelocated(relocation, value))
        return PENDING;
    if (value == 0)
        return 0; /* a weak import without a definition */
    if (!find_definition(object, &relocation->symbol, value, &definition, &bound))
        return 0;
    slot = import_slot(relocation->symbol.name, relocation->symbol.version, &definition);
    if (!slot)
        return -1;
    if (bound && slot->base == 0)
        slot->base = slot->fallback = slot->live = value;
    if (slot->layer_count > 0)
        slot->extended = true;
    return slot_add_word(slot, &word);
}

static int read_object(struct object *object)
{
    struct elf_error error = {0};
    int result;

    if (object->is_ours || !object->image || object->imports_read ||
        (!all_wanted && object->names_read == wanted_count))
        return 0;
    result = image_symbol_relocations(
        object->image,
        !all_wanted && wanted_count - object->names_read == 1 ? wanted[object->names_read] : NULL,
        add_relocation, object, &error);
    if (result == PENDING) {
        slots_drop_words(object); /* the next reading reads all words of the object again */
        object->names_read = 0;
        expect_new = true;
        return 0;
    }
    object->names_read = wanted_count;
    object->imports_read = all_wanted;
    if (result >= 0)
        return 0;
    if (error.code == ELF_OK || error.code == ELF_NO_MEMORY)
        return -1;
    if (!object->problem)
        object->problem = text_copy(error.text);
    object->imports_read = true;
    return 0;
}

void imports_expect_new(void)
{
    expect_new = true;
}

int imports_read_new(void)
{
    if (!expect_new || (!all_wanted && wanted_count == 0))
        return 0;
    expect_new = false;
    for (struct object *o = objects_first(); o; o = o->next)
        if (read_object(o) != 0)
            return -1;
    return 0;
}

/* Return whether the word holds the stored value, or the value that ld.so leaves if no layer is applied. */
static bool is_known_value(const struct slot *slot, const struct word *word)
{
    uintptr_t now = __atomic_load_n(word->address, __ATOMIC_ACQUIRE);

    return now == slot_word_value(slot, word) ||
           (slot->layer_count == 0 && (now == slot->base || import_is_unbound(slot, word, now)));
}

/* Forget the words of a library that was closed and opened again at its old place. ld.so has filled them again, or will
 * do so. They are read again like the words of a new object. */
void imports_recheck(struct object *object)
{
    for (const struct slot *slot = slots_of(SLOT_IMPORT); slot; slot = slot->next_of_kind)
        for (size_t i = 0; i < slot->word_count; i++)
            if (slot->words[i].object == object && !is_known_value(slot, &slot->words[i])) {
                slots_drop_words(object);
                object->names_read = 0;
                object->imports_read = false;
                expect_new = true;
                return;
            }
}

int imports_read_all(void)
{
    expect_new |= !all_wanted;
    all_wanted = true;
    return imports_read_new();
}

int imports_read_named(const char *name)
{
    char **longer;

    if (all_wanted || is_among(name, 0, wanted_count))
        return 0;
    longer = realloc(wanted, (wanted_count + 1) * sizeof(*wanted));
    if (!longer)
        return -1;
    wanted = longer;
    wanted[wanted_count] = text_copy(name);
    if (!wanted[wanted_count])
        return -1;
    wanted_count++;
    expect_new = true;
    return imports_read_new();
}

/* ---- imports that cannot be patched ---- */

struct unpatchable {
    struct object *object;
    import_refused_fn *each;
    void *context;
};

static const char *why_not(const struct image_relocation *relocation, const uintptr_t *word)
{
    uint8_t type = relocation->symbol.type;

    if (type == STT_OBJECT)
        return "data";
    if (type == STT_TLS)
        return "data of each thread";
    if (relocation->addend != 0)
        return "an address inside a function";
    if (relocation->symbol.binding == STB_WEAK && __atomic_load_n(word, __ATOMIC_RELAXED) == 0)
        return "weak, and nobody defines it";
    return NULL;
}

static bool imports_symbol(const struct image_relocation *relocation)
{
    return relocation_copies(relocation) ||
           (!relocation->symbol.defined && relocation_binds(relocation));
}

static int tell_unpatchable(const struct image_relocation *relocation, void *context)
{
    const struct unpatchable *tell = context;
    const char *why;

    if (!relocation->has_symbol || !*relocation->symbol.name || !imports_symbol(relocation))
        return 0;
    why = why_not(relocation, (const uintptr_t *)(tell->object->bias + relocation->where));
    if (why)
        tell->each(tell->object, &relocation->symbol, why, tell->context);
    return 0;
}

void imports_unpatchable(import_refused_fn *each, void *context)
{
    struct elf_error error;

    for (struct object *o = objects_first(); o; o = o->next) {
        struct unpatchable tell = {o, each, context};

        if (o->image && !o->is_ours && !o->module && !o->problem)
            image_symbol_relocations(o->image, NULL, tell_unpatchable, &tell, &error);
    }
}

/* ---- importers ---- */

bool import_is_used(const struct slot *slot)
{
    for (size_t i = 0; i < slot->word_count; i++)
        if (!slot->words[i].object->module && slot->words[i].object != slot->object)
            return true;
    return false;
}

bool import_is_defined_in(const struct slot *slot, const struct symbol_spec *target)
{
    return object_is_meant(slot->object, target);
}

bool import_is_used_in(const struct slot *slot, const struct symbol_spec *target)
{
    for (size_t i = 0; i < slot->word_count; i++)
        if (!slot->words[i].object->module && object_is_meant(slot->words[i].object, target))
            return true;
    return false;
}
