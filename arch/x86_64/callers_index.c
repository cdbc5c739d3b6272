/*
 * callers_index.c - see callers_index.h.
 *
 * The bytes are read one by one. Each byte that may begin a branch to a function's first byte, or into another
 * function, is recorded. Many are no instructions; branch_index_confirm() decodes them. Runs on the listener and in
 * the command; reads only the code that it is given.
 *
 * Stubs of a PLT are added to the functions: a call of a stub is a call of the function in its word.
 */
#include "arch/x86_64/callers_index.h"

#include <stdlib.h>
#include <string.h>

#include "arch/x86_64/callers_array.h"
#include "arch/x86_64/callers_seen.h"
#include "arch/x86_64/decode.h"

enum {
    CHUNK = 1 << 16,  /* bytes that are copied and searched at a time */
    BRANCH_BYTES = 6, /* the longest branch that is searched */
    STUB_BYTES = 16,  /* of a PLT */
    LENGTH_MAX = 15   /* of an instruction */
};

/* ------------------------------------------------------- the code --- */

static const struct arch_code *code_at(const struct arch_object *object, uint64_t address)
{
    for (size_t i = 0; i < object->code_count; i++)
        if (address - object->code[i].address < object->code[i].size)
            return &object->code[i];
    return NULL;
}

static size_t read_code(const struct arch_object *object, uint64_t address, uint8_t *copy,
                        size_t size)
{
    const struct arch_code *code = code_at(object, address);
    size_t there = code ? code->size - (address - code->address) : 0;

    if (size > there)
        size = there;
    if (size > 0)
        memcpy(copy, code->bytes + (address - code->address), size);
    if (size > 0 && object->restore)
        object->restore(object->context, address, copy, size);
    return size;
}

size_t branch_index_read(const struct branch_index *index, uint64_t address, uint8_t *copy,
                         size_t size)
{
    return read_code(&index->object, address, copy, size);
}

static int32_t load32(const uint8_t *bytes)
{
    int32_t value;

    memcpy(&value, bytes, sizeof(value));
    return value;
}

/* ------------------------------------------------------- stubs of a PLT --- */

static bool ends_stub(const uint8_t *code, size_t size)
{
    static const char *const ends[] = {"\x68",             /* push $n; jmp */
                                       "\x66\x90",         /* xchg %ax,%ax */
                                       "\x0f\x1f\x44",     /* nopl */
                                       "\x66\x0f\x1f\x44", /* nopw */
                                       "\xcc\xcc"};

    for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
        if (size >= strlen(ends[i]) && memcmp(code, ends[i], strlen(ends[i])) == 0)
            return true;
    return false;
}

/* Return the length of [endbr64] [bnd] jmp *disp32(%rip) with its padding, else 0. */
static size_t stub_length(const uint8_t *code, size_t size)
{
    static const uint8_t endbr64[] = {0xf3, 0x0f, 0x1e, 0xfa};
    size_t at = size > sizeof(endbr64) && memcmp(code, endbr64, sizeof(endbr64)) == 0 ? 4 : 0;

    if (at < size && code[at] == 0xf2)
        at++;
    if (at + 6 > size || code[at] != 0xff || code[at + 1] != 0x25)
        return 0;
    at += 6;
    return ends_stub(code + at, size - at) ? at : 0;
}

static bool add_stubs(const struct arch_object *object, const struct arch_code *code,
                      struct array *stubs)
{
    uint8_t copy[STUB_BYTES];

    for (uint64_t at = (code->address + 7) & ~UINT64_C(7); at < code->address + code->size;
         at += 8) {
        const uint8_t *bytes = code->bytes + (at - code->address);
        struct arch_function *stub;
        size_t length;

        if (*bytes != 0xff && *bytes != 0xf3 && *bytes != 0xf2 && !object->restore)
            continue;
        length = stub_length(copy, read_code(object, at, copy, sizeof(copy)));
        if (length == 0)
            continue;
        stub = array_add(stubs, sizeof(*stub));
        if (!stub)
            return false;
        *stub = (struct arch_function){at, length};
    }
    return true;
}

