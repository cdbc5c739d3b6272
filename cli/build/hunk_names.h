/*
 * hunk_names.h - the file names of hunks (hunk_lines.h) in one compilation: what the command line says of them, and how its object
 * loses them.
 *
 * __FILE__ in a hunk is what it is without the names: the compiler maps them for macros, and for macros alone.
 */
#ifndef HOTPATCH_HUNK_NAMES_H
#define HOTPATCH_HUNK_NAMES_H

#include <stdbool.h>

#include "cli/build/command_line.h"
#include "cli/build/overlay.h"
#include "elf/line_map.h"
#include "elf/rel_object.h"

struct hunk_names {
    struct line_map map; /* name_count 0: the object stays as it is */
    char *names[HUNK_NAMES_MOST];
};

/* Add the options for the texts of the view to the command's words. The source's own hunks get names unless `plain`. */
void hunk_names_begin(struct hunk_names *names, const struct command_line *line,
                      const struct overlay *view, bool plain, struct word_list *words);
/* Give the object, which is malloc'd, the lines of the edited source. Return false if a name stays in its debug information. */
bool hunk_names_change(const struct hunk_names *names, char **bytes, size_t *size);
/* Return whether a name is in what is loaded: then the compiler did not map it. */
bool hunk_names_leak(const struct hunk_names *names, const struct rel_object *object);
void hunk_names_end(struct hunk_names *names);

#endif
