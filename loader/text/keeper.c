/* keeper.c - see keeper.h. */
#include "loader/text/keeper.h"

#include <errno.h>
#include <stdlib.h>

#include "arch/arch.h"
#include "loader/text/near_alloc.h"

struct keeper {
    struct keeper *next;
    uintptr_t function;
    struct keep keep;
    uintptr_t thunk;
    struct arch_keeper *words;
    bool used; /* calls of `function` go through this thunk */
};

static bool keeps_same(const struct keep *a, const struct keep *b)
{
    const struct arch_kept *x = &a->kept, *y = &b->kept;

    return a->stack_bytes == b->stack_bytes && x->general == y->general && x->vector == y->vector &&
           x->vector_bytes == y->vector_bytes && x->mask == y->mask && x->x87 == y->x87 &&
           x->align == y->align;
}

static struct keeper *find_keeper(struct keeper *list, uintptr_t function, const struct keep *keep)
{
    for (; list; list = list->next)
        if (list->function == function && keeps_same(&list->keep, keep))
            return list;
    return NULL;
}

static struct keeper *find_used(const struct keeper *list, uintptr_t function)
{
    for (; list; list = list->next)
        if (list->function == function && list->used)
            return (struct keeper *)list;
    return NULL;
}

static uint64_t reach_down(uint64_t at)
{
    return at > ARCH_REACH ? at - ARCH_REACH : 0;
}

static int write_thunk(const struct keeper *keeper)
{
    uint8_t code[ARCH_THUNK_BYTES];
    size_t size = arch_keep_thunk(keeper->thunk, (uintptr_t)keeper->words, code, sizeof(code));

    return size == 0 ? -ERANGE : near_alloc_write(keeper->thunk, code, size);
}

/* Find memory for the words near the function, and for the thunk within reach of the words. */
static int keeper_place(struct keeper *keeper, uintptr_t near)
{
    struct near_wish words = {.kind = NEAR_WORDS,
                              .size = sizeof(*keeper->words),
                              .low = reach_down(near),
                              .high = near + ARCH_REACH,
                              .near = near};
    struct near_wish thunk = {.kind = NEAR_CODE, .size = ARCH_THUNK_BYTES, .near = near};
    int error = 0;

    keeper->words = (struct arch_keeper *)near_alloc_take(&words, &error);
    if (!keeper->words)
        return error ? error : -ENOMEM;
    thunk.low = reach_down((uintptr_t)keeper->words);
    thunk.high = (uintptr_t)keeper->words + ARCH_REACH;
    keeper->thunk = near_alloc_take(&thunk, &error);
    if (keeper->thunk) {
        arch_keeper_fill(keeper->words, &keeper->keep.kept, keeper->keep.stack_bytes,
                         keeper->function);
        error = write_thunk(keeper);
        if (error == 0)
            return 0;
        near_alloc_give_back(keeper->thunk, ARCH_THUNK_BYTES);
    }
    near_alloc_give_back((uintptr_t)keeper->words, sizeof(*keeper->words));
    return error ? error : -ENOMEM;
}

static struct keeper *keeper_new(struct keeper **list, uintptr_t near, uintptr_t function,
                                 const struct keep *keep, int *error)
{
    struct keeper *keeper = calloc(1, sizeof(*keeper));

    *error = -ENOMEM;
    if (!keeper)
        return NULL;
    keeper->function = function;
    keeper->keep = *keep;
    *error = keeper_place(keeper, near);
    if (*error != 0) {
        free(keeper);
        return NULL;
    }
    keeper->next = *list;
    *list = keeper;
    return keeper;
}

int keeper_make(struct keeper **list, uintptr_t near, uintptr_t function, const struct keep *keep)
{
    struct keeper *before = find_used(*list, function), *now = NULL;
    int error;

    if (arch_keeps(&keep->kept)) {
        now = find_keeper(*list, function, keep);
        if (!now)
            now = keeper_new(list, near, function, keep, &error);
        if (!now)
            return error;
    }
    if (before)
        before->used = false;
    if (now)
        now->used = true;
    return 0;
}

uintptr_t keeper_way(const struct keeper *list, uintptr_t function)
{
    const struct keeper *keeper = find_used(list, function);

    return keeper ? keeper->thunk : function;
}

const struct keep *keeper_keep(const struct keeper *list, uintptr_t function)
{
    const struct keeper *keeper = find_used(list, function);

    return keeper ? &keeper->keep : NULL;
}
