/* fuzz_stack_arguments.c - any bytes as a function: how many arguments it reads from the stack is told,
 * or not, in a bounded time. The first byte says where it is cut in two. */
#include <stdint.h>
#include <stdlib.h>

#include "arch/stack_arguments.h"

#define ENTRY UINT64_C(0x400000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    const uint8_t *code;
    size_t size, cut;
};

/* Two functions, the second one far away. */
static const uint8_t *around(void *context, uint64_t address, uint64_t *begin, size_t *size)
{
    const struct input *input = context;
    size_t offset = address - ENTRY;

    if (offset >= input->size)
        return NULL;
    *begin = offset < input->cut ? ENTRY : ENTRY + input->cut;
    *size = offset < input->cut ? input->cut : input->size - input->cut;
    return input->code + (*begin - ENTRY);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input;
    int64_t bytes;

    if (size < 2)
        return 0;
    input = (struct input){data + 1, size - 1, 1 + data[0] % (size - 1)};
    bytes = arch_stack_arguments(ENTRY, around, &input);
    if (bytes != -1 && (bytes < 0 || bytes % 8 != 0))
        abort();
    return 0;
}
