/* function_copies.c - see function_copies.h. */
#include "resolve/function_copies.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "base/utf8.h"
#include "elf/image_bytes.h"

enum {
    FORWARD_BYTES_MAX = 32,
    /* a longer function does more than jump */ LISTED_MAX = 8,
    SEEN_MAX = 32
};

/* One forward or clone. */
struct copied_function {
    uint64_t to;      /* forwards: where it jumps */
    size_t name_size; /* clones: how much of the name is that of their source */
    struct function function;
};

struct copies_list {
    struct copied_function *list;
    size_t count, room;
};

struct function_copies {
    struct functions *functions;
    const struct image *image;
    struct copies_list forwards; /* by `to` */
    struct copies_list clones;   /* by name */
};

/* ---- reading ---- */

static int append_copy(struct copies_list *list, const struct copied_function *copy)
{
    if (list->count == list->room) {
        size_t room = list->room ? list->room * 2 : 64;
        struct copied_function *longer = realloc(list->list, room * sizeof(*longer));

        if (!longer)
            return -1;
        list->list = longer;
        list->room = room;
    }
    list->list[list->count++] = *copy;
    return 0;
}

static bool is_clone_suffix(const char *text)
{
    return strncmp(text, ".constprop.", 11) == 0 || strncmp(text, ".isra.", 6) == 0 ||
           strncmp(text, ".part.", 6) == 0;
}

size_t function_clone_source(const char *name, size_t after)
{
    const char *dot = name[after] ? strchr(name + after + 1, '.') : NULL;

    while (dot && !is_clone_suffix(dot))
        dot = strchr(dot + 1, '.');
    return dot && !strstr(name, ".cold") ? (size_t)(dot - name) : 0;
}

bool function_is_clone(const char *name)
{
    return function_clone_source(name, 0) > 0;
}

static int consider_copy(const struct function *function, void *context)
{
    struct function_copies *copies = context;
    struct copied_function copy = {.function = *function};
    const uint8_t *code;

    copy.name_size = function->name ? function_clone_source(function->name, 0) : 0;
    if (copy.name_size && append_copy(&copies->clones, &copy) != 0)
        return -1;
    if (function->ifunc || function->size == 0 || function->size > FORWARD_BYTES_MAX)
        return 0;
    code = image_bytes_at(copies->image, function->address, function->size);
    if (code && arch_forwards(code, function->size, function->address, &copy.to))
        return append_copy(&copies->forwards, &copy);
    return 0;
}

static int by_target(const void *a, const void *b)
{
    const struct copied_function *left = a, *right = b;

    return (left->to > right->to) - (left->to < right->to);
}

static int compare_names(const char *a, size_t a_size, const char *b, size_t b_size)
{
    int order = memcmp(a, b, a_size < b_size ? a_size : b_size);

    return order ? order : (a_size > b_size) - (a_size < b_size);
}

static int by_clone_name(const void *a, const void *b)
{
    const struct copied_function *left = a, *right = b;

    return compare_names(left->function.name, left->name_size, right->function.name,
                         right->name_size);
}

static void sort(struct copies_list *list, int (*compare)(const void *, const void *))
{
    if (list->count)
        qsort(list->list, list->count, sizeof(*list->list), compare);
}

struct function_copies *function_copies_read(struct functions *functions, const struct image *image)
{
    struct function_copies *copies = calloc(1, sizeof(*copies));

    if (!copies)
        return NULL;
    copies->functions = functions;
    copies->image = image;
    if (functions_each(functions, consider_copy, copies) != 0) {
        function_copies_free(copies);
        return NULL;
    }
    sort(&copies->forwards, by_target);
    sort(&copies->clones, by_clone_name);
    return copies;
}

void function_copies_free(struct function_copies *copies)
{
    if (!copies)
        return;
    free(copies->forwards.list);
    free(copies->clones.list);
    free(copies);
}

/* ---- asking ---- */

