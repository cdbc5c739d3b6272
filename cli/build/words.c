/* words.c - see words.h. The quoting is that of POSIX's Shell Command Language, 2.2. */
#include "cli/build/words.h"

#include <stdlib.h>
#include <string.h>

#include "cli/output/output.h"

void words_take(struct word_list *words, char *word)
{
    if (words->count + 2 > words->capacity) {
        words->capacity = words->capacity ? words->capacity * 2 : 32;
        words->list = reallocate(words->list, words->capacity * sizeof(*words->list));
    }
    words->list[words->count++] = word;
    words->list[words->count] = NULL;
}

void words_add_bytes(struct word_list *words, const char *bytes, size_t size)
{
    char *word = allocate(size + 1);

    memcpy(word, bytes, size);
    words_take(words, word);
}

void words_add(struct word_list *words, const char *word)
{
    words_add_bytes(words, word, strlen(word));
}

void words_free(struct word_list *words)
{
    for (size_t i = 0; i < words->count; i++)
        free(words->list[i]);
    free(words->list);
    memset(words, 0, sizeof(*words));
}

/* The word that is being read. */
struct word_reader {
    const char *at;
    enum words_form form;
    char *word; /* has room for the whole text */
    size_t length;
    bool begun; /* '' is a word, too */
};

static void word_byte(struct word_reader *reader, char c)
{
    reader->word[reader->length++] = c;
    reader->begun = true;
}

static bool parts_words(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

/* Read what stands between double quotes, where a backslash quotes only some bytes. A response file's quotes all. */
static const char *read_double(struct word_reader *reader)
{
    reader->begun = true;
    for (reader->at++; *reader->at != '"'; reader->at++) {
        char c = *reader->at, next = c ? reader->at[1] : '\0';

        if (!c)
            return "a quote is not closed";
        if (reader->form != WORDS_RESPONSE && (c == '`' || (c == '$' && next != '"')))
            return "the shell would expand a variable or a command";
        if (c == '\\' && next && (reader->form == WORDS_RESPONSE || strchr("\"\\$`\n", next))) {
            reader->at++;
            if (next == '\n')
                continue;
            c = next;
        }
        word_byte(reader, c);
    }
    reader->at++;
    return NULL;
}

static const char *read_single(struct word_reader *reader)
{
    reader->begun = true;
    for (reader->at++; *reader->at != '\''; reader->at++) {
        if (!*reader->at)
            return "a quote is not closed";
        if (*reader->at == '\\' && reader->form == WORDS_RESPONSE && reader->at[1])
            reader->at++;
        word_byte(reader, *reader->at);
    }
    reader->at++;
    return NULL;
}

static void read_backslash(struct word_reader *reader)
{
    reader->at++;
    if (*reader->at == '\n' && reader->form != WORDS_RESPONSE) {
        reader->at++;
        return;
    }
    if (*reader->at)
        word_byte(reader, *reader->at++);
}

static void end_word(struct word_list *words, struct word_reader *reader)
{
    if (reader->begun)
        words_add_bytes(words, reader->word, reader->length);
    reader->length = 0;
    reader->begun = false;
}

/* Read ';', '&&' and the like. */
static void read_operator(struct word_list *words, struct word_reader *reader)
{
    size_t length = reader->at[1] == reader->at[0] ? 2 : 1;

    end_word(words, reader);
    words_add_bytes(words, reader->at, length);
    reader->at += length;
}

static const char *read_next(struct word_list *words, struct word_reader *reader)
{
    char c = *reader->at;

    if (parts_words(c)) {
        end_word(words, reader);
        reader->at++;
    } else if (c == '"') {
        return read_double(reader);
    } else if (c == '\'') {
        return read_single(reader);
    } else if (c == '\\') {
        read_backslash(reader);
    } else if (reader->form != WORDS_RESPONSE &&
               (c == '`' || (c == '$' && reader->at[1] && !parts_words(reader->at[1])))) {
        return "the shell would expand a variable or a command";
    } else if (reader->form == WORDS_SCRIPT && strchr(";&|<>", c)) {
        read_operator(words, reader);
    } else {
        word_byte(reader, c);
        reader->at++;
    }
    return NULL;
}

const char *words_split(struct word_list *words, const char *text, enum words_form form)
{
    struct word_reader reader = {.at = text, .form = form, .word = allocate(strlen(text) + 1)};
    const char *problem = NULL;

    while (*reader.at && !problem)
        problem = read_next(words, &reader);
    end_word(words, &reader);
    free(reader.word);
    return problem;
}
