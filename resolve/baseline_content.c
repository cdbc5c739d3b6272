/*
 * baseline_content.c - see baseline_content.h.
 *
 * A linker merges equal strings and constants, and puts one string into the end of another: so content is compared, not
 * place. A constant without a name reaches to the next one that anything refers to.
 */
#include "resolve/baseline_content.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Constants that refer to constants: a bound on the depth. */
enum { DEPTH_MAX = 32 };

static bool is_merged(const struct rel_section *section)
{
    return section->flags & SHF_MERGE && section->entry_size > 0;
}

/* Return whether no code writes to the section when the program runs. */
static bool is_constant_section(const struct rel_section *section)
{
    return section->flags & SHF_ALLOC && !(section->flags & SHF_EXECINSTR) &&
           (!(section->flags & SHF_WRITE) || strncmp(section->name, ".data.rel.ro", 12) == 0);
}

/* ------------------------------------------------------- bounds --- */

static int compare_bounds(const void *a, const void *b)
{
    const struct content_bound *first = a, *second = b;

    if (first->section != second->section)
        return first->section < second->section ? -1 : 1;
    return first->offset < second->offset ? -1 : first->offset > second->offset;
}

/* Find the place of a relocation whose symbol is a section or a label. In code the field stands at the instruction's end
 * in all but a few cases; then the place is some bytes too low, which makes one constant shorter. */
static bool bound_of(const struct rel_object *object, const struct rel_section *section,
                     const struct rel_relocation *relocation, struct content_bound *out)
{
    const struct rel_symbol *symbol = &object->symbols[relocation->symbol];
    struct arch_thin kind = arch_thin(relocation->type);
    bool code = section->flags & SHF_EXECINSTR;

    if (!rel_symbol_placed(symbol) || (symbol->type != STT_SECTION && !is_label_name(symbol->name)))
        return false;
    const struct rel_section *target = &object->sections[symbol->section];
    if (target->flags & SHF_EXECINSTR || is_merged(target))
        return false;
    *out = (struct content_bound){symbol->section, symbol->value + (uint64_t)relocation->addend +
                                                       (code && kind.relative ? kind.size : 0)};
    return true;
}

int content_index(struct baseline_work *work)
{
    const struct rel_object *object = work->object;
    size_t capacity = 0;

    for (uint32_t i = 1; i < object->section_count; i++) {
        if (object->sections[i].flags & SHF_ALLOC)
            capacity += object->sections[i].relocation_count;
    }
    work->bounds = calloc(capacity + 1, sizeof *work->bounds);
    if (!work->bounds)
        return -1;
    for (uint32_t i = 1; i < object->section_count; i++) {
        const struct rel_section *section = &object->sections[i];
        for (size_t r = 0; section->flags & SHF_ALLOC && r < section->relocation_count; r++)
            work->bound_count += bound_of(object, section, &section->relocations[r],
                                          &work->bounds[work->bound_count]);
    }
    qsort(work->bounds, work->bound_count, sizeof *work->bounds, compare_bounds);
    return 0;
}

/* Return the first bound after `offset`, or the section's end. */
static uint64_t next_bound(const struct baseline_work *work, uint32_t section, uint64_t offset)
{
    uint64_t end = work->object->sections[section].size;
    size_t low = 0, high = work->bound_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct content_bound *bound = &work->bounds[middle];
        if (bound->section < section || (bound->section == section && bound->offset <= offset))
            low = middle + 1;
        else
            high = middle;
    }
    if (low < work->bound_count && work->bounds[low].section == section &&
        work->bounds[low].offset < end)
        return work->bounds[low].offset;
    return end;
}

/* Return the first symbol with a name after `offset`, or `end`. */
static uint64_t next_named_symbol(const struct baseline_work *work, uint32_t section,
                                  uint64_t offset, uint64_t end)
{
    struct rel_symbols symbols = rel_section_symbols(work->object, section);

    for (size_t i = 0; i < symbols.count; i++) {
        uint64_t value = work->object->symbols[symbols.indexes[i]].value;
        if (value > offset && value < end)
            return value;
    }
    return end;
}

/* ------------------------------------------------------- extents --- */

/* Return the length of a string of characters of `unit` bytes, its NUL included. */
static uint64_t string_length(const uint8_t *bytes, uint64_t room, uint64_t unit)
{
    static const uint8_t zeros[8];
    uint64_t at = 0;

    while (at + unit <= room && unit <= sizeof zeros && memcmp(bytes + at, zeros, unit) != 0)
        at += unit;
    return at + unit <= room ? at + unit : room;
}

/*
 * Leave out zeros at the end: padding, or a constant that nothing refers to any more. A NULL that ends an array of
 * pointers is compared.
 */
static uint64_t without_zeros(const struct rel_section *section, uint64_t offset, uint64_t length)
{
    enum { KEPT = 8 };
    uint64_t begin = offset, end = offset + length, zeros = end;
    size_t count;
    const struct rel_relocation *relocations = rel_relocations_in(section, offset, length, &count);

    if (!section->bytes)
        return length;
    if (count > 0)
        begin = relocations[count - 1].offset + arch_thin(relocations[count - 1].type).size;
    while (zeros > begin && section->bytes[zeros - 1] == 0)
        zeros--;
    uint64_t kept = end - zeros > section->align ? KEPT : zeros == offset;
    return end - zeros > kept ? zeros + kept - offset : length;
}

