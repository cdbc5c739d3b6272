/* fuzz_signature.c - the reader of signatures and targets, over any text. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "resolve/signature.h"
#include "resolve/signature_call.h"
#include "resolve/symbol_spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    char *normal, *again;
    struct symbol_spec target;

    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    symbol_spec_parse(text, &target);
    if (signature_call(text).stack_bytes % 8 != 0)
        abort();
    normal = signature_normal_form(text);
    again = signature_normal_form(text);
    if (!normal || !again || strcmp(normal, again) != 0 || !signature_equal(text, text))
        abort();
    free(normal);
    free(again);
    free(text);
    return 0;
}
