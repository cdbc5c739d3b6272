/*
 * technique_share.h - how many functions of a list get each technique of patching their entries.
 */
#ifndef HOTPATCH_TECHNIQUE_SHARE_H
#define HOTPATCH_TECHNIQUE_SHARE_H

#include <json-c/json.h>

enum { TECHNIQUES = 8 };

/* The counts have the order of the techniques in technique_share.c; the last is of none. */
struct technique_share {
    size_t functions;
    size_t counts[TECHNIQUES];
};

/* Count a function. `technique` has the engine's name of it; NULL or "": the function cannot be patched. */
void technique_count(struct technique_share *share, const char *technique);
/* Return how many can be patched. */
size_t technique_patchable(const struct technique_share *share);
/* Count the entries in a list of slots. */
struct technique_share technique_share_of(struct json_object *slots);
/* Return "short 62 %, aligned 3 %, none 1 %"; malloc'd. */
char *technique_share_text(const struct technique_share *share);
/* Return {"short": 12, ...} without zeros. */
struct json_object *technique_share_json(const struct technique_share *share);

#endif
