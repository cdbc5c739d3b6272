/*
 * binary_read.c - see binary_read.h.
 *
 * The file is read, not mapped: a linker that writes it anew meanwhile must not raise SIGBUS.
 */
#include "elf/binary_read.h"

#include <stdlib.h>
#include <string.h>

#include "elf/binary_parts.h"
#include "elf/binary_symbols.h"
#include "elf/binary_words.h"
#include "elf/image.h"
#include "elf/pages.h"
#include "elf/symbol_file.h"

#define BINARY_MAX (UINT64_C(1) << 33)

/* ------------------------------------------------------- opening --- */

static int read_whole_binary(struct binary *binary, const struct symbol_file *file,
                             struct elf_error *error)
{
    if (file->size == 0 || file->size > BINARY_MAX)
        return elf_fail(error, ELF_DAMAGED, "the file is empty or too large");
    binary->bytes = pages_get(file->size);
    if (!binary->bytes)
        return elf_fail(error, ELF_NO_MEMORY, "no memory for the file");
    binary->size = file->size;
    if (!symbol_file_read(file, binary->bytes, 0, file->size))
        return elf_fail(error, ELF_DAMAGED, "the file cannot be read");
    return 0;
}

static void find_tls(struct binary *binary, const struct symbol_file *file)
{
    for (size_t i = 0; i < file->header.e_phnum; i++) {
        const Elf64_Phdr *header = &file->segments[i];
        if (header->p_type != PT_TLS)
            continue;
        binary->tls_address = header->p_vaddr;
        binary->tls_size = header->p_memsz;
        binary->tls_align = header->p_align ? header->p_align : 1;
    }
}

/* Return the next section that takes memory in the process, or NULL. */
static const Elf64_Shdr *next_allocated(const struct symbol_file *file, size_t *at)
{
    while (*at < file->section_count) {
        const Elf64_Shdr *section = &file->sections[(*at)++];
        if (section->sh_flags & SHF_ALLOC)
            return section;
    }
    return NULL;
}

/* Return whether the allocated sections of two files have the same names, addresses and sizes. */
static bool is_same_layout(const struct symbol_file *a, const struct symbol_file *b)
{
    size_t at_a = 0, at_b = 0;

    for (size_t count = 0;; count++) {
        const Elf64_Shdr *first = next_allocated(a, &at_a), *second = next_allocated(b, &at_b);
        if (!first || !second)
            return !first && !second && count > 0;
        if (first->sh_addr != second->sh_addr || first->sh_size != second->sh_size ||
            strcmp(symbol_file_section_name(a, first), symbol_file_section_name(b, second)) != 0)
            return false;
    }
}

static int read_debug(struct binary *binary, const struct symbol_file *file, int descriptor,
                      struct elf_error *error)
{
    struct symbol_file debug;
    int result = -1;

    if (symbol_file_open(&debug, descriptor, error)) {
        struct elf_error why = *error;
        return elf_fail(error, why.code, "the debug file: %.200s", why.text);
    }
    binary->twin = !file->build_id[0] || strcmp(file->build_id, debug.build_id) != 0;
    if (binary->twin && !is_same_layout(file, &debug))
        elf_error_set(
            error, ELF_OTHER_BINARY,
            "the debug file has neither the program's build-id nor sections at the same addresses "
            "with the same sizes");
    else
        result = binary_read_symbols(binary, &debug, error);
    symbol_file_close(&debug);
    return result;
}

static int read_binary(struct binary *binary, const struct symbol_file *file, int debug,
                       struct elf_error *error)
{
    if (read_whole_binary(binary, file, error) ||
        image_open(&binary->image, binary->bytes, binary->size, 0, error))
        return -1;
    find_tls(binary, file);
    if (binary_read_words(binary, error))
        return -1;
    return debug >= 0 ? read_debug(binary, file, debug, error)
                      : binary_read_symbols(binary, file, error);
}

int binary_open(struct binary **out, int file, int debug, struct elf_error *error)
{
    struct symbol_file opened;
    struct binary *binary = calloc(1, sizeof *binary);

    *out = NULL;
    if (!binary)
        return elf_fail(error, ELF_NO_MEMORY, "no memory for the file");
    if (symbol_file_open(&opened, file, error)) {
        free(binary);
        return -1;
    }
    int result = read_binary(binary, &opened, debug, error);
    symbol_file_close(&opened);
    if (result)
        binary_close(binary);
    else
        *out = binary;
    return result;
}

void binary_close(struct binary *binary)
{
    if (!binary)
        return;
    binary_free_symbols(binary);
    free(binary->words);
    image_close(binary->image);
    pages_drop(binary->bytes, binary->size);
    free(binary);
}