static bool merge_functions(struct branch_index *index, const struct array *stubs)
{
    const struct arch_object *object = &index->object;
    const struct arch_function *more = stubs->bytes;
    size_t count = stubs->used / sizeof(*more), i = 0, k = 0;

    if (object->function_count + count >= UINT32_MAX / 2)
        return false;
    index->functions = calloc(object->function_count + count + 1, sizeof(*index->functions));
    if (!index->functions)
        return false;
    while (i < object->function_count || k < count) {
        bool given = k == count || (i < object->function_count &&
                                    object->functions[i].address <= more[k].address);

        if (given && k < count && object->functions[i].address == more[k].address)
            k++;
        index->functions[index->function_count++] = given ? object->functions[i++] : more[k++];
    }
    return true;
}

/* ------------------------------------------------------- functions --- */

int64_t branch_index_function(const struct branch_index *index, uint64_t address)
{
    uint32_t low = 0, high = index->function_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (index->functions[middle].address <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return (int64_t)low - 1;
}

bool branch_index_begins(const struct branch_index *index, uint64_t address, uint32_t *function)
{
    int64_t found = branch_index_function(index, address);

    if (found < 0 || index->functions[found].address != address)
        return false;
    *function = (uint32_t)found;
    return true;
}

bool branch_index_word(const struct branch_index *index, uint64_t where, uint64_t *target)
{
    const struct arch_word *words = index->object.words;
    size_t low = 0, high = index->object.word_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (words[middle].where < where)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == index->object.word_count || words[low].where != where)
        return false;
    *target = words[low].target;
    return true;
}

/* ------------------------------------------------------- the scan --- */

struct found_branch {
    uint32_t function, site;
};

struct scan {
    struct branch_index *index;
    const struct arch_code *code;
    uint8_t *begins;    /* one bit for each byte of `code` */
    struct array found; /* struct found_branch, by site */
    struct array inner; /* struct inner_branch */
    int64_t around;     /* the last function that begins at or before the present address */
    bool failed;
};

static bool begins_at(const struct scan *scan, uint64_t address)
{
    uint64_t at = address - scan->code->address;

    return at < scan->code->size && (scan->begins[at / 8] >> (at % 8) & 1);
}

static void note_found(struct scan *scan, uint64_t target, uint64_t site)
{
    struct found_branch *found;
    uint32_t function;

    if (!branch_index_begins(scan->index, target, &function))
        return;
    found = array_add(&scan->found, sizeof(*found));
    if (found)
        *found = (struct found_branch){function, (uint32_t)(site - scan->index->low)};
    scan->failed |= !found;
}

/* Return whether the target is in the function of the site. The function ends at the next one's start. */
static bool is_around(struct scan *scan, uint64_t site, uint64_t target)
{
    const struct branch_index *index = scan->index;
    const struct arch_function *all = index->functions;

    while (scan->around + 1 < index->function_count && all[scan->around + 1].address <= site)
        scan->around++;
    return (scan->around < 0 || target >= all[scan->around].address) &&
           (scan->around + 1 == index->function_count || target < all[scan->around + 1].address);
}

static void note_inner(struct scan *scan, uint64_t target, uint64_t site)
{
    const struct branch_index *index = scan->index;
    struct inner_branch *inner;

    if (is_around(scan, site, target) || !code_at(&index->object, target))
        return;
    inner = array_add(&scan->inner, sizeof(*inner));
    if (inner)
        *inner =
            (struct inner_branch){(uint32_t)(target - index->low), (uint32_t)(site - index->low)};
    scan->failed |= !inner;
}