static uint64_t content_length(const struct baseline_work *work, uint32_t index, uint64_t offset)
{
    const struct rel_section *section = &work->object->sections[index];
    uint64_t room = section->size - offset;

    if (is_merged(section) && section->flags & SHF_STRINGS && section->bytes)
        return string_length(section->bytes + offset, room, section->entry_size);
    if (is_merged(section)) {
        uint64_t rest = section->entry_size - offset % section->entry_size;
        return rest < room ? rest : room;
    }
    uint64_t end = next_named_symbol(work, index, offset, next_bound(work, index, offset));
    return without_zeros(section, offset, end - offset);
}

/* ------------------------------------------------------- bytes --- */

static bool is_all_zero(const uint8_t *bytes, uint64_t length)
{
    return length == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, length - 1) == 0);
}

/* Compare bytes without relocations. What is not in a file is zero: .bss. */
static bool same_plain_bytes(const struct baseline_work *work, const struct rel_section *section,
                             uint64_t offset, uint64_t length, uint64_t address)
{
    size_t there;
    const uint8_t *bytes = section->bytes ? section->bytes + offset : NULL;
    const uint8_t *other = binary_bytes(work->binary, address, &there);

    if (length == 0)
        return true;
    if (!binary_has(work->binary, address, length))
        return false;
    if (there > length)
        there = length;
    if (there > 0 && !(bytes ? memcmp(bytes, other, there) == 0 : is_all_zero(other, there)))
        return false;
    return !bytes || is_all_zero(bytes + there, length - there);
}

static bool same_content(struct baseline_work *work, uint32_t index, uint64_t offset,
                         uint64_t length, uint64_t address)
{
    const struct rel_section *section = &work->object->sections[index];
    size_t count;
    const struct rel_relocation *relocations = rel_relocations_in(section, offset, length, &count);
    uint64_t at = offset;

    for (size_t i = 0; i < count; i++) {
        const struct rel_relocation *relocation = &relocations[i];
        uint64_t field = relocation->offset;
        if (field > at && !same_plain_bytes(work, section, at, field - at, address + (at - offset)))
            return false;
        if (work->check_data(work, relocation, address + (field - offset), field - offset))
            return false;
        at = field + arch_thin(relocation->type).size;
    }
    return at >= offset + length ||
           same_plain_bytes(work, section, at, offset + length - at, address + (at - offset));
}

/* ------------------------------------------------------- what has been compared --- */

static size_t seen_slot(const struct baseline_work *work, uint32_t section, uint64_t offset,
                        uint64_t address)
{
    uint64_t hash = (offset * 31 + section) * UINT64_C(0x9e3779b97f4a7c15) + address;
    size_t at = (hash ^ hash >> 29) & (work->seen_size - 1);

    while (work->seen[at].section &&
           (work->seen[at].section != section || work->seen[at].offset != offset ||
            work->seen[at].address != address))
        at = (at + 1) & (work->seen_size - 1);
    return at;
}

static bool seen_grow(struct baseline_work *work)
{
    struct seen_content *old = work->seen;
    size_t old_size = work->seen_size;

    if (2 * (work->seen_count + 1) <= old_size)
        return true;
    work->seen_size = old_size ? 2 * old_size : 512;
    work->seen = calloc(work->seen_size, sizeof *work->seen);
    if (!work->seen) {
        work->seen = old;
        work->seen_size = old_size;
        work->no_memory = true;
        return false;
    }
    for (size_t i = 0; i < old_size; i++) {
        if (old[i].section)
            work->seen[seen_slot(work, old[i].section, old[i].offset, old[i].address)] = old[i];
    }
    free(old);
    return true;
}

/* Compare once; what is being compared counts as equal, so that rings end. */
static bool compare_once(struct baseline_work *work, uint32_t section, uint64_t offset,
                         uint64_t length, uint64_t address)
{
    if (!seen_grow(work))
        return false;
    size_t slot = seen_slot(work, section, offset, address);
    if (work->seen[slot].section)
        return work->seen[slot].equal;
    work->seen[slot] = (struct seen_content){section, true, offset, address};
    work->seen_count++;
    if (work->depth >= DEPTH_MAX)
        return true;
    bool outer = work->content;
    work->content = false;
    work->depth++;
    bool equal = same_content(work, section, offset, length, address) && !work->content;
    work->depth--;
    work->content = outer;
    work->seen[seen_slot(work, section, offset, address)].equal = equal;
    return equal;
}

static void content_differs(struct baseline_work *work, const char *what, uint64_t address)
{
    if (!work->content)
        snprintf(work->content_reason, sizeof work->content_reason,
                 "%.100s at 0x%llx of the binary is not what the source gives", what,
                 (unsigned long long)address);
    work->content = true;
}

void content_check(struct baseline_work *work, uint32_t section, uint64_t offset, uint64_t address)
{
    if (offset >= work->object->sections[section].size)
        return; /* one past the end, as the end of an array */
    if (!compare_once(work, section, offset, content_length(work, section, offset), address))
        content_differs(work, work->object->sections[section].name, address);
}

bool content_is_same(struct baseline_work *work, uint32_t symbol, uint64_t address)
{
    const struct rel_symbol *named = &work->object->symbols[symbol];

    return binary_has(work->binary, address, named->size) &&
           compare_once(work, named->section, named->value, named->size, address);
}

void content_check_named(struct baseline_work *work, uint32_t symbol, uint64_t address)
{
    const struct rel_symbol *named = &work->object->symbols[symbol];

    if (!rel_symbol_placed(named) || named->size == 0 ||
        !is_constant_section(&work->object->sections[named->section]) ||
        !binary_has(work->binary, address, named->size))
        return;
    if (!compare_once(work, named->section, named->value, named->size, address))
        content_differs(work, named->name, address);
}
