/*
 * baseline_names.c - see baseline_names.h.
 */
#include "resolve/baseline_names.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "resolve/baseline_evidence.h"

/* ------------------------------------------------------- names --- */

/* Return the length of a name without ".123" at its end. */
static size_t base_length(const char *name)
{
    size_t length = strlen(name), end = length;

    while (end > 0 && isdigit((unsigned char)name[end - 1]))
        end--;
    return end > 1 && end < length && name[end - 1] == '.' ? end - 1 : length;
}

static bool same_base(const char *a, const char *b)
{
    size_t length = base_length(a);

    return length == base_length(b) && memcmp(a, b, length) == 0;
}

/* ld's --wrap: references to NAME lead to __wrap_NAME, those to __real_NAME to NAME. */
static bool is_wrapped(const char *name, const char *other)
{
    return (strncmp(other, "__wrap_", 7) == 0 && strcmp(other + 7, name) == 0) ||
           (strncmp(name, "__real_", 7) == 0 && strcmp(name + 7, other) == 0);
}

bool name_matches(const struct baseline_work *work, uint32_t symbol,
                  const struct binary_symbol *other)
{
    const struct rel_symbol *named = &work->object->symbols[symbol];

    if (named->binding != STB_LOCAL)
        return strcmp(named->name, other->name) == 0 || is_wrapped(named->name, other->name);
    return other->binding == STB_LOCAL && (!work->group || other->group == work->group) &&
           same_base(named->name, other->name);
}

struct place_question {
    const struct baseline_work *work;
    uint32_t symbol;
    bool indirect;                     /* an IFUNC's resolver is meant */
    const struct binary_symbol *found; /* the symbol */
    const char *other;                 /* the name of another symbol there */
};

static int match_symbol(const struct binary_symbol *symbol, void *context)
{
    struct place_question *question = context;

    if (!name_matches(question->work, question->symbol, symbol) ||
        (question->indirect && symbol->type != STT_GNU_IFUNC)) {
        if (!question->other)
            question->other = symbol->name;
        return 0;
    }
    question->found = symbol;
    return 1;
}

static bool lies_at(struct baseline_work *work, struct place_question *question, uint64_t address)
{
    binary_at(work->binary, address, match_symbol, question);
    if (question->found && question->found->group)
        work->votes[question->found->group]++;
    return question->found != NULL;
}

static bool is_weak_undefined(const struct rel_symbol *symbol)
{
    return symbol->section == REL_UNDEFINED && symbol->binding == STB_WEAK;
}

static const char *wrong_place(struct baseline_work *work, uint32_t symbol, uint64_t address,
                               const char *other)
{
    const struct binary_symbol *around = other ? NULL : binary_around(work->binary, address);
    const char *name = work->object->symbols[symbol].name;

    if (other)
        snprintf(work->reason, sizeof work->reason,
                 "the object refers to '%.60s', the binary to '%.60s'", name, other);
    else if (around)
        snprintf(work->reason, sizeof work->reason,
                 "the object refers to '%.60s', the binary to '%.60s' + 0x%llx", name, around->name,
                 (unsigned long long)(address - around->address));
    else
        snprintf(work->reason, sizeof work->reason,
                 "the object refers to '%.60s', the binary to 0x%llx", name,
                 (unsigned long long)address);
    return work->reason;
}

/* ------------------------------------------------------- addresses --- */

/* Return whether the resolver at an address is that of the IFUNC. */
static bool is_resolver_of(struct baseline_work *work, uint32_t symbol, uint64_t address)
{
    struct place_question question = {.work = work, .symbol = symbol, .indirect = true};

    return lies_at(work, &question, address);
}

/* Return whether a relocated word is for the symbol. */
static bool word_names(struct baseline_work *work, uint32_t symbol, const struct binary_word *word)
{
    if (word->kind == BINARY_WORD_INDIRECT && is_resolver_of(work, symbol, word->value))
        return true;
    return word->name && strcmp(word->name, work->object->symbols[symbol].name) == 0;
}

