/*
 * fuzz_callers.c - any bytes as an object's code: what its functions must keep is found without a read
 * outside them, in bounded time, and is a set of registers that can be kept.
 *
 * The first byte is the number of functions (1 to 8), two bytes for each say where it begins, and two
 * where the object's own word points to; the rest is the code, and the data of jump tables.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "arch/callers.h"

#define BASE UINT64_C(0x10000)

enum { FUNCTIONS_MAX = 8, CODE_MAX = 1 << 14 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
    if (!condition)
        abort();
}

struct input {
    struct arch_function functions[FUNCTIONS_MAX];
    struct arch_code code;
    struct arch_word word;
    struct arch_object object;
};

static int compare(const void *a, const void *b)
{
    const struct arch_function *left = a, *right = b;

    return (left->address > right->address) - (left->address < right->address);
}

static uint16_t take(const uint8_t *data)
{
    return (uint16_t)(data[0] | data[1] << 8);
}

/* Ascending, each once, up to the next one. */
static size_t settle(struct arch_function *functions, size_t count, uint64_t end)
{
    size_t kept = 0;

    qsort(functions, count, sizeof(*functions), compare);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || functions[kept - 1].address != functions[i].address)
            functions[kept++] = functions[i];
    for (size_t i = 0; i < kept; i++)
        functions[i].size = (i + 1 < kept ? functions[i + 1].address : end) - functions[i].address;
    return kept;
}

static int read_input(struct input *input, const uint8_t *data, size_t size)
{
    size_t count = size > 0 ? data[0] % FUNCTIONS_MAX + 1u : 0, head = 3 + 2 * count;

    if (size <= head || size - head > CODE_MAX)
        return 0;
    memset(input, 0, sizeof(*input));
    input->code = (struct arch_code){BASE, size - head, data + head};
    for (size_t i = 0; i < count; i++)
        input->functions[i].address = BASE + take(data + 1 + 2 * i) % (size - head);
    count = settle(input->functions, count, BASE + size - head);
    input->word = (struct arch_word){BASE + size, BASE + take(data + head - 2) % (size - head)};
    input->object = (struct arch_object){
        &input->code, 1, &input->code, 1, input->functions, count, &input->word, 1, NULL, NULL};
    return 1;
}

static void ask(struct arch_callers *callers, uint64_t entry)
{
    struct arch_caller list[2];
    struct arch_kept kept, again;
    uint64_t site, target;
    size_t count;

    arch_callers_kept(callers, entry, &kept, list, 2, &count);
    require((kept.general & ~ARCH_GENERAL_CALLER_SAVED) == 0);
    require((kept.unsure_general & ~5) == 0 && (kept.unsure_vector & ~3u) == 0);
    require((kept.vector == 0) == (kept.vector_bytes == 0));
    arch_callers_kept(callers, entry, &again, NULL, 0, NULL);
    require(kept.general == again.general && kept.align == again.align);
    if (arch_callers_jump_into(callers, entry + 1, entry + 16, &site, &target))
        require(target > entry && target < entry + 16);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input;
    struct arch_callers *callers;

    if (!read_input(&input, data, size))
        return 0;
    callers = arch_callers_open(&input.object);
    require(callers != NULL);
    for (size_t i = 0; i < input.object.function_count; i++)
        ask(callers, input.functions[i].address);
    arch_callers_close(callers);
    return 0;
}
