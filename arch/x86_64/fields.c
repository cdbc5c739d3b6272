/* fields.c - see arch/fields.h. Pure. */
#include "arch/fields.h"

#include "arch/x86_64/decode.h"

static bool is_relative(const struct instruction *instruction)
{
    return instruction->kind != INSTRUCTION_PLAIN && instruction->kind != INSTRUCTION_FIXED;
}

size_t arch_fields(const uint8_t *code, size_t size, arch_field *each, void *context)
{
    struct instruction instruction;
    size_t at = 0;

    while (at < size && instruction_decode(code + at, size - at, &instruction)) {
        if (is_relative(&instruction))
            each(at + instruction.field, at + instruction.length, context);
        at += instruction.length;
    }
    return at;
}
