/*
 * object_code.h - what the analysis of callers (arch/callers.h) is given about an object: its executable
 * bytes, its functions, and the words that it binds itself.
 *
 * elf/ as image.h says.
 */
#ifndef HOTPATCH_OBJECT_CODE_H
#define HOTPATCH_OBJECT_CODE_H

#include "arch/callers.h"
#include "elf/functions.h"

struct object_code {
    struct arch_object object;
    struct arch_code *code, *data;
    struct arch_function *functions;
    struct arch_word *words;
    size_t functions_size, words_size; /* of the pages */
};

/* Gather the code of `image`, whose functions are `functions`; the image must outlive the result. 0, or -1
 * with `error`: no memory, or damaged relocations. Call object_code_close() in both cases. */
int object_code_open(struct object_code *code, const struct image *image,
                     struct functions *functions, struct elf_error *error);
void object_code_close(struct object_code *code);
/* Free the list of functions: the index, once made, has its own copy. */
void object_code_drop_functions(struct object_code *code);

#endif