static bool is_stub_of(struct baseline_work *work, uint32_t symbol, uint64_t address)
{
    uint64_t at;

    if (!binary_is_stub(work->binary, address, &at))
        return false;
    struct binary_word word = binary_word(work->binary, at);
    return word_names(work, symbol, &word);
}

/* Return whether the binary's symbols do not tell: a local one that was stripped. */
static bool is_nameless(struct baseline_work *work, uint32_t symbol, uint64_t address)
{
    struct place_question question = {.work = work, .symbol = symbol};
    const struct rel_symbol *named = &work->object->symbols[symbol];

    if (named->binding != STB_LOCAL || !binary_has(work->binary, address, 1) ||
        binary_around(work->binary, address))
        return false;
    binary_named(work->binary, named->name, match_symbol, &question);
    return !question.found;
}

const char *name_check_address(struct baseline_work *work, uint32_t symbol, uint64_t address,
                               bool branch)
{
    struct place_question question = {.work = work, .symbol = symbol};
    const struct rel_symbol *named = &work->object->symbols[symbol];
    enum evidence_kind kind = branch ? EVIDENCE_CALL : EVIDENCE_ADDRESS;

    if (named->section == REL_ABSOLUTE)
        return address == named->value ? NULL : wrong_place(work, symbol, address, NULL);
    bool known = work->is_verified[symbol] && work->verified[symbol] == address;
    if (!known && !lies_at(work, &question, address) &&
        !(address == 0 && is_weak_undefined(named)) && !is_stub_of(work, symbol, address) &&
        !is_nameless(work, symbol, address))
        return wrong_place(work, symbol, address, question.other);
    work->is_verified[symbol] = true;
    work->verified[symbol] = address;
    evidence_add(work, symbol, kind, address);
    return NULL;
}

const char *name_check_word(struct baseline_work *work, uint32_t symbol, int64_t offset,
                            uint64_t at)
{
    struct binary_word word = binary_word(work->binary, at);

    switch (word.kind) {
    case BINARY_WORD_SYMBOL:
        return word_names(work, symbol, &word) && word.value == (uint64_t)offset
                   ? NULL
                   : wrong_place(work, symbol, at, word.name);
    case BINARY_WORD_INDIRECT:
        return word_names(work, symbol, &word) ? NULL : wrong_place(work, symbol, at, word.name);
    case BINARY_WORD_PLAIN:
    case BINARY_WORD_ADDRESS:
        return name_check_address(work, symbol, word.value - (uint64_t)offset, false);
    default:
        return wrong_place(work, symbol, at, word.name);
    }
}

const char *name_check_got(struct baseline_work *work, uint32_t symbol, uint64_t at)
{
    const char *reason = name_check_word(work, symbol, 0, at);

    if (!reason)
        evidence_add(work, symbol, EVIDENCE_GOT, at);
    return reason;
}

/* ------------------------------------------------------- thread-locals --- */

struct tls_question {
    const struct baseline_work *work;
    uint32_t symbol;
    int64_t offset;
};

static int match_tls(const struct binary_symbol *symbol, void *context)
{
    const struct tls_question *question = context;

    return symbol->type == STT_TLS && (int64_t)symbol->address == question->offset &&
           name_matches(question->work, question->symbol, symbol);
}

static bool is_at_tls(struct baseline_work *work, uint32_t symbol, int64_t offset)
{
    struct tls_question question = {work, symbol, offset};
    const struct rel_symbol *named = &work->object->symbols[symbol];

    /* Of linkers: the block's begin, or in a program the thread pointer. */
    if (strcmp(named->name, "_TLS_MODULE_BASE_") == 0 &&
        (offset == 0 || (work->has_tls_base && offset == -work->tls_base)))
        return true;
    if (binary_named(work->binary, named->name, match_tls, &question))
        return true;
    if (named->binding != STB_LOCAL)
        return false;
    for (size_t i = 0; i < binary_symbol_count(work->binary); i++) {
        if (match_tls(binary_symbol(work->binary, i), &question))
            return true;
    }
    return false;
}

