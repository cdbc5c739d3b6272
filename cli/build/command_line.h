/*
 * command_line.h - the command of one compilation, changed for a compilation of our own: the same code, other outputs.
 *
 * The options of gcc are those of "Invoking GCC" of its manual; clang takes the same.
 */
#ifndef HOTPATCH_COMMAND_LINE_H
#define HOTPATCH_COMMAND_LINE_H

#include "base/refusal.h"
#include "cli/build/compile_commands.h"

struct command_line {
    char *directory; /* where the compiler runs */
    struct word_list
        words;      /* the compiler and its options, without outputs, and without the source */
    char *source;   /* as the command spells it */
    char *language; /* the value of the last -x before the source, or NULL */
    const char *
        whole; /* the option by which code depends on more than its source (-flto, --coverage), or NULL */
    struct word_list maps; /* the -f...-prefix-map= options of the command */
};

/* Read the entry. Response files are read and put in their place. Return 0, or -1 with HP-COMMANDS. */
int command_line_read(struct command_line *line, const struct compile_entry *entry,
                      struct refusal *why);
void command_line_free(struct command_line *line);

/* Return whether two commands compile the same: they differ in outputs alone. */
bool command_line_same(const struct command_line *a, const struct command_line *b);

/* Where a compilation reads and writes. */
struct command_places {
    const char *
        tree; /* root of a view of the file system: absolute paths below `roots` are taken there; "" : none */
    const char *const *roots; /* directories without a slash at the end */
    size_t root_count;
    const char *object;       /* output */
    const char *dependencies; /* output: the rule of make that the compiler writes */
};

/* Add to `words` the compiler and its arguments. */
void command_line_compose(const struct command_line *line, const struct command_places *places,
                          struct word_list *words);
/* The same for -M: no object, the dependencies alone. */
void command_line_compose_depends(const struct command_line *line,
                                  const struct command_places *places, struct word_list *words);

/* Return the source's path, malloc'd. */
char *command_line_source(const struct command_line *line);
/* Return whether the object is position-independent, as those of shared libraries are (-fPIC; not -fPIE). */
bool command_line_is_pic(const struct command_line *line);
/* Return whether the source is assembler's. */
bool command_line_is_assembler(const struct command_line *line);

#endif