static void note_target(struct scan *scan, uint64_t target, uint64_t site)
{
    uint32_t function;

    if (begins_at(scan, target))
        note_found(scan, target, site);
    else if (target - scan->code->address < scan->code->size)
        note_inner(scan, target, site);
    else if (branch_index_begins(scan->index, target, &function))
        note_found(scan, target, site);
    else
        note_inner(scan, target, site);
}

/* Record a branch through a word: FF 15, FF 25. */
static void note_word(struct scan *scan, uint64_t where, uint64_t site)
{
    uint64_t target;

    if (branch_index_word(scan->index, where, &target))
        note_found(scan, target, site);
}

/* Check for a branch at `bytes`. `there`: number of bytes from there on. */
static void look_at(struct scan *scan, const uint8_t *bytes, size_t there, uint64_t site)
{
    uint8_t first = bytes[0];

    if (((first & 0xf0) == 0x70 || first == 0xeb || (first >= 0xe0 && first <= 0xe3)) && there >= 2)
        note_target(scan, site + 2 + (uint64_t)(int8_t)bytes[1], site);
    else if ((first == 0xe8 || first == 0xe9) && there >= 5)
        note_target(scan, site + 5 + (uint64_t)(int64_t)load32(bytes + 1), site);
    else if (first == 0x0f && there >= 6 && (bytes[1] & 0xf0) == 0x80)
        note_target(scan, site + 6 + (uint64_t)(int64_t)load32(bytes + 2), site);
    else if (first == 0xff && there >= 6 && (bytes[1] == 0x15 || bytes[1] == 0x25))
        note_word(scan, site + 6 + (uint64_t)(int64_t)load32(bytes + 2), site);
}

static void mark_begins(struct scan *scan)
{
    const struct branch_index *index = scan->index;

    for (uint32_t i = 0; i < index->function_count; i++) {
        uint64_t at = index->functions[i].address - scan->code->address;

        if (at < scan->code->size)
            scan->begins[at / 8] |= (uint8_t)(1 << at % 8);
    }
}

static bool scan_code(struct scan *scan, uint8_t *chunk)
{
    struct array begins = {0};
    uint64_t end = scan->code->address + scan->code->size;

    scan->begins = array_add(&begins, scan->code->size / 8 + 1);
    if (!scan->begins)
        return false;
    mark_begins(scan);
    for (uint64_t at = scan->code->address; at < end && !scan->failed; at += CHUNK) {
        size_t size = read_code(&scan->index->object, at, chunk, CHUNK + BRANCH_BYTES - 1);

        for (size_t i = 0; i < size && i < CHUNK; i++)
            look_at(scan, chunk + i, size - i, at + i);
    }
    array_free(&begins);
    return !scan->failed;
}

/* ------------------------------------------------------- by target --- */

/* Sort by target, by a counting sort: sites of one function keep their order. */
static bool sort_found(struct branch_index *index, const struct array *array)
{
    const struct found_branch *found = array->bytes;
    size_t count = array->used / sizeof(*found);

    index->first = calloc(index->function_count + 2, sizeof(*index->first));
    index->sites = malloc((count + 1) * sizeof(*index->sites));
    if (!index->first || !index->sites || count >= UINT32_MAX)
        return false;
    for (size_t i = 0; i < count; i++)
        index->first[found[i].function + 2]++;
    for (uint32_t i = 2; i <= index->function_count + 1; i++)
        index->first[i] += index->first[i - 1];
    for (size_t i = 0; i < count; i++)
        index->sites[index->first[found[i].function + 1]++] = found[i].site;
    return true;
}

static int compare_inner(const void *a, const void *b)
{
    const struct inner_branch *left = a, *right = b;

    if (left->target != right->target)
        return left->target < right->target ? -1 : 1;
    return (left->site > right->site) - (left->site < right->site);
}

