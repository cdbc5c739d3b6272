/*
 * object_code.c - see object_code.h.
 *
 * A word is bound by the object itself if its relocation names no symbol and an address in the code, or a
 * symbol that the object defines: gcc with -fno-semantic-interposition takes such a call for one of
 * the function that it knows, whatever visibility the symbol has.
 */
#include "elf/object_code.h"

#include <stdlib.h>

#include "elf/image_bytes.h"
#include "elf/image_parts.h"
#include "elf/pages.h"
#include "elf/relocations.h"

static bool is_code_address(const struct image *image, uint64_t address)
{
    return image_has(image, address, 1, PF_X);
}

/* ------------------------------------------------------- code --- */

static int list_code(struct object_code *code, const struct image *image, struct elf_error *error)
{
    code->code = calloc(image->segment_count, sizeof *code->code);
    code->data = calloc(image->segment_count, sizeof *code->data);
    if (!code->code || !code->data)
        return elf_fail(error, ELF_NO_MEMORY, "no memory for the PT_LOADs");
    for (size_t i = 0; i < image->segment_count; i++) {
        const struct segment *segment = &image->segments[i];

        if (!(segment->flags & PF_R) || segment->file_size == 0)
            continue;
        code->data[code->object.data_count++] =
            (struct arch_code){segment->address, segment->file_size, segment->bytes};
        if (segment->flags & PF_X)
            code->code[code->object.code_count++] = code->data[code->object.data_count - 1];
    }
    code->object.code = code->code;
    code->object.data = code->data;
    return 0;
}

/* ------------------------------------------------------- functions --- */

/* Without memory yet, count the functions. */
static int add_function(const struct function *function, void *context)
{
    struct object_code *code = context;
    size_t *count = &code->object.function_count;

    if (!code->functions) {
        ++*count;
        return 0;
    }
    if (*count > 0 && code->functions[*count - 1].address == function->address)
        return 0; /* another name */
    code->functions[(*count)++] = (struct arch_function){function->address, function->size};
    return 0;
}

static int list_functions(struct object_code *code, struct functions *functions,
                          struct elf_error *error)
{
    if (functions_each(functions, add_function, code) < 0)
        return elf_fail(error, ELF_NO_MEMORY, "no memory for the functions' order");
    code->functions_size = code->object.function_count * sizeof *code->functions;
    code->functions = pages_get(code->functions_size);
    if (!code->functions)
        return elf_fail(error, ELF_NO_MEMORY, "no memory for the functions");
    code->object.function_count = 0;
    functions_each(functions, add_function, code);
    code->object.functions = code->functions;
    return 0;
}

void object_code_drop_functions(struct object_code *code)
{
    pages_drop(code->functions, code->functions_size);
    code->functions = NULL;
    code->object.functions = NULL;
    code->object.function_count = 0;
}

/* ------------------------------------------------------- words --- */

static bool binds_itself(const struct image *image, const struct image_relocation *relocation,
                         uint64_t *target)
{
    switch (relocation->type) {
    case ARCH_RELOCATION_RELATIVE:
        *target = (uint64_t)relocation->addend;
        break;
    case ARCH_RELOCATION_GLOB_DAT:
    case ARCH_RELOCATION_JUMP_SLOT:
        *target = relocation->symbol.value;
        break;
    case ARCH_RELOCATION_ADDRESS:
        *target = relocation->symbol.value + (uint64_t)relocation->addend;
        break;
    default:
        return false;
    }
    if (relocation->type != ARCH_RELOCATION_RELATIVE &&
        (!relocation->has_symbol || !relocation->symbol.defined ||
         relocation->symbol.type == STT_GNU_IFUNC))
        return false;
    return is_code_address(image, *target);
}

struct pointer_words {
    struct object_code *code;
    const struct image *image;
};

static int add_pointer_word(const struct image_relocation *relocation, void *context)
{
    struct pointer_words *words = context;
    struct object_code *code = words->code;
    uint64_t target;

    if (!binds_itself(words->image, relocation, &target))
        return 0;
    if (code->words)
        code->words[code->object.word_count] = (struct arch_word){relocation->where, target};
    code->object.word_count++;
    return 0;
}

static int compare_pointer_words(const void *a, const void *b)
{
    const struct arch_word *left = a, *right = b;

    return (left->where > right->where) - (left->where < right->where);
}

static int list_words(struct object_code *code, const struct image *image, struct elf_error *error)
{
    struct pointer_words words = {code, image};

    if (image_relocations(image, add_pointer_word, &words, error))
        return -1;
    code->words_size = code->object.word_count * sizeof *code->words;
    code->words = pages_get(code->words_size);
    if (!code->words)
        return elf_fail(error, ELF_NO_MEMORY, "no memory for the words");
    code->object.word_count = 0;
    if (image_relocations(image, add_pointer_word, &words, error))
        return -1;
    qsort(code->words, code->object.word_count, sizeof *code->words, compare_pointer_words);
    code->object.words = code->words;
    return 0;
}

int object_code_open(struct object_code *code, const struct image *image,
                     struct functions *functions, struct elf_error *error)
{
    *code = (struct object_code){0};
    if (list_code(code, image, error) || list_functions(code, functions, error))
        return -1;
    return list_words(code, image, error);
}

void object_code_close(struct object_code *code)
{
    pages_drop(code->functions, code->functions_size);
    pages_drop(code->words, code->words_size);
    free(code->code);
    free(code->data);
    *code = (struct object_code){0};
}
