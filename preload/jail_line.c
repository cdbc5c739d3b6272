/* jail_line.c - see jail_line.h. */
#include "preload/jail_line.h"

#include <limits.h>
#include <stdint.h>

#define ERROR_MAX 4095 /* the largest error number of the kernel, include/linux/err.h */

/* Read digits up to a blank or the end of the text, and move `at` after them. Return false for anything else. */
static bool take_digits(const char **at, uint64_t max, uint64_t *number)
{
    const char *p = *at;

    for (*number = 0; *p >= '0' && *p <= '9'; p++) {
        *number = *number * 10 + (uint64_t)(*p - '0');
        if (*number > max)
            return false;
    }
    if (p == *at || (*p != ' ' && *p != '\0'))
        return false;
    *at = p + (*p == ' ');
    return true;
}

bool jail_line_parse(const char *bytes, struct jail_line *line)
{
    uint64_t number, error;

    if (!take_digits(&bytes, UINT_MAX, &number) || !take_digits(&bytes, ERROR_MAX, &error))
        return false;
    *line = (struct jail_line){(unsigned)number, (int)error, bytes};
    return true;
}