static bool keep_inner(struct branch_index *index, const struct array *inner)
{
    index->inner_count = (uint32_t)(inner->used / sizeof(*index->inner));
    index->inner = malloc(inner->used + 1);
    if (!index->inner)
        return false;
    if (inner->used > 0) {
        memcpy(index->inner, inner->bytes, inner->used);
        qsort(index->inner, index->inner_count, sizeof(*index->inner), compare_inner);
    }
    return true;
}

static bool scan_all(struct branch_index *index)
{
    struct scan scan = {.index = index};
    uint8_t *chunk = malloc(CHUNK + BRANCH_BYTES);
    bool done = chunk != NULL;

    for (size_t i = 0; i < index->object.code_count && done; i++) {
        scan.code = &index->object.code[i];
        scan.around = -1;
        done = scan_code(&scan, chunk);
    }
    done = done && sort_found(index, &scan.found) && keep_inner(index, &scan.inner);
    array_free(&scan.found);
    array_free(&scan.inner);
    free(chunk);
    return done;
}

static bool is_in_reach(const struct arch_object *object)
{
    const struct arch_code *last = &object->code[object->code_count - 1];

    return object->code_count > 0 &&
           last->address + last->size - object->code[0].address < UINT32_MAX;
}

bool branch_index_make(struct branch_index *index, const struct arch_object *object)
{
    struct array stubs = {0};
    bool done = object->code_count > 0 && is_in_reach(object);

    *index = (struct branch_index){.object = *object};
    for (size_t i = 0; i < object->code_count && done; i++)
        done = add_stubs(object, &object->code[i], &stubs);
    done = done && merge_functions(index, &stubs);
    array_free(&stubs);
    if (!done)
        return false;
    index->low = object->code[0].address;
    index->object.functions = index->functions;
    index->object.function_count = index->function_count;
    index->seen = seen_make(); /* NULL: the analysis only takes longer */
    return scan_all(index);
}

void branch_index_free(struct branch_index *index)
{
    free(index->functions);
    free(index->first);
    free(index->sites);
    free(index->inner);
    seen_free(index->seen);
    *index = (struct branch_index){0};
}

size_t branch_index_memory(const struct branch_index *index)
{
    return index->function_count * (sizeof(*index->functions) + sizeof(*index->first)) +
           index->first[index->function_count] * sizeof(*index->sites) +
           index->inner_count * sizeof(*index->inner) + (index->seen ? seen_memory() : 0);
}

/* ------------------------------------------------------- confirming --- */

/* Return whether the instruction at `address` leads to a target, directly or through a bound word. */
static bool leads_to(const struct branch_index *index, const struct instruction *in,
                     uint64_t address, const uint8_t *bytes, uint64_t *target)
{
    uint64_t end = address + in->length + (uint64_t)(int64_t)in->relative;

    if (instruction_branches(in)) {
        *target = end;
        return true;
    }
    if (in->kind != INSTRUCTION_DATA || in->field < 2)
        return false;
    if (bytes[in->field - 2] != 0xff ||
        (bytes[in->field - 1] != 0x15 && bytes[in->field - 1] != 0x25))
        return false;
    return branch_index_word(index, end, target);
}

enum branch_finding branch_index_confirm(const struct branch_index *index, uint32_t site,
                                         uint64_t target, uint64_t *begins)
{
    uint64_t where = index->low + site, leads;
    int64_t around = branch_index_function(index, where);
    uint8_t bytes[LENGTH_MAX];
    struct instruction in;

    *begins = where;
    if (around < 0 || where - index->functions[around].address >= index->functions[around].size)
        return BRANCH_UNKNOWN;
    for (uint64_t at = index->functions[around].address;; at += in.length) {
        size_t there = branch_index_read(index, at, bytes, sizeof(bytes));

        if (!instruction_decode(bytes, there, &in))
            return BRANCH_UNKNOWN;
        if (at + in.length <= where)
            continue;
        *begins = at;
        return leads_to(index, &in, at, bytes, &leads) && leads == target ? BRANCH_CONFIRMED
                                                                          : BRANCH_REFUTED;
    }
}
