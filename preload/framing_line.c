/*
 * framing_line.c - see framing_line.h.
 *
 * request_parse() writes into the line. The functions here only read the line, because it may have to wait. Errors in
 * the line are refused later.
 */
#include "preload/framing_line.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char blanks[] = " \t";

bool line_verb_is(const char *line, const char *verb)
{
    size_t length = strlen(verb);

    line += strspn(line, blanks);
    return strncmp(line, verb, length) == 0 && strchr(blanks, line[length]) != NULL;
}

bool line_looks_like_begin(const char *line)
{
    size_t length;

    line += strspn(line, blanks);
    length = strcspn(line, blanks);
    return length > 0 && strncasecmp(line, "begin", length < 5 ? length : 5) == 0;
}

bool line_may_be_part(const char *line)
{
    return !line_verb_is(line, "ping") && !line_verb_is(line, "status") &&
           !line_verb_is(line, "slots");
}

/* Return the value of `key`, which ends at a blank; NULL: the line does not have it. The path is the rest of the line
 * from the first word that begins with a slash. */
static const char *value_of(const char *line, const char *key, size_t *length)
{
    size_t key_length = strlen(key);

    line += strspn(line, blanks);
    for (;;) {
        line += strcspn(line, blanks);
        line += strspn(line, blanks);
        if (!*line || *line == '/')
            return NULL;
        if (strncmp(line, key, key_length) == 0 && line[key_length] == '=')
            break;
    }
    *length = strcspn(line + key_length + 1, blanks);
    return line + key_length + 1;
}

static bool has_value(const char *line, const char *key, const char *value)
{
    size_t length;
    const char *found = value_of(line, key, &length);

    return found && strlen(value) == length && memcmp(found, value, length) == 0;
}

bool line_same_key(const char *a, const char *b, const char *key)
{
    size_t length_a, length_b;
    const char *of_a = value_of(a, key, &length_a), *of_b = value_of(b, key, &length_b);

    return of_a && of_b && length_a == length_b && memcmp(of_a, of_b, length_a) == 0;
}

static void learn_value(char *to, size_t room, const char *line, const char *key)
{
    size_t length;
    const char *value = value_of(line, key, &length);

    if (value && length < room && !to[0])
        snprintf(to, room, "%.*s", (int)length, value);
}

void party_learn(struct framing_party *party, const char *line)
{
    if (line_looks_like_begin(line))
        learn_value(party->id, sizeof(party->id), line, "id");
    learn_value(party->reply, sizeof(party->reply), line, "reply");
}

bool party_same_reply(const struct framing_party *party, const char *line)
{
    size_t length;

    return line_verb_is(line, "commit") || !value_of(line, "reply", &length) ||
           has_value(line, "reply", party->reply);
}

bool party_has(const struct framing_party *party, const char *line)
{
    size_t length;

    if (!line_may_be_part(line))
        return false;
    if (value_of(line, "id", &length))
        return has_value(line, "id", party->id);
    return !party->reply[0] || party_same_reply(party, line);
}
