/*
 * functions.c - answer which functions an object has: by name, by address, all of them.
 *
 * Runs on the listener, inside objects_locked() for a mapped object, and in the command. Reads only.
 *
 * Memory of a `struct functions`: 24 bytes and up to 8 of index for each named function, 4 more once
 * something is asked by address, and a copy of .strtab, which is at most 1 GiB. The symbols themselves,
 * the unwind table of a mapped object and its .dynstr are not copied; for a file, the sections that
 * ld.so would read are. An unwind table that must be listed (unwind_table.c) takes 16 bytes an FDE.
 *
 * First bytes of a PLT are told by section headers, or, where no file is at hand, by their code: an
 * FDE that begins with a jump through memory (psABI, "Procedure Linkage Table") and does not end
 * with it. A function that consists of such a jump ends with it.
 */
#include "elf/functions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/plt.h"
#include "elf/functions_parts.h"
#include "elf/functions_places.h"
#include "elf/image_bytes.h"
#include "elf/indirect.h"
#include "elf/order.h"

static const char indirect_suffix[] = ".ifunc";

bool function_indirect_name(const char *name, char indirect[FUNCTION_NAME_MAX])
{
    int length = snprintf(indirect, FUNCTION_NAME_MAX, "%s%s", name, indirect_suffix);

    return length > 0 && length < FUNCTION_NAME_MAX;
}

const char *function_source_name(const char *name, char buffer[FUNCTION_NAME_MAX])
{
    size_t length = strlen(name), suffix = sizeof indirect_suffix - 1;

    if (length <= suffix || length >= FUNCTION_NAME_MAX ||
        strcmp(name + length - suffix, indirect_suffix) != 0)
        return name;
    memcpy(buffer, name, length - suffix);
    buffer[length - suffix] = '\0';
    return buffer;
}

const struct image *functions_image(const struct functions *functions)
{
    return functions->image;
}

/* ------------------------------------------------------- entries by address --- */

static bool make_order(struct functions *functions)
{
    if (!functions->order)
        functions->order =
            order_by_address(functions->entries, sizeof *functions->entries, functions->count);
    return functions->order != NULL;
}

static uint64_t ordered_address(const struct functions *functions, size_t i)
{
    return functions->entries[functions->order[i]].address;
}

