/* thin_callers.c - see thin_callers.h. */
#include "loader/slots/thin_callers.h"

#include <stdlib.h>

#include "loader/objects/object.h"

/* There are few: most calls rely on nothing but the psABI. */
struct relied_function {
    struct relied_function *next;
    const struct object *object;
    uint64_t called;
    struct arch_kept kept;
};

static struct relied_function *relied_functions;

static void merge_kept(struct arch_kept *kept, const struct arch_kept *more)
{
    kept->general |= more->general;
    kept->vector |= more->vector;
    if (more->vector_bytes > kept->vector_bytes)
        kept->vector_bytes = more->vector_bytes;
    kept->mask |= more->mask;
    kept->x87 |= more->x87;
    kept->align |= more->align;
    kept->unsure_general |= more->unsure_general;
    kept->unsure_vector |= more->unsure_vector;
    kept->proved &= more->proved;
}

static struct relied_function *relied_at(const struct object *object, uint64_t called)
{
    struct relied_function *relied = relied_functions;

    while (relied && (relied->object != object || relied->called != called))
        relied = relied->next;
    return relied;
}

int thin_callers_add(const struct object *object, uint64_t called, const struct arch_kept *kept)
{
    struct relied_function *relied = relied_at(object, called);

    if (relied) {
        merge_kept(&relied->kept, kept);
        return 0;
    }
    relied = malloc(sizeof(*relied));
    if (!relied)
        return -1;
    *relied = (struct relied_function){relied_functions, object, called, *kept};
    relied_functions = relied;
    return 0;
}

void thin_callers_merge(const struct object *object, uint64_t called, struct arch_kept *kept)
{
    const struct relied_function *relied = relied_at(object, called);

    if (relied)
        merge_kept(kept, &relied->kept);
}

bool thin_callers_covered(const struct arch_kept *kept, const struct arch_kept *by)
{
    static const struct arch_kept nothing;

    by = by ? by : &nothing;
    return (kept->general & ~by->general) == 0 && (kept->vector & ~by->vector) == 0 &&
           (kept->vector == 0 || kept->vector_bytes <= by->vector_bytes) &&
           (kept->mask & ~by->mask) == 0 && (!kept->x87 || by->x87) && (!kept->align || by->align);
}

static void relied_object_gone(struct object *object)
{
    for (struct relied_function **place = &relied_functions; *place;) {
        struct relied_function *relied = *place;

        if (relied->object != object) {
            place = &relied->next;
            continue;
        }
        *place = relied->next;
        free(relied);
    }
}

void thin_callers_register(void)
{
    static struct object_callbacks callbacks = {.gone = relied_object_gone};

    objects_register(&callbacks);
}
