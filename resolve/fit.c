/* fit.c - see fit.h. */
#include "resolve/fit.h"

#include <stdbool.h>
#include <stdio.h>

#include "include/hotpatch.h"
#include "resolve/signature.h"

static const char *type_of(uint32_t kind, const char *signature)
{
    return kind == HOTPATCH_KIND_UNTYPED ? HOTPATCH_UNTYPED_SIGNATURE : signature;
}

enum fit fit_judge(uint32_t kind, const char *signature, uint32_t slot_kind,
                   const char *slot_signature)
{
    bool data = kind == HOTPATCH_KIND_DATA, untyped = kind == HOTPATCH_KIND_UNTYPED;

    if (data != (slot_kind == HOTPATCH_KIND_DATA))
        return FIT_OTHER_KIND;
    signature = type_of(kind, signature);
    slot_signature = type_of(slot_kind, slot_signature);
    if (!signature || !slot_signature || signature_equal(signature, slot_signature))
        return FIT_AGREES;
    return untyped != (slot_kind == HOTPATCH_KIND_UNTYPED) ? FIT_OTHER_KIND : FIT_OTHER_SIGNATURE;
}

void fit_describe(uint32_t kind, const char *signature, char *text, size_t size)
{
    if (kind == HOTPATCH_KIND_DATA)
        snprintf(text, size, "data");
    else if (kind == HOTPATCH_KIND_UNTYPED)
        snprintf(text, size, "untyped");
    else if (signature)
        snprintf(text, size, "the function `%s`", signature);
    else
        snprintf(text, size, "a function");
}
