/*
 * import.c - import slots: the words of the main program's GOT that hold functions of other
 * objects (ELF, "Global Offset Table"; System V ABI AMD64, "Relocation Types").
 *
 * A word that ld.so has bound already holds the definition, the very one that ld.so found. A
 * word that is still to be bound lazily holds the address of the object's own PLT; its slot's
 * base stays 0 until a transaction needs it, and is then found as ld.so would (transaction.c).
 */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "relocations.h"
#include "slot.h"

static struct slot *same_import(const struct object *object, const struct image_symbol *symbol)
{
    for (struct slot *slot = slots_first(); slot; slot = slot->next) {
        if (slot->kind != SLOT_IMPORT || slot->object != object ||
            strcmp(slot->name, symbol->name) != 0)
            continue;
        if (!slot->version_name == !symbol->version &&
            (!symbol->version || strcmp(slot->version_name, symbol->version) == 0))
            return slot;
    }
    return NULL;
}

/* Only functions; an import's st_info may be STT_NOTYPE, then the definition decides, and
 * what is not code is left out by the caller's look at the word. */
static bool is_function_import(const struct image_relocation *relocation)
{
    uint8_t type = relocation->symbol.type;

    return relocation->has_symbol && !relocation->symbol.defined && relocation->addend == 0 &&
           (relocation->type == R_X86_64_JUMP_SLOT || relocation->type == R_X86_64_GLOB_DAT) &&
           (type == STT_FUNC || type == STT_GNU_IFUNC);
}

static int add(const struct image_relocation *relocation, void *context)
{
    struct object *object = context;
    uintptr_t *word = (uintptr_t *)(object->bias + relocation->where);
    uintptr_t value;
    struct slot *slot;

    if (!is_function_import(relocation))
        return 0;
    value = __atomic_load_n(word, __ATOMIC_ACQUIRE);
    if (value == 0)
        return 0; /* a weak import that nobody defines */
    slot = same_import(object, &relocation->symbol);
    if (!slot) {
        slot = slot_new(SLOT_IMPORT, HOTPATCH_KIND_FUNCTION, relocation->symbol.name, NULL);
        if (!slot)
            return -1;
        slot->object = object;
        if (relocation->symbol.version)
            slot->version_name = strdup(relocation->symbol.version);
        slot_register(slot);
    }
    if (slot->base == 0 && (value < object->begin || value >= object->end))
        slot->base = slot->fallback = slot->live = value;
    return slot_add_word(slot, word, relocation->relro);
}

int imports_read(struct object *object)
{
    struct elf_fault fault;
    int result;

    if (object->imports_read || object->is_ours || !object->image)
        return 0;
    result = image_relocations(object->image, add, object, &fault);
    if (result < 0 && !object->problem)
        object->problem = strdup(fault.text);
    object->imports_read = true;
    return 0;
}
