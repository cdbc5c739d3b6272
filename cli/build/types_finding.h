/*
 * types_finding.h - the list of what differs between the types of an edit: each once, with what uses it.
 */
#ifndef HOTPATCH_TYPES_FINDING_H
#define HOTPATCH_TYPES_FINDING_H

#include <stdbool.h>
#include <stddef.h>

struct types_finding {
    char *text;
    char *users; /* "f (a.c:3), g (a.c:9)" */
    size_t user_count;
    const char *source; /* of the first unit where it was found; NULL: not of one unit */
    bool harmless;      /* a note */
    bool layout;        /* a type has another layout */
};

/* Zeroed: empty. */
struct types_findings {
    struct types_finding *list;
    size_t count, capacity;
};

/* Return the finding of that text, which is taken; it is added where there is none. Valid until the next call. */
struct types_finding *types_finding_add(struct types_findings *findings, char *text);
/* Add what uses it; the text is taken. */
void types_finding_user(struct types_finding *finding, char *user);
/* Return "f (a.c:3), g (a.c:9) and 3 more", malloc'd. */
char *types_finding_users(const struct types_finding *finding);
void types_findings_free(struct types_findings *findings);

#endif
