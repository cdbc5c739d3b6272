/*
 * resolver.h - what the spelling of a target means. Compiled into the engine, which searches the live process, and
 * into the command, which searches files: `hotpatch check FILE` chooses what a load chooses.
 *
 * A target means the first of these that exists:
 *
 *   1. declared slots called NAME of the objects that OBJECT names, of all objects without OBJECT
 *   2. the function that debug information gave for the target
 *   3. functions called NAME, or the function at the offset, of OBJECT; without OBJECT, of the program
 *   4. imports called NAME that OBJECT defines, or all imports called NAME without OBJECT
 *   5. imports called NAME that OBJECT imports
 *
 * More than one result of a step is ambiguous. A function that cannot be patched at its entry is left for 4 and 5:
 * the calls through imports can still be switched. @FILE.c is a static function, so that 1, 4 and 5 do not apply;
 * @VERSION is a symbol version, so that 1 does not apply; to OBJECT+0xOFFSET only 2 and 3 apply.
 *
 * Any thread; no allocation. In the engine inside objects_locked().
 */
#ifndef HOTPATCH_RESOLVER_H
#define HOTPATCH_RESOLVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "resolve/symbol_spec.h"

struct function;
struct functions;

enum resolver_kind { RESOLVER_NOTHING, RESOLVER_DECLARED, RESOLVER_FUNCTION, RESOLVER_IMPORT };

/* By which object an import is found: the one that defines the symbol, or one that imports it. */
enum resolver_side { RESOLVER_DEFINER, RESOLVER_IMPORTER };

/* What the caller knows. Each function returns how many candidates there are, and keeps them in `context`. */
struct resolver_source {
    size_t (*declared)(const struct symbol_spec *spec, void *context);
    /* Return whether debug information gave a place for the target; `count`: of the functions found there. */
    bool (*place)(const struct symbol_spec *spec, size_t *count, void *context);
    size_t (*functions)(const struct symbol_spec *spec, void *context);
    /* Return whether the one function that place() or functions() found can be patched at its entry. */
    bool (*patchable)(void *context);
    size_t (*imports)(const struct symbol_spec *spec, enum resolver_side side, void *context);
};

struct resolver_choice {
    enum resolver_kind
        kind;     /* RESOLVER_NOTHING: HP-NO-TARGET, or why the function cannot be patched */
    size_t count; /* above 1: HP-AMBIGUOUS */
};

struct resolver_choice resolver_choose(const struct symbol_spec *spec,
                                       const struct resolver_source *source, void *context);

/* Return whether the target can mean a declared slot. */
bool resolver_may_be_declared(const struct symbol_spec *spec);
/* Return whether the target can mean functions of this object: OBJECT names it, or there is no OBJECT and it is the
 * program. Parameters as of symbol_spec_object_matches(). */
bool resolver_has_functions(const struct symbol_spec *spec, bool is_program, const char *path,
                            const char *soname, const char *name_space);
/* Return whether a symbol of this version (NULL: none) can be meant. */
bool resolver_version_matches(const struct symbol_spec *spec, const char *version);

/*
 * Call `each` for every function of one object that NAME@FILE.c, NAME@VERSION or the offset names; OBJECT is not
 * compared. Aliases, several names of one address, are one function. Of several versions of a name only the default
 * version counts, which is what ld.so takes, unless there is none. `start`: where a program that does not move is
 * loaded (ET_EXEC), else 0. Return how many functions there are.
 */
typedef void resolver_function_visit(const struct function *function, void *context);
size_t resolver_functions(struct functions *functions, uint64_t start,
                          const struct symbol_spec *spec, resolver_function_visit *each,
                          void *context);

/*
 * Find the function that begins at `offset`: before load bias, or from the beginning of a program that does not
 * move. `known`: debug information says that one begins there; then it need not begin by the object's own tables.
 */
bool resolver_function_at(struct functions *functions, uint64_t start, uint64_t offset, bool known,
                          struct function *out);

#endif