static const char *wrong_tls(struct baseline_work *work, uint32_t symbol, const char *other)
{
    snprintf(work->reason, sizeof work->reason,
             "the object refers to the thread-local '%.60s', the binary to %s%.60s%s",
             work->object->symbols[symbol].name, other ? "'" : "another offset", other ? other : "",
             other ? "'" : "");
    return work->reason;
}

static const char *check_tls(struct baseline_work *work, uint32_t symbol, int64_t offset)
{
    if (!is_at_tls(work, symbol, offset))
        return wrong_tls(work, symbol, NULL);
    evidence_add(work, symbol, EVIDENCE_TLS, (uint64_t)offset);
    return NULL;
}

const char *name_check_tls_offset(struct baseline_work *work, uint32_t symbol, int64_t offset)
{
    return work->has_tls_base ? check_tls(work, symbol, offset_difference(offset, work->tls_base))
                              : wrong_tls(work, symbol, NULL);
}

const char *name_check_tls_block(struct baseline_work *work, uint32_t symbol, int64_t offset)
{
    if (work->has_tls_base && is_at_tls(work, symbol, offset_difference(offset, work->tls_base)))
        offset = offset_difference(offset, work->tls_base);
    return check_tls(work, symbol, offset);
}

/* The words of a variable of the binary's own: no symbol is named, `word` has its offset. */
static const char *check_own_tls(struct baseline_work *work, uint32_t symbol,
                                 const struct binary_word *word)
{
    if (word->name)
        return strcmp(word->name, work->object->symbols[symbol].name) == 0
                   ? NULL
                   : wrong_tls(work, symbol, word->name);
    if (word->kind == BINARY_WORD_PLAIN)
        return name_check_tls_block(work, symbol, (int64_t)word->value);
    return check_tls(work, symbol, (int64_t)word->value);
}

const char *name_check_tls_got(struct baseline_work *work, uint32_t symbol, uint64_t at)
{
    struct binary_word word = binary_word(work->binary, at);

    if (word.kind != BINARY_WORD_TLS_OFFSET && word.kind != BINARY_WORD_PLAIN)
        return wrong_tls(work, symbol, word.name);
    const char *reason = check_own_tls(work, symbol, &word);
    if (!reason)
        evidence_add(work, symbol, EVIDENCE_TLS_GOT, at);
    return reason;
}

const char *name_check_tls_pair(struct baseline_work *work, uint32_t symbol, uint64_t at)
{
    struct binary_word module = binary_word(work->binary, at);
    struct binary_word offset = binary_word(work->binary, at + sizeof(uint64_t));

    if (module.kind != BINARY_WORD_TLS_MODULE && module.kind != BINARY_WORD_PLAIN)
        return wrong_tls(work, symbol, module.name);
    const char *reason = check_own_tls(work, symbol, &offset);
    if (!reason)
        evidence_add(work, symbol, EVIDENCE_TLS_PAIR, at);
    return reason;
}

const char *name_check_tls_module(struct baseline_work *work, uint64_t at)
{
    struct binary_word word = binary_word(work->binary, at);

    if ((word.kind != BINARY_WORD_TLS_MODULE && word.kind != BINARY_WORD_PLAIN) || word.name)
        return "the binary's access to thread-locals is another";
    evidence_add(work, 0, EVIDENCE_TLS_MODULE, at);
    return NULL;
}

const char *name_check_descriptor(struct baseline_work *work, uint32_t symbol, uint64_t at)
{
    struct binary_word word = binary_word(work->binary, at);

    if (word.kind != BINARY_WORD_TLS_DESCRIPTOR)
        return wrong_tls(work, symbol, word.name);
    return check_own_tls(work, symbol, &word);
}
