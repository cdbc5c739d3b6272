/*
 * fuzz_call_number.c - any bytes as the code before a system call.
 *
 * A number that is found does not depend on what lies before the load: the same bytes behind others give it too.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "arch/x86_64/call_number.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *exact, longer[CALL_NUMBER_BYTES + 16];
    long number;

    if (size > CALL_NUMBER_BYTES)
        size = CALL_NUMBER_BYTES;
    exact = malloc(size + 1); /* so that a read outside is seen */
    if (!exact)
        return 0;
    memcpy(exact, data, size);
    number = call_number(exact, size);
    if (number < -1 || number > 1023)
        abort();
    memset(longer, 0xcc, sizeof(longer)); /* int3 is no prefix */
    memcpy(longer + 16, exact, size);
    if (call_number(longer, 16 + size) != number)
        abort();
    free(exact);
    return 0;
}
