/*
 * file_functions.h - the functions of a file that does not run, and which of them could be
 * replaced at their entries; found and judged as a process finds and judges its own.
 */
#ifndef HOTPATCH_FILE_FUNCTIONS_H
#define HOTPATCH_FILE_FUNCTIONS_H

#include "base/refusal.h"
#include "cli/debug/file_image.h"
#include "elf/functions.h"
#include "elf/object_callers.h"
#include "resolve/function_code.h"
#include "resolve/function_copies.h"
#include "resolve/symbol_spec.h"

struct file_functions {
    const struct file_image *file; /* the caller's */
    struct functions *index;
    struct function_copies *copies;
    struct object_callers *callers;
    bool callers_failed;
};

/* 0, or -1 with the refusal. Close in either case. */
int file_functions_open(struct file_functions *functions, const struct file_image *file,
                        const char *path, struct refusal *why);
void file_functions_close(struct file_functions *functions);

/* `name` is the function's, or OBJECT+0xOFFSET where it has none. */
typedef void file_function_visit(const struct function *function, const char *name,
                                 const struct function_code *code, void *context);
/* Those that `wanted` says yes to, by name. */
typedef bool file_function_wanted(const char *name, void *context);
void file_functions_each(struct file_functions *functions, const char *object,
                         file_function_wanted *wanted, file_function_visit *each, void *context);

/* How many functions at different addresses a target names, the OBJECT in it apart; one of them. */
size_t file_functions_named(const struct file_functions *functions,
                            const struct symbol_spec *target, struct function *found);
/* The function that somebody with debug information says begins there. */
bool file_function_at(const struct file_functions *functions, uint64_t address,
                      struct function *found);

/* What shares code with them, or is a clone; read when first asked for. */
const struct function_copies *file_function_copies(struct file_functions *functions);

/* How its entry can be patched. Which function an IFUNC stands for is known in a process alone: of those that its
 * resolver names none can be patched, or nothing tells which is in use, or it has no problem and no technique. */
void file_function_code(struct file_functions *functions, const struct function *function,
                        struct function_code *out);

#endif
