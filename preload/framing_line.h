/* framing_line.h - verb, id= and reply= of a line before it is parsed. */
#ifndef HOTPATCH_FRAMING_LINE_H
#define HOTPATCH_FRAMING_LINE_H

#include <stdbool.h>

#include "base/request.h"

/* The id= and reply= by which lines belong to a transaction. */
struct framing_party {
    char id[REQUEST_ID_MAX + 1]; /* "": none */
    char reply[80];              /* "": none */
};

bool line_verb_is(const char *line, const char *verb);
/* Return whether the line is begin, a part of that word, or that word in other letters. */
bool line_looks_like_begin(const char *line);
/* Return whether the line may belong to a transaction. False for ping, status and slots, which change no slot. */
bool line_may_be_part(const char *line);
/* Return whether both lines have the key, with the same value. */
bool line_same_key(const char *a, const char *b, const char *key);

/* Record id= and reply= of a line of the transaction, where they are not known yet. An id is known after `begin`. */
void party_learn(struct framing_party *party, const char *line);
bool party_has(const struct framing_party *party, const char *line);
/* Return whether the line has no reply=, or the transaction's. */
bool party_same_reply(const struct framing_party *party, const char *line);

#endif
