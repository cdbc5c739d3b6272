/* host_callers.c - see host_callers.h. */
#include "cli/build/host_callers.h"

#include <elf.h>
#include <string.h>

#include "elf/binary.h"

static bool field_leads_to(const uint8_t *field, uint64_t place, uint64_t address)
{
    int32_t value;

    memcpy(&value, field, sizeof(value));
    return place + sizeof(value) + (uint64_t)(int64_t)value == address ||
           (uint64_t)(uint32_t)value == address;
}

static bool function_refers(const struct binary *binary, const struct binary_symbol *function,
                            uint64_t address)
{
    size_t size = 0;
    const uint8_t *bytes = binary_bytes(binary, function->address, &size);

    if (!bytes)
        return false;
    if (function->size < size)
        size = function->size;
    for (size_t i = 0; i + sizeof(int32_t) <= size; i++) {
        if (field_leads_to(bytes + i, function->address + i, address))
            return true;
    }
    return false;
}

static bool symbol_is_function(const struct binary_symbol *symbol)
{
    return symbol->type == STT_FUNC || symbol->type == STT_GNU_IFUNC;
}

bool host_callers(const struct binary *binary, uint64_t address, host_caller_visit *each,
                  void *context)
{
    for (size_t i = 0; i < binary_symbol_count(binary); i++) {
        const struct binary_symbol *symbol = binary_symbol(binary, i);

        if (symbol_is_function(symbol) && function_refers(binary, symbol, address) &&
            each(symbol, context))
            return true;
    }
    return false;
}

static bool data_holds(const struct binary *binary, const struct binary_symbol *data,
                       uint64_t address)
{
    for (uint64_t at = data->address; at + 8 <= data->address + data->size; at += 8) {
        struct binary_word word = binary_word(binary, at);

        if ((word.kind == BINARY_WORD_ADDRESS || word.kind == BINARY_WORD_PLAIN) &&
            word.value == address)
            return true;
    }
    return false;
}

static int symbol_is_exported(const struct binary_symbol *symbol, void *context)
{
    const char *version;

    return symbol->binding != STB_LOCAL && binary_import(context, symbol->name, &version);
}

/* Return whether the four bytes at `at` are the distance of a call or jump: its opcode comes before them. */
static bool is_branch_field(const uint8_t *code, size_t at)
{
    return at > 0 && (code[at - 1] == 0xe8 || code[at - 1] == 0xe9 ||
                      (at > 1 && code[at - 2] == 0x0f && (code[at - 1] & 0xf0) == 0x80));
}

/* Return whether the function's code takes the address, to store or to pass it. */
static bool function_takes(const struct binary *binary, const struct binary_symbol *function,
                           uint64_t address)
{
    size_t size = 0;
    const uint8_t *bytes = binary_bytes(binary, function->address, &size);

    if (!bytes)
        return false;
    if (function->size < size)
        size = function->size;
    for (size_t i = 0; i + sizeof(int32_t) <= size; i++) {
        if (field_leads_to(bytes + i, function->address + i, address) && !is_branch_field(bytes, i))
            return true;
    }
    return false;
}

bool host_address_escapes(const struct binary *binary, uint64_t address)
{
    if (binary_at(binary, address, symbol_is_exported, (void *)(uintptr_t)binary))
        return true;
    for (size_t i = 0; i < binary_symbol_count(binary); i++) {
        const struct binary_symbol *symbol = binary_symbol(binary, i);

        if (symbol->type == STT_OBJECT && data_holds(binary, symbol, address))
            return true;
        if (symbol_is_function(symbol) && function_takes(binary, symbol, address))
            return true;
    }
    return false;
}
