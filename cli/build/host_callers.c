/* host_callers.c - see host_callers.h. */
#include "cli/build/host_callers.h"

#include <elf.h>
#include <string.h>

#include "elf/binary.h"

/* What is looked for: an address, and the names under which other objects, and a library's own stubs, find it. */
struct host_sought {
    const struct binary *binary;
    uint64_t address;
    bool exported;
};

static int name_is_exported(const struct binary_symbol *symbol, void *context)
{
    const char *version;

    return symbol->binding != STB_LOCAL && binary_import(context, symbol->name, &version);
}

static struct host_sought sought_at(const struct binary *binary, uint64_t address)
{
    return (struct host_sought){
        binary, address,
        binary_at(binary, address, name_is_exported, (void *)(uintptr_t)binary) != 0};
}

static int bears_name(const struct binary_symbol *symbol, void *context)
{
    return symbol->binding != STB_LOCAL && strcmp(symbol->name, context) == 0;
}

/* Return whether the word is filled by name with the address. */
static bool word_is_sought(const struct host_sought *sought, const struct binary_word *word)
{
    return sought->exported && word->kind == BINARY_WORD_SYMBOL && word->name &&
           binary_at(sought->binary, sought->address, bears_name, (void *)(uintptr_t)word->name);
}

/* Return whether the four bytes at `at` are where a call or jump leads: its opcode comes before them. */
static bool is_direct_field(const uint8_t *code, size_t at)
{
    return at > 0 && (code[at - 1] == 0xe8 || code[at - 1] == 0xe9 ||
                      (at > 1 && code[at - 2] == 0x0f && (code[at - 1] & 0xf0) == 0x80));
}

/* Likewise of a call or jump through a word. */
static bool is_word_field(const uint8_t *code, size_t at)
{
    return at > 1 && code[at - 2] == 0xff && (code[at - 1] == 0x15 || code[at - 1] == 0x25);
}

/* Return whether the four bytes at `at` may be a distance to data: a ModR/M byte for it comes before them. */
static bool is_data_field(const uint8_t *code, size_t at)
{
    return at > 0 && (code[at - 1] & 0xc7) == 5;
}

/* Return whether the place is a stub or word that is filled by name with what is sought. */
static bool place_is_filled(const struct host_sought *sought, const uint8_t *code, size_t at,
                            uint64_t place)
{
    struct binary_word word;
    uint64_t through = place;

    if (is_direct_field(code, at)) {
        if (!binary_is_stub(sought->binary, place, &through))
            return false;
    } else if (!is_data_field(code, at)) {
        return false;
    }
    word = binary_word(sought->binary, through);
    return word_is_sought(sought, &word);
}

/* Return whether the four bytes at `at` of a function's code at `begin` lead to what is sought: counted from their end, or
 * as they stand. */
static bool field_leads(const struct host_sought *sought, const uint8_t *code, size_t at,
                        uint64_t begin)
{
    int32_t value;
    uint64_t place;

    memcpy(&value, code + at, sizeof(value));
    place = begin + at + sizeof(value) + (uint64_t)(int64_t)value;
    return place == sought->address || (uint64_t)(uint32_t)value == sought->address ||
           (sought->exported && place_is_filled(sought, code, at, place));
}

/* Return the function's code, of `*size` bytes. */
static const uint8_t *function_bytes(const struct binary *binary,
                                     const struct binary_symbol *function, size_t *size)
{
    const uint8_t *bytes;

    *size = 0;
    bytes = binary_bytes(binary, function->address, size);
    if (!bytes)
        *size = 0;
    else if (function->size < *size)
        *size = function->size;
    return bytes;
}

static bool function_refers(const struct host_sought *sought, const struct binary_symbol *function)
{
    size_t size;
    const uint8_t *bytes = function_bytes(sought->binary, function, &size);

    for (size_t i = 0; i + sizeof(int32_t) <= size; i++) {
        if (field_leads(sought, bytes, i, function->address))
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
    struct host_sought sought = sought_at(binary, address);

    for (size_t i = 0; i < binary_symbol_count(binary); i++) {
        const struct binary_symbol *symbol = binary_symbol(binary, i);

        if (symbol_is_function(symbol) && function_refers(&sought, symbol) && each(symbol, context))
            return true;
    }
    return false;
}

static bool data_holds(const struct host_sought *sought, const struct binary_symbol *data)
{
    for (uint64_t at = data->address; at + 8 <= data->address + data->size; at += 8) {
        struct binary_word word = binary_word(sought->binary, at);

        if ((word.kind == BINARY_WORD_ADDRESS || word.kind == BINARY_WORD_PLAIN) &&
            word.value == sought->address)
            return true;
        if (word_is_sought(sought, &word))
            return true;
    }
    return false;
}

/* Return whether the function's code takes the address, to store or to pass it. */
static bool function_takes(const struct host_sought *sought, const struct binary_symbol *function)
{
    size_t size;
    const uint8_t *bytes = function_bytes(sought->binary, function, &size);

    for (size_t i = 0; i + sizeof(int32_t) <= size; i++) {
        if (field_leads(sought, bytes, i, function->address) && !is_direct_field(bytes, i) &&
            !is_word_field(bytes, i))
            return true;
    }
    return false;
}

bool host_address_taken(const struct binary *binary, uint64_t address)
{
    struct host_sought sought = sought_at(binary, address);

    if (binary_word_holds(binary, address))
        return true;
    for (size_t i = 0; i < binary_symbol_count(binary); i++) {
        const struct binary_symbol *symbol = binary_symbol(binary, i);

        if (symbol->type == STT_OBJECT && data_holds(&sought, symbol))
            return true;
        if (symbol_is_function(symbol) && function_takes(&sought, symbol))
            return true;
    }
    return false;
}

/* ---- exported names ---- */

struct host_exports {
    const struct binary *binary;
    binary_symbol_visit *each;
    void *context;
};

static int visit_exported(const struct binary_symbol *symbol, void *context)
{
    const struct host_exports *exports = context;

    return name_is_exported(symbol, (void *)(uintptr_t)exports->binary)
               ? exports->each(symbol, exports->context)
               : 0;
}

int host_exported(const struct binary *binary, uint64_t address, binary_symbol_visit *each,
                  void *context)
{
    struct host_exports exports = {binary, each, context};

    return binary_at(binary, address, visit_exported, &exports);
}
