/*
 * line_map.h - which lines of an edited source the line numbers of its compilation mean.
 *
 * The number alone does not say it: the text of a hunk and the text behind it may have the same numbers. So the text from
 * the first mark on (cli/build/line_marks.h) was compiled under other file names.
 */
#ifndef HOTPATCH_LINE_MAP_H
#define HOTPATCH_LINE_MAP_H

#include <stddef.h>
#include <stdint.h>

/* Lines whose numbers follow each other. */
struct line_run {
    unsigned name; /* index in names */
    uint64_t from; /* first number */
    uint64_t count;
    uint64_t to; /* what `from` becomes */
};

struct line_map {
    const struct line_run *runs; /* ascending by name and number, disjoint */
    size_t run_count;
    const char *const *names; /* absolute paths, all with the source's own last part */
    size_t name_count;
    const char *prefix; /* of the names, with a slash at its end */
};

/* Return the line that the number means under the name. A number that no run has stays what it is. */
uint64_t line_map_find(const struct line_map *map, unsigned name, uint64_t number);

#endif
