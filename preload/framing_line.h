/* framing_line.h - what a line says of itself before it is parsed: its verb, its id= and reply=. */
#ifndef HOTPATCH_FRAMING_LINE_H
#define HOTPATCH_FRAMING_LINE_H

#include <stdbool.h>

#include "base/request.h"

/* Whose lines a transaction consists of. */
struct framing_party {
    char id[REQUEST_ID_MAX + 1]; /* "": none */
    char reply[80];              /* likewise */
};

bool line_verb_is(const char *line, const char *verb);
/* True: begin, a piece of it, or begin in other letters. */
bool line_looks_like_begin(const char *line);
/* False: ping, status and slots, which change nothing. */
bool line_may_be_part(const char *line);
/* Both lines have the key, with the same value. */
bool line_same_key(const char *a, const char *b, const char *key);

/* Note id= and reply= of a line that is part of the transaction, where they are not known yet. An id
 * is known once `begin` was seen. */
void party_learn(struct framing_party *party, const char *line);
bool party_has(const struct framing_party *party, const char *line);
/* The line has no reply=, or the transaction's. */
bool party_same_reply(const struct framing_party *party, const char *line);

#endif
