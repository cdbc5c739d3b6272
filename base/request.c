/*
 * request.c - parses one line of the FIFO into a struct request; see request.h.
 *
 * Listener and command. Untrusted input: a line may hold any bytes. The id= and reply= of a refused line are still
 * read, so that the sender gets the refusal.
 */
#include "base/request.h"

#include <stdio.h>
#include <string.h>

#include "base/slot_names.h"
#include "base/utf8.h"

#define TIMEOUT_MAX 3600000u
#define SHOWN_MAX 81      /* of a word that is refused, with its NUL */
#define BUILD_ID_MAX 128  /* hex digits */
#define FOR_MAX 31536000u /* a year of seconds */

enum key {
    KEY_ID,
    KEY_DEADLINE,
    KEY_REPLY,
    KEY_NONCE,
    KEY_WHEN,
    KEY_TIMEOUT,
    KEY_REPLACE,
    KEY_DRY_RUN,
    KEY_UNLOAD,
    KEY_NAME,
    KEY_MATCH,
    KEY_KIND,
    KEY_FAIL,
    KEY_NTH,
    KEY_PROBABILITY,
    KEY_TIMES,
    KEY_CALLER,
    KEY_FOR,
    KEY_AT,
    KEY_SEEN,
    KEY_FUNCTIONS,
    KEY_COUNT
};

#define BIT(key) (1u << (key))
#define EVERYWHERE (BIT(KEY_ID) | BIT(KEY_DEADLINE) | BIT(KEY_REPLY) | BIT(KEY_NONCE))
#define MOMENT (BIT(KEY_WHEN) | BIT(KEY_TIMEOUT))
#define REPEATABLE (BIT(KEY_REPLACE) | BIT(KEY_AT))
#define INJECTION_TERMS \
    (BIT(KEY_NTH) | BIT(KEY_PROBABILITY) | BIT(KEY_TIMES) | BIT(KEY_CALLER) | BIT(KEY_FOR))

static const char key_names[KEY_COUNT][12] = {
    [KEY_ID] = "id",           [KEY_DEADLINE] = "deadline", [KEY_REPLY] = "reply",
    [KEY_WHEN] = "when",       [KEY_TIMEOUT] = "timeout",   [KEY_REPLACE] = "replace",
    [KEY_DRY_RUN] = "dry-run", [KEY_UNLOAD] = "unload",     [KEY_NAME] = "name",
    [KEY_MATCH] = "match",     [KEY_KIND] = "kind",         [KEY_FAIL] = "fail",
    [KEY_NTH] = "nth",         [KEY_TIMES] = "times",       [KEY_PROBABILITY] = "probability",
    [KEY_CALLER] = "caller",   [KEY_FOR] = "for",           [KEY_AT] = "at",
    [KEY_SEEN] = "seen",       [KEY_NONCE] = "nonce",       [KEY_FUNCTIONS] = "functions",
};

static const struct {
    char name[8];
    unsigned keys; /* set of BIT(key) */
} verbs[] = {
    [REQUEST_LOAD] = {"load", EVERYWHERE | MOMENT | BIT(KEY_REPLACE) | BIT(KEY_DRY_RUN) |
                                  BIT(KEY_SEEN) | BIT(KEY_FAIL) | BIT(KEY_AT) | INJECTION_TERMS},
    [REQUEST_REVERT] = {"revert",
                        EVERYWHERE | MOMENT | BIT(KEY_SEEN) | BIT(KEY_UNLOAD) | BIT(KEY_NAME)},
    [REQUEST_STATUS] = {"status", EVERYWHERE},
    [REQUEST_SLOTS] = {"slots", EVERYWHERE | BIT(KEY_MATCH) | BIT(KEY_KIND) | BIT(KEY_TIMEOUT) |
                                    BIT(KEY_FUNCTIONS)},
    [REQUEST_PING] = {"ping", EVERYWHERE},
    [REQUEST_BEGIN] = {"begin", EVERYWHERE},
    [REQUEST_COMMIT] = {"commit", EVERYWHERE},
    [REQUEST_RELOAD] = {"reload", EVERYWHERE},
};

#define VERB_COUNT (sizeof(verbs) / sizeof(verbs[0]))

struct parse {
    struct request *request;
    struct refusal *why;
    unsigned seen; /* set of BIT(key) */
    bool verb_known;
    bool selected; /* revert: `which` is known */
};

const char *request_verb_name(enum request_verb verb)
{
    return (unsigned)verb < VERB_COUNT ? verbs[verb].name : "?";
}

bool request_reply_name_valid(const char *name)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    size_t length = strspn(name, allowed);

    return length >= 1 && length <= 64 && strcmp(name + length, ".reply") == 0;
}