/* C++ makes constructors and destructors of several kinds, C1 and C2, D1 and D2, of one source. */
static bool is_same_structor(const char *a, const char *b)
{
    size_t at = 0;

    if (strncmp(a, "_Z", 2) != 0 || strlen(a) != strlen(b))
        return false;
    while (a[at] && a[at] == b[at])
        at++;
    return at > 2 && a[at] && a[at - 1] == b[at - 1] && (a[at - 1] == 'C' || a[at - 1] == 'D') &&
           strchr("0123", a[at]) && strchr("0123", b[at]) && strcmp(a + at + 1, b + at + 1) == 0;
}

struct copies_query {
    const char *name;
    uint64_t address;
    function_copy_visit *each;
    void *context;
    const char *seen[SEEN_MAX]; /* a name of both .dynsym and .symtab is said once */
    size_t seen_count;
};

static int visit_name(const struct function *other, void *context)
{
    struct copies_query *asking = context;

    if (!other->name || (asking->name && (strcmp(other->name, asking->name) == 0 ||
                                          is_same_structor(other->name, asking->name))))
        return 0;
    for (size_t i = 0; i < asking->seen_count; i++)
        if (strcmp(asking->seen[i], other->name) == 0)
            return 0;
    if (asking->seen_count < SEEN_MAX)
        asking->seen[asking->seen_count++] = other->name;
    return asking->each(COPY_NAME, other, asking->context);
}

/* Return the index of the first entry of the list that is not below `key`. */
static size_t lower_bound(const struct copies_list *list, const struct copied_function *key,
                          int (*compare)(const void *, const void *))
{
    size_t low = 0, high = list->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare(&list->list[middle], key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int each_of(const struct copies_list *list, const struct copied_function *key,
                   enum function_copy kind, int (*compare)(const void *, const void *),
                   struct copies_query *asking)
{
    int result = 0;

    for (size_t i = lower_bound(list, key, compare);
         i < list->count && result == 0 && compare(&list->list[i], key) == 0; i++)
        if (list->list[i].function.address != asking->address)
            result = asking->each(kind, &list->list[i].function, asking->context);
    return result;
}

int function_copies_each(const struct function_copies *copies, uint64_t address, const char *name,
                         function_copy_visit *each, void *context)
{
    struct copies_query asking = {
        .name = name, .address = address, .each = each, .context = context};
    struct copied_function key = {
        .to = address, .function.name = name, .name_size = name ? strlen(name) : 0};
    int result = functions_by_address(copies->functions, address, visit_name, &asking);

    if (result == 0)
        result = each_of(&copies->forwards, &key, COPY_FORWARD, by_target, &asking);
    if (result == 0 && name)
        result = each_of(&copies->clones, &key, COPY_CLONE, by_clone_name, &asking);
    return result;
}

struct copies_listing {
    char *list;
    size_t size, used, count, shown;
    bool clones, full;
};

/* Add a name to the list. A name without room ends in "...", and is the last. */
static void show(struct copies_listing *listing, const char *name)
{
    size_t room = listing->size - listing->used;
    int length = room < 16 ? -1
                           : snprintf(listing->list + listing->used, room, "%s%s",
                                      listing->used ? ", " : "", name);

    listing->full = length < 0 || (size_t)length >= room;
    if (length < 0)
        return;
    if (listing->full)
        utf8_mark_cut(listing->list, listing->size - 1);
    listing->used = strlen(listing->list);
    listing->shown++;
}

static int list_copy(enum function_copy kind, const struct function *other, void *context)
{
    struct copies_listing *listing = context;
    char unnamed[32];
    const char *name = other->name;

    if ((kind == COPY_CLONE) != listing->clones)
        return 0;
    if (!name) {
        snprintf(unnamed, sizeof(unnamed), "the function at 0x%llx",
                 (unsigned long long)other->address);
        name = unnamed;
    }
    listing->count++;
    if (listing->shown < LISTED_MAX && !listing->full)
        show(listing, name);
    return 0;
}

void function_copies_list(const struct function_copies *copies, uint64_t address, const char *name,
                          bool clones, char *list, size_t size)
{
    /* Keep room for the count. */
    struct copies_listing listing = {
        .list = list, .size = size > 32 ? size - 32 : size, .clones = clones};

    *list = '\0';
    function_copies_each(copies, address, name, list_copy, &listing);
    if (listing.count > listing.shown)
        snprintf(list + listing.used, size - listing.used, " and %zu more",
                 listing.count - listing.shown);
}
