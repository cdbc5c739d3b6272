/*
 * name_search.h - the functions of a process's objects, or of a file, that a target could mean, by all names that there
 * are: symbols, debug files, DWARF, and C++ names as people type them.
 *
 * For lookup.c.
 */
#ifndef HOTPATCH_NAME_SEARCH_H
#define HOTPATCH_NAME_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/debug/cxx_name.h"
#include "cli/debug/lookup_objects.h"
#include "resolve/symbol_spec.h"

/* One function that a target could mean. */
struct name_candidate {
    const struct lookup_object *object;
    uint64_t address;
    enum cxx_match match; /* CXX_SAME for a symbol's own name */
    char *name;           /* demangled, or the symbol's */
};

struct name_search {
    struct lookup *lookup;
    struct symbol_spec target;
    struct cxx_wish wish;
    bool with_cxx;
    const struct lookup_object *object; /* being searched */
    struct name_candidate *list;
    size_t count;
};

/* Return false where there is nothing to search: the text is no target, or names a version or an offset, which only the
 * process resolves. Else call name_search_end() afterwards. */
bool name_search_begin(struct name_search *search, struct lookup *lookup, const char *text);
void name_search_end(struct name_search *search);

/* Return whether the object is the program. */
bool name_search_is_program(const struct name_search *search, const struct lookup_object *object);
/* Return whether a process looks for functions of that name in the object. */
bool name_search_has_functions(const struct name_search *search,
                               const struct lookup_object *object);

/* Return whether the process finds the target itself; keep the candidates of the first object with such a symbol. */
bool name_search_known(struct name_search *search);
/* Add the candidates of all objects that are meant. */
void name_search_objects(struct name_search *search);
/* Search the debug information for a target that the process does not find itself. */
void name_search_unknown(struct name_search *search);
/* Drop all candidates except those that fit best; return how well they fit. */
enum cxx_match name_search_keep_best(struct name_search *search);
/* Find the library that defines a function which the program does not have; false: another kind of slot is meant. */
bool name_search_defining_library(struct name_search *search);

#endif
