/* step_string.c - see base/step_string.h. Intel SDM, volume 2, "MOVS", "STOS", "REP". */
#include "base/step_string.h"

#include <stdbool.h>
#include <string.h>
#include <sys/uio.h>
#include <ucontext.h>

#include "base/sys.h"

enum { CHUNK = 4096, CHUNKS = 16 };

#define DIRECTION_FLAG 0x400

struct string {
    bool moves;   /* false: it stores rax */
    size_t width; /* of one iteration, in bytes */
};

/* Decode a string instruction. Prefixes that change an address are not handled. */
static bool decode_string(const uint8_t *code, size_t size, struct string *string)
{
    bool repeated = false, narrow = false, wide = false;
    size_t at = 0;

    for (; at < size; at++) {
        if (code[at] == 0xf3 || code[at] == 0xf2)
            repeated = true;
        else if (code[at] == 0x66)
            narrow = true;
        else
            break;
    }
    if (at < size && (code[at] & 0xf0) == 0x40)
        wide = code[at++] & 8;
    if (!repeated || at >= size)
        return false;
    string->moves = code[at] == 0xa4 || code[at] == 0xa5;
    string->width = !(code[at] & 1) ? 1 : wide ? 8 : narrow ? 2 : 4;
    return string->moves || code[at] == 0xaa || code[at] == 0xab;
}

/* Copy memory by the kernel: bytes that cannot be read or written are left out, see process_vm_readv(2). */
static size_t copy(uint64_t to, const struct iovec *from, size_t count, size_t size)
{
    struct iovec local = {(void *)(uintptr_t)to, size};
    long copied =
        sys_call(SYS_process_vm_readv, sys_getpid(), (long)&local, 1, (long)from, (long)count, 0);

    return copied > 0 ? (size_t)copied : 0;
}

static size_t fill_word(uint64_t to, uint64_t value, size_t width, size_t size)
{
    static uint8_t pattern[CHUNK];
    struct iovec from[CHUNKS];

    for (size_t at = 0; at < sizeof(pattern); at += width)
        memcpy(pattern + at, &value, width);
    for (size_t i = 0; i < CHUNKS; i++)
        from[i] = (struct iovec){pattern, sizeof(pattern)};
    return copy(to, from, CHUNKS, size);
}

void step_string_shorten(void *context, const uint8_t *code, size_t size)
{
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    uint64_t to = (uint64_t)registers[REG_RDI], from = (uint64_t)registers[REG_RSI];
    uint64_t rounds = (uint64_t)registers[REG_RCX], most = CHUNK * CHUNKS, done;
    struct string string;

    if (!decode_string(code, size, &string) || rounds < 2 || (registers[REG_EFL] & DIRECTION_FLAG))
        return;
    rounds = rounds - 1 < most / string.width ? rounds - 1 : most / string.width;
    /* The processor would repeat bytes that are first written and then read. */
    if (string.moves && to - from < rounds * string.width)
        return;
    if (string.moves)
        done = copy(to, &(struct iovec){(void *)(uintptr_t)from, rounds * string.width}, 1,
                    rounds * string.width);
    else
        done = fill_word(to, (uint64_t)registers[REG_RAX], string.width, rounds * string.width);
    done /= string.width;
    registers[REG_RCX] -= (greg_t)done;
    registers[REG_RDI] += (greg_t)(done * string.width);
    if (string.moves)
        registers[REG_RSI] += (greg_t)(done * string.width);
}