/* Parse decimal digits alone. strtoull(3) would accept a sign, a blank or 0x. */
static bool parse_number(const char *text, uint64_t max, uint64_t *value)
{
    uint64_t number = 0;

    if (!*text)
        return false;
    for (; *text; text++) {
        unsigned digit = (unsigned)(*text - '0');

        if (digit > 9 || number > (UINT64_MAX - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    *value = number;
    return number <= max;
}

static bool parse_bool(const char *text, bool *value)
{
    *value = text[0] == '1';
    return (text[0] == '0' || text[0] == '1') && text[1] == '\0';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 'a' - 'A';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Parse hex digits after 0x. */
static bool parse_hex(const char *text, uint64_t *value)
{
    size_t length = strlen(text);

    *value = 0;
    for (size_t i = 0; i < length && length <= 16; i++) {
        int digit = hex_digit(text[i]);

        if (digit < 0)
            return false;
        *value = *value << 4 | (unsigned)digit;
    }
    return length >= 1 && length <= 16;
}

/*
 * Decode %XX, the byte of that number: C++ names have blanks and '=', which separate words. Control bytes are
 * refused: no name has them, and they would forge lines in a log.
 */
static bool decode_percent(char *text)
{
    char *to = text;

    for (; *text; text++, to++) {
        int high, low;

        *to = *text;
        if (*text != '%')
            continue;
        high = hex_digit(text[1]);
        low = high < 0 ? -1 : hex_digit(text[2]);
        if (low < 0)
            return false;
        *to = (char)(high << 4 | low);
        if ((unsigned char)*to < ' ' || *to == 0x7f)
            return false;
        text += 2;
    }
    *to = '\0';
    return true;
}

static bool decode_name(char *text)
{
    return *text && decode_percent(text);
}

static bool parse_when(const char *text, enum request_when *when)
{
    static const char *const names[] = {
        [WHEN_CALL] = "call", [WHEN_QUIET] = "quiet", [WHEN_SAFE_POINT] = "safe-point"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(text, names[i]) == 0) {
            *when = (enum request_when)i;
            return true;
        }
    }
    return false;
}

static bool parse_replace(char *text, struct request *request)
{
    char *equals = strchr(text, '=');

    if (!equals || equals == text || !equals[1] || request->replace_count == REQUEST_REPLACE_MAX)
        return false;
    *equals = '\0';
    request->replace[request->replace_count].name = text;
    request->replace[request->replace_count].symbol = equals + 1;
    request->replace_count++;
    return decode_percent(text) && decode_percent(equals + 1);
}

/* Parse "-", or whole bytes in hex as NT_GNU_BUILD_ID holds them. Converts in place to lower case. */
static bool parse_build_id(char *text)
{
    size_t length = strlen(text);

    if (strcmp(text, "-") == 0) {
        *text = '\0';
        return true;
    }
    for (char *p = text; *p; p++) {
        if (hex_digit(*p) < 0)
            return false;
        if (*p >= 'A' && *p <= 'F')
            *p = (char)(*p + ('a' - 'A'));
    }
    return length > 0 && length % 2 == 0 && length <= BUILD_ID_MAX;
}

/* Parse OBJECT@BUILDID+0xOFFSET=TARGET. OBJECT may contain @ and +, as libstdc++.so.6 does. */
static bool parse_place(char *text, struct request *request)
{
    struct request_place *place = &request->places[request->place_count];
    char *equals = strchr(text, '='), *at, *plus;

    if (!equals || request->place_count == REQUEST_PLACE_MAX)
        return false;
    *equals = '\0';
    at = strrchr(text, '@');
    plus = at ? strchr(at, '+') : NULL;
    if (!plus || plus[1] != '0' || plus[2] != 'x')
        return false;
    *at = *plus = '\0';
    place->object = text;
    place->build_id = at + 1;
    place->target = equals + 1;
    if (!decode_name(text) || !parse_build_id(at + 1) || !parse_hex(plus + 3, &place->offset) ||
        !decode_name(equals + 1))
        return false;
    for (size_t i = 0; i < request->place_count; i++)
        if (strcmp(request->places[i].target, place->target) == 0)
            return false;
    request->place_count++;
    return true;
}

/* Parse NAME=RETVAL[:ERRNO]. NAME has been decoded, so the last '=' ends it. */
static bool parse_injection(char *text, struct request *request)
{
    char *equals = strchr(text, '=');

    if (!equals || equals == text || !equals[1] || strchr(equals + 1, '='))
        return false;
    *equals = '\0';
    if (!decode_percent(text))
        return false;
    request->injection.what = text;
    text += strlen(text);
    *text = '=';
    memmove(text + 1, equals + 1, strlen(equals + 1) + 1);
    return true;
}

/* Parse 0.25, .25, 1 into millionths; never 0. */
static bool parse_probability(const char *text, uint32_t *millionths)
{
    uint32_t value = 0, unit = 1000000;

    if (*text == '0' || *text == '1')
        value = *text++ == '1' ? unit : 0;
    if (*text == '.') {
        for (text++; *text >= '0' && *text <= '9'; text++) {
            unit /= 10;
            value += unit * (uint32_t)(*text - '0');
        }
    }
    *millionths = value;
    return *text == '\0' && value > 0 && value <= 1000000;
}

static bool parse_count(const char *text, uint64_t max, uint64_t *value)
{
    return parse_number(text, max, value) && *value > 0;
}

static bool take_injection_term(struct request_injection *injection, enum key key,
                                const char *value)
{
    uint64_t number = 0;

    switch (key) {
    case KEY_NTH:
        return parse_count(value, UINT32_MAX, &injection->nth);
    case KEY_TIMES:
        return parse_count(value, UINT32_MAX, &injection->times);
    case KEY_PROBABILITY:
        return parse_probability(value, &injection->probability);
    case KEY_FOR:
        if (!parse_count(value, FOR_MAX, &number))
            return false;
        injection->seconds = (uint32_t)number;
        return true;
    case KEY_CALLER:
        injection->caller = value;
        return *value != '\0';
    default:
        return false;
    }
}

static bool nonce_valid(const char *text)
{
    return strlen(text) == REQUEST_NONCE_LENGTH &&
           strspn(text, "0123456789abcdef") == REQUEST_NONCE_LENGTH;
}

/* Store the value of `key`. Return false if `key` cannot have this value. */
static bool take_value(struct request *request, enum key key, char *value)
{
    uint64_t number = 0;

    switch (key) {
    case KEY_ID:
        if (strlen(value) > REQUEST_ID_MAX || !*value)
            return false;
        request->id = value;
        return true;
    case KEY_NONCE:
        request->nonce = value;
        return nonce_valid(value);
    case KEY_REPLY:
        if (!request_reply_name_valid(value))
            return false;
        request->reply = value;
        return true;
    case KEY_DEADLINE:
        return parse_number(value, UINT64_MAX, &request->deadline);
    case KEY_TIMEOUT:
        if (!parse_number(value, TIMEOUT_MAX, &number))
            return false;
        request->timeout = (uint32_t)number;
        request->timeout_given = true;
        return true;
    case KEY_WHEN:
        return parse_when(value, &request->when);
    case KEY_REPLACE:
        return parse_replace(value, request);
    case KEY_DRY_RUN:
        return parse_bool(value, &request->dry_run);
    case KEY_SEEN:
        if (!parse_bool(value, &request->no_hits))
            return false;
        request->no_hits = !request->no_hits;
        return true;
    case KEY_FUNCTIONS:
        if (!parse_bool(value, &request->slots_alone))
            return false;
        request->slots_alone = !request->slots_alone;
        return true;
    case KEY_UNLOAD:
        return parse_bool(value, &request->unload);
    case KEY_NAME:
        request->name = value;
        return decode_name(value);
    case KEY_MATCH:
        request->match = value;
        return decode_name(value);
    case KEY_KIND:
        request->kind = value;
        return slot_kind_known(value);
    case KEY_AT:
        return parse_place(value, request);
    case KEY_FAIL:
        return parse_injection(value, request);
    case KEY_NTH:
    case KEY_PROBABILITY:
    case KEY_TIMES:
    case KEY_CALLER:
    case KEY_FOR:
        return take_injection_term(&request->injection, key, value);
    case KEY_COUNT:
        break;
    }
    return false;
}

static enum key find_key(const char *name, size_t length)
{
    int key = 0;

    while (key < KEY_COUNT &&
           (strlen(key_names[key]) != length || memcmp(key_names[key], name, length) != 0))
        key++;
    return (enum key)key;
}

static void take_pair(struct parse *parse, char *token, char *equals)
{
    enum key key = find_key(token, (size_t)(equals - token));
    const char *verb = request_verb_name(parse->request->verb);
    char given[SHOWN_MAX]; /* take_value() changes the text */

    utf8_fit(given, sizeof(given), equals[1] ? equals + 1 : "empty");
    if (!parse->verb_known && key > KEY_NONCE)
        return;
    if (key == KEY_COUNT || (parse->verb_known && !(verbs[parse->request->verb].keys & BIT(key))))
        refuse(parse->why, HP_KEY, "%s does not take the key %.*s=", verb,
               (int)(equals - token > 64 ? 64 : equals - token), token);
    else if (!(BIT(key) & REPEATABLE) && (parse->seen & BIT(key)))
        refuse(parse->why, HP_KEY, "the key %s= is given twice", key_names[key]);
    else if (!take_value(parse->request, key, equals + 1))
        refuse(parse->why, HP_VALUE, "%s= cannot be %s", key_names[key], given);
    if (key < KEY_COUNT)
        parse->seen |= BIT(key);
}

static void take_word(struct parse *parse, const char *token)
{
    struct request *request = parse->request;
    char shown[SHOWN_MAX];

    if (!parse->verb_known)
        return;
    utf8_fit(shown, sizeof(shown), token);
    if (request->verb == REQUEST_REVERT &&
        (strcmp(token, "last") == 0 || strcmp(token, "all") == 0)) {
        if (parse->selected)
            refuse(parse->why, HP_KEY, "revert takes one of last and all, once");
        request->which = token[0] == 'l' ? REVERT_LAST : REVERT_ALL;
        parse->selected = true;
    } else if (request->verb == REQUEST_LOAD) {
        refuse(parse->why, HP_PATH, "%s is not an absolute path", shown);
    } else {
        refuse(parse->why, HP_KEY, "%s does not take the word %s", request_verb_name(request->verb),
               shown);
    }
}

static void take_path(struct parse *parse, const char *path)
{
    if (!parse->verb_known)
        return;
    if (parse->request->verb != REQUEST_LOAD)
        refuse(parse->why, HP_PATH, "%s takes no path", request_verb_name(parse->request->verb));
    parse->request->path = path;
}

static void take_verb(struct parse *parse, const char *token)
{
    char shown[SHOWN_MAX];

    for (size_t i = 0; i < VERB_COUNT; i++) {
        if (strcmp(token, verbs[i].name) == 0) {
            parse->request->verb = (enum request_verb)i;
            parse->verb_known = true;
            return;
        }
    }
    utf8_fit(shown, sizeof(shown), *token ? token : "an empty line");
    refuse(parse->why, HP_VERB, "%s is not a verb", shown);
}

/* Refuse a request that lacks a key which its verb needs. */
static void check_complete(struct parse *parse)
{
    struct request *request = parse->request;

    if (!parse->verb_known)
        return;
    if (request->verb == REQUEST_LOAD && !request->path && !(parse->seen & BIT(KEY_FAIL)) &&
        parse->why->count == 0)
        refuse(parse->why, HP_PATH, "load needs an absolute path");
    if (request->path && (parse->seen & BIT(KEY_FAIL)))
        refuse(parse->why, HP_PATH, "load takes a path or fail=, not both");
    if ((parse->seen & INJECTION_TERMS) && !(parse->seen & BIT(KEY_FAIL)))
        refuse(parse->why, HP_KEY, "nth, probability, times, caller and for go with fail=");
    if ((parse->seen & BIT(KEY_REPLACE)) && (parse->seen & BIT(KEY_FAIL)))
        refuse(parse->why, HP_KEY, "replace= names a symbol of a file, and fail= has none");
    if (request->verb == REQUEST_REVERT && parse->selected && (parse->seen & BIT(KEY_NAME)))
        refuse(parse->why, HP_KEY, "revert takes name=, last or all, not two of them");
    if (request->verb == REQUEST_REVERT && !parse->selected && !(parse->seen & BIT(KEY_NAME)))
        refuse(parse->why, HP_KEY, "revert needs name=, last or all");
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

int request_parse(char *line, size_t length, struct request *request, struct refusal *why)
{
    struct parse parse = {.request = request, .why = why};
    size_t before = why->count;
    bool first = true;
    char *p = line;

    *request =
        (struct request){.timeout = REQUEST_TIMEOUT_DEFAULT, .id = "", .reply = "", .nonce = ""};
    request->verb = (enum request_verb)VERB_COUNT;
    if (memchr(line, '\0', length)) {
        refuse(why, HP_NUL, "the request contains a NUL byte");
        for (size_t i = 0; i < length; i++)
            if (line[i] == '\0')
                line[i] = '?';
    }
    for (;;) {
        char *token, *equals;

        while (is_blank(*p))
            p++;
        if (!*p)
            break;
        token = p;
        if (!first && *token == '/') {
            take_path(&parse, token);
            break;
        }
        while (*p && !is_blank(*p))
            p++;
        if (*p)
            *p++ = '\0';
        equals = strchr(token, '=');
        if (first)
            take_verb(&parse, token);
        else if (equals)
            take_pair(&parse, token, equals);
        else
            take_word(&parse, token);
        first = false;
    }
    if (first)
        take_verb(&parse, "");
    check_complete(&parse);
    return why->count == before ? 0 : -1;
}
