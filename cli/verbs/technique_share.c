/* technique_share.c - see technique_share.h. */
#include "cli/verbs/technique_share.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/slot_names.h"
#include "cli/output/output.h"

/* In the order in which they are preferred. */
static const char *const names[TECHNIQUES] = {TECHNIQUE_SHORT,
                                              TECHNIQUE_ALIGNED,
                                              TECHNIQUE_ALIGNED_PUNNED,
                                              TECHNIQUE_SINGLE,
                                              TECHNIQUE_PUNNED,
                                              TECHNIQUE_EVACUATED,
                                              "other",
                                              "none"};
enum { OTHER = TECHNIQUES - 2, NONE = TECHNIQUES - 1 };

static size_t number_of(const char *technique)
{
    if (!technique || !*technique)
        return NONE;
    for (size_t i = 0; i < OTHER; i++)
        if (strcmp(technique, names[i]) == 0)
            return i;
    return OTHER;
}

void technique_count(struct technique_share *share, const char *technique)
{
    share->functions++;
    share->counts[number_of(technique)]++;
}

size_t technique_patchable(const struct technique_share *share)
{
    return share->functions - share->counts[NONE];
}

struct technique_share technique_share_of(struct json_object *slots)
{
    struct technique_share share = {.functions = 0};

    for (size_t i = 0; i < json_length(slots); i++) {
        struct json_object *slot = json_item(slots, i);

        if (strcmp(json_text(slot, "kind"), "entry") == 0)
            technique_count(&share, !json_true(slot, "patchable")   ? NULL
                                    : *json_text(slot, "technique") ? json_text(slot, "technique")
                                                                    : names[OTHER]);
    }
    return share;
}

char *technique_share_text(const struct technique_share *share)
{
    char *text = format_text("%s", "");

    for (size_t i = 0; i < TECHNIQUES; i++) {
        char *longer;

        if (!share->counts[i])
            continue;
        longer = format_text("%s%s%s %.1f %%", text, *text ? ", " : "", names[i],
                             100.0 * (double)share->counts[i] / (double)share->functions);
        free(text);
        text = longer;
    }
    return text;
}

struct json_object *technique_share_json(const struct technique_share *share)
{
    struct json_object *object = json_object_new_object();

    for (size_t i = 0; i < TECHNIQUES; i++)
        if (share->counts[i])
            json_object_object_add(object, names[i],
                                   json_object_new_int64((int64_t)share->counts[i]));
    return object;
}
