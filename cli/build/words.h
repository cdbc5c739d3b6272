/*
 * words.h - lists of words, and how a shell and a compiler's response file part a text into words.
 */
#ifndef HOTPATCH_WORDS_H
#define HOTPATCH_WORDS_H

#include <stdbool.h>
#include <stddef.h>

/* Copies of words; `list` ends in NULL once a word was added. */
struct word_list {
    char **list;
    size_t count, capacity;
};

void words_add(struct word_list *words, const char *word);
void words_add_bytes(struct word_list *words, const char *bytes, size_t size);
/* Add a word that was allocated; the list owns it. */
void words_take(struct word_list *words, char *word);
void words_free(struct word_list *words);

enum words_form {
    WORDS_COMMAND, /* sh(1): quotes, backslashes; operators are parts of words */
    WORDS_SCRIPT, /* the same, but an unquoted ';', '&&', '||', '|', '&', '<', '>' is a word of its own */
    WORDS_RESPONSE, /* a response file of gcc: the same quotes, and no variables */
};

/* Add the words of `text`. Return NULL, or what keeps it from being parted: an open quote, a variable, a command
 * substitution. */
const char *words_split(struct word_list *words, const char *text, enum words_form form);

#endif
