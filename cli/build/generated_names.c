/* generated_names.c - see generated_names.h. The names are gcc's (cgraphclones.c, gimplify.c, tree-switch-conversion.c)
 * and clang's. */
#include "cli/build/generated_names.h"

#include <string.h>

static bool begins(const char *name, const char *with)
{
    return strncmp(name, with, strlen(with)) == 0;
}

static bool is_digit(char letter)
{
    return letter >= '0' && letter <= '9';
}

size_t name_stem(const char *name)
{
    size_t length = strlen(name), at = length;

    while (at > 0 && is_digit(name[at - 1]))
        at--;
    return at < length && at > 1 && name[at - 1] == '.' ? at - 1 : length;
}

/* "C.7.1234" or "C.7": a constant of gcc's. */
static bool is_numbered(const char *name, const char *stem)
{
    size_t length = strlen(stem);

    return begins(name, stem) && name[length] == '.' && is_digit(name[length + 1]);
}

bool name_is_fresh(const char *name)
{
    static const char *const stems[] = {
        "CSWTCH", "__func__", "__FUNCTION__", "__PRETTY_FUNCTION__", "C", "__compound_literal",
    };

    if (!*name || begins(name, ".L") || begins(name, "switch.table."))
        return true;
    for (size_t i = 0; i < sizeof(stems) / sizeof(*stems); i++) {
        if (is_numbered(name, stems[i]))
            return true;
    }
    return begins(name, "__func__.") || begins(name, "__PRETTY_FUNCTION__.") ||
           begins(name, "__const.");
}

static const char *clone_suffix(const char *name)
{
    static const char *const suffixes[] = {".isra.", ".constprop.", ".part.",    ".lto_priv.",
                                           ".cold",  ".llvm.",      ".simdclone"};
    const char *first = NULL;

    for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++) {
        const char *found = strstr(name, suffixes[i]);

        if (found && found != name && (!first || found < first))
            first = found;
    }
    return first;
}

bool name_is_part(const char *name)
{
    const char *found = strstr(name, ".cold");

    return found && found != name && (found[5] == '\0' || found[5] == '.');
}

bool name_is_clone(const char *name)
{
    return clone_suffix(name) && !name_is_part(name);
}

size_t name_origin(const char *name)
{
    const char *suffix = clone_suffix(name);

    return suffix ? (size_t)(suffix - name) : strlen(name);
}

/* At a dot: step over the number behind it, if there is one. */
static const char *after_number(const char *at)
{
    const char *end = at + 1;

    while (is_digit(*end))
        end++;
    return end > at + 1 && (*end == '.' || *end == '\0') ? end : at;
}

bool name_same_but_numbers(const char *one, const char *two)
{
    for (;;) {
        if (*one == '.' && *two == '.') {
            const char *one_end = after_number(one), *two_end = after_number(two);

            if (one_end != one && two_end != two) {
                one = one_end;
                two = two_end;
                continue;
            }
        }
        if (*one != *two)
            return false;
        if (!*one)
            return true;
        one++, two++;
    }
}
