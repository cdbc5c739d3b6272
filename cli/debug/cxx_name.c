/* cxx_name.c - see cxx_name.h. Demangled names have the form of __cxa_demangle: templates have their return type
 * in front, members their qualifiers after the parameters. */
#include "cli/debug/cxx_name.h"

#include <ctype.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output/output.h"

typedef char *demangler(const char *mangled, char *buffer, size_t *size, int *status);

static demangler *demangle_function(void)
{
    static const char *const libraries[] = {"libstdc++.so.6", "libc++abi.so.1"};
    static demangler *found;
    static bool looked;

    for (size_t i = 0; !looked && !found && i < sizeof(libraries) / sizeof(*libraries); i++) {
        void *library = dlopen(libraries[i], RTLD_LAZY | RTLD_LOCAL);
        void *symbol = library ? dlsym(library, "__cxa_demangle") : NULL;

        memcpy(&found, &symbol, sizeof(found)); /* ISO C has no cast from void * to a function */
    }
    looked = true;
    return found;
}

char *cxx_demangled(const char *symbol)
{
    demangler *demangle;

    if (strncmp(symbol, "_Z", 2) != 0 || !(demangle = demangle_function()))
        return NULL;
    return demangle(symbol, NULL, NULL, NULL);
}

static bool in_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '$';
}

/* Remove blanks in place, except between two words. */
static void squeeze(char *text)
{
    char *to = text;

    for (const char *from = text; *from; from++) {
        const char *next = from + strspn(from, " \t");

        if (next == from)
            *to++ = *from;
        else if (to > text && in_word(to[-1]) && in_word(*next))
            *to++ = ' ';
        if (next > from)
            from = next - 1;
    }
    *to = '\0';
}

static bool ends_with(const char *text, size_t length, const char *end)
{
    size_t n = strlen(end);

    return length >= n && memcmp(text + length - n, end, n) == 0;
}

/* Return where the parameters begin: the bracket that the last ')' closes, unless that is the name operator() or
 * a name space in brackets. Without parameters: the end of the text. */
static size_t parameters_begin(const char *text)
{
    size_t end = strlen(text);
    const char *close = strrchr(text, ')');
    size_t depth = 0;

    if (!close || strncmp(close + 1, "::", 2) == 0)
        return end;
    for (const char *p = close; p >= text; p--) {
        depth += *p == ')';
        if (*p != '(' || --depth != 0)
            continue;
        return ends_with(text, (size_t)(p - text), "operator") ? end : (size_t)(p - text);
    }
    return end;
}

/* Return the first word of the last component: of "ns::Queue<int>::~Queue" it is "Queue". */
static char *leading_word(const char *name)
{
    const char *last = name;
    size_t depth = 0, length = 0;

    for (const char *p = name; *p; p++) {
        depth += *p == '<' || *p == '(';
        if ((*p == '>' || *p == ')') && depth)
            depth--;
        if (depth == 0 && p[0] == ':' && p[1] == ':')
            last = p + 2;
    }
    last += *last == '~';
    while (in_word(last[length]))
        length++;
    if (strncmp(last, "operator", 8) == 0 && length == 8)
        length = 0;
    if (last[length] == ' ') /* "operator bool", or a return type that was typed */
        length = 0;
    return format_text("%.*s", (int)length, last);
}

static void split_parameters(char *text, char **name, char **parameters)
{
    size_t at;

    squeeze(text);
    at = parameters_begin(text);
    *parameters = format_text("%s", text + at);
    *name = format_text("%.*s", (int)at, text);
    free(text);
}

void cxx_wish_make(struct cxx_wish *wish, const char *typed)
{
    split_parameters(format_text("%s", typed), &wish->name, &wish->parameters);
    wish->word = leading_word(wish->name);
}

void cxx_wish_free(struct cxx_wish *wish)
{
    free(wish->name);
    free(wish->parameters);
    free(wish->word);
}

/* Compare with `name`, with or without a return type in front of it. */
static bool same_name(const char *wanted, const char *name)
{
    size_t depth = 0;

    if (strcmp(wanted, name) == 0)
        return true;
    for (const char *p = name; *p; p++) {
        depth += *p == '<' || *p == '(';
        if ((*p == '>' || *p == ')') && depth)
            depth--;
        else if (*p == ' ' && depth == 0 && !ends_with(name, (size_t)(p - name), "operator") &&
                 strcmp(wanted, p + 1) == 0)
            return true;
    }
    return false;
}

static size_t without_qualifiers(const char *parameters)
{
    const char *close = strrchr(parameters, ')');

    return close ? (size_t)(close - parameters) + 1 : strlen(parameters);
}

static enum cxx_match compare_parts(const struct cxx_wish *wish, const char *name,
                                    const char *parameters)
{
    size_t length = without_qualifiers(wish->parameters);

    if (strstr(parameters, "[clone") || !same_name(wish->name, name))
        return CXX_OTHER;
    if (!*wish->parameters)
        return CXX_WITHOUT_PARAMETERS;
    if (strcmp(wish->parameters, parameters) == 0)
        return CXX_SAME;
    if (!wish->parameters[length] && without_qualifiers(parameters) == length &&
        memcmp(wish->parameters, parameters, length) == 0)
        return CXX_WITHOUT_QUALIFIERS;
    return CXX_OVERLOAD;
}

enum cxx_match cxx_compare(const struct cxx_wish *wish, const char *mangled, char **demangled)
{
    demangler *demangle;
    enum cxx_match match;
    char *text, *name, *parameters;
    int status;

    *demangled = NULL;
    if (strncmp(mangled, "_Z", 2) != 0 || !strstr(mangled, wish->word) ||
        !(demangle = demangle_function()) || !(text = demangle(mangled, NULL, NULL, &status)))
        return CXX_OTHER;
    split_parameters(format_text("%s", text), &name, &parameters);
    match = compare_parts(wish, name, parameters);
    free(name);
    free(parameters);
    if (match == CXX_OTHER)
        free(text);
    else
        *demangled = text;
    return match;
}
