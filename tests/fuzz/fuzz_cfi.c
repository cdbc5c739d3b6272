/*
 * fuzz_cfi.c - any bytes as memory with a search table and call frame information, and as the stack.
 *
 * The first two bytes are where the table begins, the next two the program counter, the fifth says
 * whether the frame was interrupted; what follows is memory from 0x1000 on. The stack is the same
 * bytes.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cfi.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 5, BASE = 0x1000, STEPS_MAX = 16 };

struct memory {
    const uint8_t *bytes;
    size_t size;
};

static bool read_bytes(void *context, uint64_t address, void *to, size_t size)
{
    const struct memory *memory = context;

    if (address < BASE || address - BASE > memory->size || size > memory->size - (address - BASE))
        return false;
    memcpy(to, memory->bytes + (address - BASE), size);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct memory memory;
    struct cfi_memory reader = {read_bytes, &memory};
    struct cfi_frame frame = {.known = (1U << CFI_REGISTERS) - 1}, before;
    struct cfi_function function;
    uint64_t table;

    if (size < HEAD)
        return 0;
    memory = (struct memory){data + HEAD, size - HEAD};
    table = BASE + (uint64_t)(data[0] | data[1] << 8);
    for (unsigned i = 0; i < CFI_REGISTERS; i++)
        frame.value[i] = BASE + 64 * i;
    frame.value[cfi_machine.pc] = BASE + (uint64_t)(data[2] | data[3] << 8);
    frame.signal = data[4] & 1;
    for (unsigned i = 0; i < STEPS_MAX; i++) {
        before = frame;
        if (cfi_step(&reader, table, &frame, &function) == CFI_OK)
            continue;
        if (memcmp(&before, &frame, sizeof(frame)) != 0)
            abort(); /* a frame that was not left has changed */
        break;
    }
    return 0;
}