/* Return how many entries begin at or before `address`. make_order() comes first. */
static size_t entries_to(const struct functions *functions, uint64_t address)
{
    size_t low = 0, high = functions->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ordered_address(functions, middle) <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* ------------------------------------------------------- sizes --- */

static uint64_t code_end(const struct functions *functions, uint64_t address)
{
    for (size_t i = 0; i < functions->code_count; i++) {
        if (address >= functions->code[i].begin && address < functions->code[i].end)
            return functions->code[i].end;
    }
    return address;
}

uint64_t function_next_start(struct functions *functions, uint64_t address)
{
    uint64_t end = code_end(functions, address);
    size_t frame = unwind_count_to(&functions->unwind, address);

    if (frame < functions->unwind.count && unwind_start(&functions->unwind, frame) < end)
        end = unwind_start(&functions->unwind, frame);
    if (!make_order(functions))
        return end;
    size_t entry = entries_to(functions, address);
    if (entry < functions->count && ordered_address(functions, entry) < end)
        end = ordered_address(functions, entry);
    return end;
}

bool function_previous_start(struct functions *functions, uint64_t address, uint64_t *start)
{
    size_t frame = address ? unwind_count_to(&functions->unwind, address - 1) : 0, entry;
    bool found = frame > 0;

    if (found)
        *start = unwind_start(&functions->unwind, frame - 1);
    if (!address || !make_order(functions))
        return false;
    entry = entries_to(functions, address - 1);
    if (entry > 0 && (!found || ordered_address(functions, entry - 1) > *start)) {
        *start = ordered_address(functions, entry - 1);
        found = true;
    }
    return found;
}

/* Return the size of the function at `address`: `size` where it is known (not 0), cut at the end of the
 * executable memory. */
static uint64_t settle_size(struct functions *functions, uint64_t address, uint64_t size)
{
    uint64_t there = code_end(functions, address) - address;

    if (size == 0)
        size = function_next_start(functions, address) - address;
    return size < there ? size : there;
}

/* ------------------------------------------------------- PLT without sections --- */

static bool is_plt(const struct functions *functions, const struct unwind_range *frame)
{
    const uint8_t *code;

    if (functions->plt_known)
        return false;
    code = image_bytes_at(functions->image, frame->start, frame->size);
    return code && arch_is_plt(code, frame->size);
}

/* ------------------------------------------------------- one function --- */

static const char *entry_version(const struct functions *functions, size_t i)
{
    const struct function_entry *entry = &functions->entries[i];
    const struct image_lazy *lazy = functions->image ? functions->image->lazy : NULL;

    if (entry->local || entry->extra == 0)
        return NULL;
    if (i >= functions->dynamic_count)
        return functions->strings + entry->extra;
    return entry->extra < lazy->version_count ? lazy->versions[entry->extra] : NULL;
}

static bool in_signal_frame(struct functions *functions, uint64_t address)
{
    struct unwind_range frame;

    return unwind_signal_frame(&functions->unwind, address, &frame);
}

/* Fill `out` with the i-th entry. `frame_size`: of the FDE that begins there, or 0. */
static void fill_named(struct functions *functions, size_t i, uint64_t frame_size,
                       struct function *out)
{
    const struct function_entry *entry = &functions->entries[i];

    *out = (struct function){
        .address = entry->address,
        .size = settle_size(functions, entry->address, frame_size ? frame_size : entry->size),
        .sized = frame_size || entry->size,
        .name = functions_entry_name(functions, i),
        .file = entry->local && entry->extra ? functions->strings + entry->extra : NULL,
        .version = entry_version(functions, i),
        .default_version = !entry->hidden,
        .local = entry->local,
        .weak = entry->weak,
        .ifunc = entry->ifunc,
        .exported = i < functions->dynamic_count,
        .signal_frame = in_signal_frame(functions, entry->address),
    };
}

static bool is_resolver(struct functions *functions, uint64_t address)
{
    uint64_t where;

    return function_indirect_word(functions, address, 0, &where);
}

static bool fill_nameless(struct functions *functions, const struct unwind_range *frame,
                          struct function *out)
{
    if (!functions_may_be_at(functions, frame->start) || is_plt(functions, frame))
        return false;
    *out = (struct function){
        .address = frame->start,
        .size = settle_size(functions, frame->start, frame->size),
        .sized = frame->size != 0,
        .default_version = true,
        .ifunc = is_resolver(functions, frame->start),
        .signal_frame = frame->signal_frame,
    };
    return true;
}

/* Fill `out` for an address in a signal frame: the code begins after the FDE's start, and there may be no
 * symbol. */
static bool fill_signal_frame(struct functions *functions, uint64_t address, struct function *out)
{
    struct unwind_range frame;

    if (!unwind_signal_frame(&functions->unwind, address, &frame))
        return false;
    *out = (struct function){
        .address = address,
        .size = settle_size(functions, address, frame.size - (address - frame.start)),
        .sized = true,
        .default_version = true,
        .signal_frame = true,
    };
    return true;
}

/* ------------------------------------------------------- by name --- */

static int each_named(struct functions *functions, const struct name_index *index, const char *name,
                      function_visit *each, void *context)
{
    uint32_t hash = functions_name_hash(name, strlen(name));

    for (uint32_t at = index->heads[hash & index->mask]; at; at = functions->entries[at - 1].next) {
        struct unwind_range frame = {0};
        struct function function;
        if (strcmp(functions_entry_name(functions, at - 1), name) != 0)
            continue;
        unwind_begins_at(&functions->unwind, functions->entries[at - 1].address, &frame);
        fill_named(functions, at - 1, frame.size, &function);
        int stop = each(&function, context);
        if (stop)
            return stop;
    }
    return 0;
}

struct named {
    function_visit *each;
    void *context;
    bool found;
};

static int keep_found(const struct function *function, void *context)
{
    struct named *named = context;

    named->found = true;
    return named->each(function, named->context);
}

static int each_called(struct functions *functions, const char *name, struct named *named)
{
    int stop = each_named(functions, &functions->dynamic_names, name, keep_found, named);

    return stop ? stop : each_named(functions, &functions->symtab_names, name, keep_found, named);
}

int functions_named(struct functions *functions, const char *name, function_visit *each,
                    void *context)
{
    struct named named = {each, context, false};
    char indirect[FUNCTION_NAME_MAX];
    int stop = each_called(functions, name, &named);

    return !named.found && function_indirect_name(name, indirect)
               ? each_called(functions, indirect, &named)
               : stop;
}

/* ------------------------------------------------------- all --- */

/* Entries and FDEs, each in address order. */
struct frame_walk {
    size_t entry, frame;
};

/* Return the FDE that begins at `address`, as a look-up by address finds it; step over it and over FDEs with
 * the same start. */
static struct unwind_range take_frame(struct functions *functions, struct frame_walk *walk,
                                      uint64_t address)
{
    struct unwind_table *table = &functions->unwind;
    struct unwind_range frame = {.start = address};
    size_t first = walk->frame;

    while (walk->frame < table->count && unwind_start(table, walk->frame) == address)
        walk->frame++;
    if (walk->frame > first)
        unwind_begins_at(table, address, &frame);
    return frame;
}

static int each_at(struct functions *functions, struct frame_walk *walk, uint64_t address,
                   function_visit *each, void *context)
{
    struct unwind_range frame = take_frame(functions, walk, address);
    struct function function;

    if (walk->entry == functions->count || ordered_address(functions, walk->entry) != address)
        return fill_nameless(functions, &frame, &function) && !function.signal_frame
                   ? each(&function, context)
                   : 0;
    for (; walk->entry < functions->count && ordered_address(functions, walk->entry) == address;
         walk->entry++) {
        fill_named(functions, functions->order[walk->entry], frame.size, &function);
        int stop = function.signal_frame ? 0 : each(&function, context);
        if (stop)
            return stop;
    }
    return 0;
}

int functions_each(struct functions *functions, function_visit *each, void *context)
{
    struct frame_walk walk = {0, 0};

    if (!make_order(functions))
        return -1;
    while (walk.entry < functions->count || walk.frame < functions->unwind.count) {
        uint64_t address = UINT64_MAX;
        if (walk.entry < functions->count)
            address = ordered_address(functions, walk.entry);
        if (walk.frame < functions->unwind.count &&
            unwind_start(&functions->unwind, walk.frame) < address)
            address = unwind_start(&functions->unwind, walk.frame);
        int stop = each_at(functions, &walk, address, each, context);
        if (stop)
            return stop;
    }
    return 0;
}

/* ------------------------------------------------------- by address --- */

int functions_by_address(struct functions *functions, uint64_t address, function_visit *each,
                         void *context)
{
    struct unwind_range frame = {.start = address};
    int stop = 0;

    if (!make_order(functions))
        return -1;
    unwind_begins_at(&functions->unwind, address, &frame);
    for (size_t i = entries_to(functions, address); i > 0 && stop == 0; i--) {
        struct function function;

        if (ordered_address(functions, i - 1) != address)
            break;
        fill_named(functions, functions->order[i - 1], frame.size, &function);
        stop = each(&function, context);
    }
    return stop;
}

/* Rank a name: an exported one first, then the default version, then a global one. */
static int entry_rank(const struct functions *functions, size_t i)
{
    const struct function_entry *entry = &functions->entries[i];

    return 8 * (i < functions->dynamic_count) + 4 * !entry->hidden + 2 * !entry->local +
           !entry->weak;
}

/* Find the best of the names at `address`; false: it has none. */
static bool best_entry(const struct functions *functions, uint64_t address, size_t *best)
{
    enum { NAMES_MAX = 64 }; /* looked at; a hostile file gives any number to one address */
    size_t end = entries_to(functions, address);
    bool found = false;

    for (size_t n = 0; n < NAMES_MAX && end - n > 0; n++) {
        size_t i = functions->order[end - n - 1];
        if (functions->entries[i].address != address)
            break;
        if (!found || entry_rank(functions, i) >= entry_rank(functions, *best))
            *best = i;
        found = true;
    }
    return found;
}

bool function_begins_at(struct functions *functions, uint64_t address, struct function *out)
{
    struct unwind_range frame = {.start = address};
    size_t best;

    if (!make_order(functions))
        return false;
    bool is_framed = unwind_begins_at(&functions->unwind, address, &frame);
    if (best_entry(functions, address, &best)) {
        fill_named(functions, best, frame.size, out);
        out->ifunc |=
            is_resolver(functions, address); /* a name of the resolver's own may be best */
        return true;
    }
    return (is_framed && fill_nameless(functions, &frame, out)) ||
           fill_signal_frame(functions, address, out);
}

/* A name may lie inside an FDE's range and end before the range does: then the address is of the FDE's
 * function. */
bool function_around(struct functions *functions, uint64_t address, struct function *out)
{
    if (!make_order(functions))
        return false;
    size_t entry = entries_to(functions, address);
    size_t frame = unwind_count_to(&functions->unwind, address);
    uint64_t starts[2] = {UINT64_MAX, UINT64_MAX};
    if (entry > 0)
        starts[0] = ordered_address(functions, entry - 1);
    if (frame > 0)
        starts[1] = unwind_start(&functions->unwind, frame - 1);
    bool frame_first = frame > 0 && (entry == 0 || starts[1] > starts[0]);
    for (int i = 0; i < 2; i++) {
        uint64_t start = starts[frame_first ? 1 - i : i];
        if (start <= address && function_begins_at(functions, start, out) &&
            address - start < out->size)
            return true;
    }
    return false;
}
