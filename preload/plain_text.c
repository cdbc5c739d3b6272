/* plain_text.c - see plain_text.h. */
#include "preload/plain_text.h"

#define DIGITS_MAX 20 /* of 64 bits */

char *text_add(char *at, const char *end, const char *more)
{
    while (*more && at + 1 < end)
        *at++ = *more++;
    *at = '\0';
    return at;
}

char *text_add_number(char *at, const char *end, uint64_t number)
{
    char digits[DIGITS_MAX + 1];
    char *first = digits + DIGITS_MAX;

    *first = '\0';
    do {
        *--first = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    return text_add(at, end, first);
}
