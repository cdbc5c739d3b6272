/* inlined_index.c - see inlined_index.h. */
#include "cli/debug/inlined_index.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "cli/debug/debug_names.h"
#include "cli/debug/dwarf_text.h"
#include "cli/debug/dwarf_units.h"
#include "cli/output/clock.h"
#include "cli/output/output.h"

#define DEPTH_MAX 200      /* of nested blocks; deeper ones are not compilers' */
#define CLOCK_INTERVAL 512 /* DIEs between looks at the time */
#define BUCKETS_FIRST 1024

struct coded {
    Dwarf_Addr address;
    Dwarf_Die die;
};

struct inlined_index {
    Dwarf *dwarf;
    const void **units; /* handles of those that were read by themselves */
    size_t unit_count;
    Dwarf_CU *last; /* the last of those that were read one after the other */
    bool all;
    struct inlined_copy *copies;
    size_t copy_count, copy_room;
    size_t *buckets; /* by name: the last copy; a power of two of them */
    size_t bucket_count;
    struct coded *functions; /* by address, once sorted */
    size_t function_count, function_room;
    bool sorted;
    uint64_t until;
    unsigned seen;
    bool late;
};

struct inlined_index *inlined_index_new(Dwarf *dwarf)
{
    struct inlined_index *index = allocate(sizeof(*index));

    *index = (struct inlined_index){.dwarf = dwarf};
    return index;
}

void inlined_index_free(struct inlined_index *index)
{
    if (!index)
        return;
    free(index->units);
    free(index->copies);
    free(index->buckets);
    free(index->functions);
    free(index);
}

static bool out_of_time(struct inlined_index *index)
{
    if (++index->seen % CLOCK_INTERVAL == 0 && now_ms() >= index->until)
        index->late = true;
    return index->late;
}

/* ------------------------------------------------------------ what was found --- */

static void link_copy(struct inlined_index *index, size_t i, const char *name)
{
    size_t *bucket = &index->buckets[debug_name_hash(name) & (index->bucket_count - 1)];

    index->copies[i].next = *bucket;
    *bucket = i;
}

static void grow_buckets(struct inlined_index *index)
{
    index->bucket_count = index->bucket_count ? index->bucket_count * 4 : BUCKETS_FIRST;
    index->buckets = reallocate(index->buckets, index->bucket_count * sizeof(*index->buckets));
    for (size_t i = 0; i < index->bucket_count; i++)
        index->buckets[i] = SIZE_MAX;
    for (size_t i = 0; i < index->copy_count; i++)
        link_copy(index, i, debug_die_name(&index->copies[i].origin));
}

static void index_copy(struct inlined_index *index, Dwarf_Die *origin, Dwarf_Die *call,
                       Dwarf_Die *function)
{
    const char *name = debug_die_name(origin);

    if (!name)
        return;
    if (index->copy_count == index->copy_room) {
        index->copy_room = index->copy_room ? index->copy_room * 2 : 256;
        index->copies = reallocate(index->copies, index->copy_room * sizeof(*index->copies));
    }
    if (index->copy_count >= index->bucket_count)
        grow_buckets(index);
    index->copies[index->copy_count] =
        (struct inlined_copy){.origin = *origin, .call = *call, .caller = debug_die_name(function)};
    link_copy(index, index->copy_count++, name);
}

static void index_function(struct inlined_index *index, Dwarf_Die *die, Dwarf_Addr address)
{
    if (index->function_count == index->function_room) {
        index->function_room = index->function_room ? index->function_room * 2 : 256;
        index->functions =
            reallocate(index->functions, index->function_room * sizeof(*index->functions));
    }
    index->functions[index->function_count++] = (struct coded){.address = address, .die = *die};
    index->sorted = false;
}

/* ------------------------------------------------------------------- reading --- */

static bool origin_of(Dwarf_Die *die, Dwarf_Die *origin)
{
    Dwarf_Attribute attribute;

    return dwarf_attr(die, DW_AT_abstract_origin, &attribute) &&
           dwarf_formref_die(&attribute, origin);
}

