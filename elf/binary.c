/*
 * binary.c - see binary.h: bytes by address, thread-locals, PLT.
 */
#include "elf/binary.h"

#include "arch/plt.h"
#include "elf/binary_parts.h"
#include "elf/image.h"
#include "elf/image_bytes.h"

const char *binary_build_id(const struct binary *binary)
{
    return image_build_id(binary->image);
}

bool binary_is_twin(const struct binary *binary)
{
    return binary->twin;
}

bool binary_is_program(const struct binary *binary)
{
    return binary->image->type == ET_EXEC || (binary->image->flags_1 & DF_1_PIE);
}

/* ------------------------------------------------------- bytes --- */

const uint8_t *binary_bytes(const struct binary *binary, uint64_t address, size_t *size)
{
    uint64_t there = image_bytes_from(binary->image, address);

    *size = there;
    return there ? image_bytes_at(binary->image, address, 1) : NULL;
}

bool binary_is_code(const struct binary *binary, uint64_t address)
{
    return image_has(binary->image, address, 1, PF_X);
}

bool binary_is_writable(const struct binary *binary, uint64_t address)
{
    return image_has(binary->image, address, 1, PF_W) && !image_in_relro(binary->image, address, 1);
}

bool binary_has(const struct binary *binary, uint64_t address, uint64_t size)
{
    return image_segment(binary->image, address, size) != NULL;
}

/* ------------------------------------------------------- PLT, thread-locals --- */

bool binary_is_stub(const struct binary *binary, uint64_t address, uint64_t *word)
{
    size_t size;
    const uint8_t *code = binary_bytes(binary, address, &size);

    if (!code || !binary_is_code(binary, address) || !arch_plt_word(code, size, address, word))
        return false;
    enum binary_word_kind kind = binary_word(binary, *word).kind;
    return kind == BINARY_WORD_SYMBOL || kind == BINARY_WORD_INDIRECT;
}

/* Variant II of "ELF Handling For Thread-Local Storage": the program's block ends at the thread pointer. */
bool binary_tls_offset(const struct binary *binary, int64_t *offset)
{
    uint64_t padding;

    if (binary->tls_size == 0 || !binary_is_program(binary))
        return false;
    padding = (0 - binary->tls_address - binary->tls_size) & (binary->tls_align - 1);
    *offset = -(int64_t)(binary->tls_size + padding);
    return true;
}

uint64_t binary_tls_size(const struct binary *binary)
{
    return binary->tls_size;
}
