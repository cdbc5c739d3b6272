/*
 * fuzz_bpf.c - any bytes as a system call and a seccomp filter that answers it.
 *
 * The first 53 bytes are the call: its number, the mask of the known arguments, the arguments. The rest is the program.
 * An answer to a call whose arguments are not all known is never milder than that to the call itself.
 */
#include <linux/seccomp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "preload/bpf.h"

enum { HEAD = 4 + 1 + 48, ALL_KNOWN = 0x3f };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* 0: allowed, 1: fails, 2: anything else */
static int severity(uint32_t answer)
{
    switch (answer & SECCOMP_RET_ACTION_FULL) {
    case SECCOMP_RET_ALLOW:
    case SECCOMP_RET_LOG:
        return 0;
    case SECCOMP_RET_ERRNO:
        return 1;
    default:
        return 2;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bpf_call call, whole;
    struct sock_filter *code;
    unsigned count;

    if (size < HEAD)
        return 0;
    memcpy(&call.number, data, 4);
    call.known = data[4];
    memcpy(call.arguments, data + 5, sizeof(call.arguments));
    whole = call;
    whole.known = ALL_KNOWN;
    count = (unsigned)((size - HEAD) / sizeof(*code));
    code = malloc(count * sizeof(*code) + 1); /* so that a read outside is seen */
    if (!code)
        return 0;
    memcpy(code, data + HEAD, count * sizeof(*code));
    if (severity(bpf_run(code, count, &call)) < severity(bpf_run(code, count, &whole)))
        abort();
    free(code);
    return 0;
}
