/* injection_result.c - see injection_result.h. */
#include "resolve/injection_result.h"

#include <stddef.h>
#include <string.h>

#include "resolve/signature_call.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static bool is_listed_result(const char *const *list, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i], name) == 0)
            return true;
    return false;
}

static bool begins_with_one(const char *const *list, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strncmp(list[i], name, strlen(list[i])) == 0)
            return true;
    return false;
}

/* Of the C library's. */
static bool libc_is_unfit(const char *name)
{
    static const char *const names[] = {"atof", "difftime", "drand48", "erand48",
                                        "div",  "ldiv",     "lldiv",   "imaxdiv"};
    /* And those of other types, as strtof32x_l and modfl. */
    static const char *const begins[] = {"strtod",  "strtof",  "wcstod",  "wcstof",
                                         "strtold", "wcstold", "frexp",   "ldexp",
                                         "modf",    "scalbn",  "copysign"};

    return is_listed_result(names, COUNT(names), name) ||
           begins_with_one(begins, COUNT(begins), name);
}

/* libm's functions return floating-point numbers but for these, and sincos, which returns nothing. */
static bool libm_is_unfit(const char *name)
{
    static const char *const integers[] = {
        "ilogb",      "llogb",      "lrint",        "llrint",  "lround",  "llround", "isinf",
        "isnan",      "finite",     "fe",           "fromfp",  "ufromfp", "sincos",  "signgam",
        "totalorder", "setpayload", "canonicalize", "matherr", "_"};

    return !begins_with_one(integers, COUNT(integers), name);
}

const char *injection_unfit_result(const char *signature, const char *library, const char *name)
{
    struct signature_call call = signature_call(signature);

    if (signature)
        return call.result_not_one_word ? "a floating-point number or a structure" : NULL;
    if (!library)
        return NULL;
    if (strcmp(library, "libc.so.6") == 0)
        return libc_is_unfit(name) ? "a floating-point number or a structure" : NULL;
    return strcmp(library, "libm.so.6") == 0 && libm_is_unfit(name) ? "a floating-point number"
                                                                    : NULL;
}
