/* references.c - the addresses that a function's instructions name: see arch_references(). Pure. */
#include <string.h>

#include "arch/arch.h"
#include "arch/x86_64/decode.h"

enum { OPCODE_LEA = 0x8d, OPCODE_LOAD = 0x8b, OPCODE_CONSTANT = 0xc7 };

static uint32_t last_constant(const uint8_t *end)
{
    uint32_t value;

    memcpy(&value, end - sizeof(value), sizeof(value));
    return value;
}

/* mov $imm32, of a program that lies below 2 GiB. */
static bool is_constant(const struct instruction *instruction)
{
    return instruction->kind == INSTRUCTION_PLAIN && instruction->length >= 5 &&
           instruction->length <= 7 &&
           ((instruction->opcode & 0xf8) == 0xb8 || instruction->opcode == OPCODE_CONSTANT);
}

void arch_references(const uint8_t *code, size_t size, uint64_t address, arch_reference *each,
                     void *context)
{
    struct instruction instruction;

    for (size_t at = 0; at < size && instruction_decode(code + at, size - at, &instruction);) {
        at += instruction.length;
        if (is_constant(&instruction))
            each(last_constant(code + at), false, context);
        if (instruction.kind != INSTRUCTION_DATA)
            continue;
        if (instruction.opcode == OPCODE_LEA || instruction.opcode == OPCODE_LOAD)
            each(address + at + (uint64_t)(int64_t)instruction.relative,
                 instruction.opcode == OPCODE_LOAD, context);
    }
}
