/*
 * grammar.h - sources that bison, byacc or flex have written: found by their #line directives, and written again.
 *
 * Nothing of the user's build rules is known. The options are those with which the unedited grammar gives, byte for byte, the
 * source that is there.
 */
#ifndef HOTPATCH_GRAMMAR_H
#define HOTPATCH_GRAMMAR_H

#include "cli/build/compile.h"

/* What a generated source tells of itself. */
struct grammar {
    const char *tool; /* "bison", "byacc", "flex"; NULL: it is none that is known */
    char *input;      /* the grammar as the #line directives spell it */
    char *output;     /* the source likewise */
    char *prefix;     /* of the parser's names, or NULL: "yy" */
};

/* Return whether the file is one that these tools read. */
bool grammar_is_input(const char *path);
/* Read the head and the directives of a source. Return whether it comes from a grammar whose base name is `input_base` (NULL: any). */
bool grammar_read(struct grammar *grammar, const char *text, size_t size, const char *input_base);
void grammar_free(struct grammar *grammar);

/* What a tool wrote. */
struct grammar_output {
    char *source; /* malloc'd; NULL: it wrote none */
    size_t source_size;
    char *header; /* malloc'd, or NULL */
    size_t header_size;
    char *header_path; /* where the header belongs */
    char *words;       /* of the tool, if it failed */
};

/* Find the options with which the tool, run in `directory`, makes `source` of `input`. Return their number, or -1. */
int grammar_find_options(struct workplace *place, const struct grammar *grammar,
                         const char *directory, const char *input, size_t input_size,
                         const char *source, size_t source_size, struct grammar_output *output);
/* Run the tool with options that grammar_find_options() found. */
void grammar_run(struct workplace *place, const struct grammar *grammar, const char *directory,
                 const char *input, size_t input_size, int options, struct grammar_output *output);
void grammar_output_free(struct grammar_output *output);

#endif
