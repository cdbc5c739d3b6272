/* proc_text.c - see proc_text.h. */
#include "base/proc_text.h"

static const char *skip_blanks(const char *text)
{
    while (*text == ' ' || *text == '\t')
        text++;
    return text;
}

const char *proc_field(const char *status, const char *key)
{
    for (const char *line = status; *line;) {
        const char *at = line, *k = key;

        while (*k && *at == *k)
            at++, k++;
        if (!*k)
            return skip_blanks(at);
        while (*line && *line++ != '\n')
            ;
    }
    return "";
}

static unsigned digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10) : 99;
}

uint64_t proc_number(const char *text, unsigned base)
{
    uint64_t value = 0;

    for (; digit_of(*text) < base; text++)
        value = value * base + digit_of(*text);
    return value;
}

pid_t proc_innermost(const char *numbers)
{
    pid_t last = 0;

    while (digit_of(*numbers) < 10) {
        last = (pid_t)proc_number(numbers, 10);
        while (digit_of(*numbers) < 10)
            numbers++;
        numbers = skip_blanks(numbers);
    }
    return last;
}

/* Return a field of stat. Field 2, the name, may contain blanks and brackets. */
const char *proc_stat_field(const char *stat, unsigned wanted)
{
    const char *at = stat;

    for (const char *c = stat; *c; c++)
        if (*c == ')')
            at = c;
    for (unsigned field = 2; *at && field < wanted; at++)
        field += *at == ' ';
    return at;
}
