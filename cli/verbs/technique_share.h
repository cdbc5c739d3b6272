/*
 * technique_share.h - how many functions of a list get each technique of patching their entries.
 */
#ifndef HOTPATCH_TECHNIQUE_SHARE_H
#define HOTPATCH_TECHNIQUE_SHARE_H

#include <json-c/json.h>

enum { TECHNIQUES = 8 };

/* By the techniques' order of appearance in technique_share.c; the last one is none. */
struct technique_share {
    size_t functions;
    size_t counts[TECHNIQUES];
};

/* `technique`: as the engine calls it; NULL or "": the function cannot be patched. */
void technique_count(struct technique_share *share, const char *technique);
/* How many can be patched. */
size_t technique_patchable(const struct technique_share *share);
/* Those of the entries in a list of slots. */
struct technique_share technique_share_of(struct json_object *slots);
/* "short 62 %, aligned 3 %, none 1 %"; malloc'd. */
char *technique_share_text(const struct technique_share *share);
/* {"short": 12, ...}; of those that there are. */
struct json_object *technique_share_json(const struct technique_share *share);

#endif