static bool holds_code(int tag)
{
    return tag == DW_TAG_subprogram || tag == DW_TAG_lexical_block || tag == DW_TAG_try_block ||
           tag == DW_TAG_catch_block || tag == DW_TAG_namespace || tag == DW_TAG_inlined_subroutine;
}

/* Return whether the DIE has no code: an abstract instance. What is inlined in it is in the concrete ones as
 * well. */
static bool is_codeless(Dwarf_Die *die)
{
    return !dwarf_hasattr(die, DW_AT_low_pc) && !dwarf_hasattr(die, DW_AT_ranges);
}

static void index_children(struct inlined_index *index, Dwarf_Die *parent, Dwarf_Die *function,
                           int depth)
{
    Dwarf_Die die, origin;

    if (depth > DEPTH_MAX || dwarf_child(parent, &die) != 0)
        return;
    do {
        int tag = dwarf_tag(&die);
        Dwarf_Addr entry;

        if (!holds_code(tag) || (tag == DW_TAG_subprogram && is_codeless(&die)))
            continue;
        if (tag == DW_TAG_inlined_subroutine && function && origin_of(&die, &origin))
            index_copy(index, &origin, &die, function);
        if (tag == DW_TAG_subprogram && dwarf_entrypc(&die, &entry) == 0)
            index_function(index, &die, entry);
        index_children(index, &die, tag == DW_TAG_subprogram ? &die : function, depth + 1);
    } while (!out_of_time(index) && dwarf_siblingof(&die, &die) == 0);
}

static bool was_read(struct inlined_index *index, const Dwarf_Die *unit)
{
    for (size_t i = 0; i < index->unit_count; i++)
        if (index->units[i] == unit->cu)
            return true;
    return false;
}

static void index_begin(struct inlined_index *index, uint64_t until)
{
    index->until = until;
    index->late = now_ms() >= until;
}

bool inlined_index_unit(struct inlined_index *index, Dwarf_Die *unit, uint64_t until)
{
    Dwarf_Die split = {0};
    Dwarf_Die *whole = debug_unit_whole(unit, &split);

    index_begin(index, until);
    if (index->all || was_read(index, whole))
        return true;
    index->units = reallocate(index->units, (index->unit_count + 1) * sizeof(*index->units));
    index->units[index->unit_count++] = whole->cu;
    index_children(index, whole, NULL, 0);
    return !index->late;
}

bool inlined_index_all(struct inlined_index *index, uint64_t until)
{
    Dwarf_Die unit, split;

    index_begin(index, until);
    while (!index->all && !index->late) {
        Dwarf_Die *whole = debug_unit_next(index->dwarf, &index->last, &unit, &split);

        index->all = whole == NULL;
        if (whole && !was_read(index, whole))
            index_children(index, whole, NULL, 0);
        if (now_ms() >= until)
            index->late = true;
    }
    return index->all;
}

/* ------------------------------------------------------------------- asking --- */

static int by_code_address(const void *a, const void *b)
{
    const struct coded *left = a, *right = b;

    return (left->address > right->address) - (left->address < right->address);
}

bool inlined_function_at(struct inlined_index *index, Dwarf_Addr address, Dwarf_Die *out)
{
    struct coded wanted = {.address = address};
    const struct coded *found;

    if (index->function_count == 0)
        return false;
    if (!index->sorted)
        qsort(index->functions, index->function_count, sizeof(*index->functions), by_code_address);
    index->sorted = true;
    found = bsearch(&wanted, index->functions, index->function_count, sizeof(*index->functions),
                    by_code_address);
    if (found)
        *out = found->die;
    return found != NULL;
}

int inlined_copies(const struct inlined_index *index, const char *name, inlined_copy_visit *each,
                   void *context)
{
    size_t i = SIZE_MAX;
    int result = 0;

    if (index->bucket_count)
        i = index->buckets[debug_name_hash(name) & (index->bucket_count - 1)];
    for (; i != SIZE_MAX && result == 0; i = index->copies[i].next) {
        Dwarf_Die origin = index->copies[i].origin;

        if (strcmp(debug_die_name(&origin), name) == 0)
            result = each(&index->copies[i], context);
    }
    return result;
}
