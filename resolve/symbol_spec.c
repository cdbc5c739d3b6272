/* symbol_spec.c - see symbol_spec.h. */
#include "resolve/symbol_spec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static int copy_part(char *to, size_t size, const char *from, size_t length)
{
    if (length == 0 || length >= size)
        return -1;
    memcpy(to, from, length);
    to[length] = '\0';
    return 0;
}

/* Return the colon that ends OBJECT: the first that is not half of a C++ "::". */
static const char *object_end(const char *text)
{
    for (const char *p = strchr(text, ':'); p; p = strchr(p, ':')) {
        if (p[1] != ':')
            return p;
        p += 2;
    }
    return NULL;
}

static bool is_source_file(const char *name)
{
    static const char *const suffixes[] = {".c", ".cc", ".cpp", ".cxx", ".C", ".c++", ".s", ".S"};
    const char *dot = strrchr(name, '.');

    for (size_t i = 0; dot && i < sizeof(suffixes) / sizeof(*suffixes); i++)
        if (strcmp(dot, suffixes[i]) == 0)
            return true;
    return false;
}

/* Return the "+0x" of OBJECT+0xOFFSET, where only hexadecimal digits follow it, or NULL. */
static const char *offset_begin(const char *text)
{
    const char *plus = strrchr(text, '+');

    if (!plus || plus == text || plus[1] != '0' || plus[2] != 'x' || !plus[3])
        return NULL;
    return plus[3 + strspn(plus + 3, "0123456789abcdefABCDEF")] ? NULL : plus;
}

static int parse_offset(const char *text, const char *plus, struct symbol_spec *out)
{
    out->by_offset = true;
    errno = 0;
    out->offset = strtoull(plus + 1, NULL, 16);
    if (errno != 0 || copy_part(out->name, sizeof(out->name), text, strlen(text)) != 0)
        return -1;
    return copy_part(out->object, sizeof(out->object), text, (size_t)(plus - text));
}

int symbol_spec_parse(const char *text, struct symbol_spec *out)
{
    const char *colon = object_end(text);
    const char *name = colon ? colon + 1 : text;
    const char *at = strchr(name, '@');

    memset(out, 0, sizeof(*out));
    if (offset_begin(text))
        return parse_offset(text, offset_begin(text), out);
    if (colon && copy_part(out->object, sizeof(out->object), text, (size_t)(colon - text)) != 0)
        return -1;
    if (copy_part(out->name, sizeof(out->name), name, at ? (size_t)(at - name) : strlen(name)) != 0)
        return -1;
    if (!at)
        return 0;
    at += at[1] == '@' ? 2 : 1; /* NAME@@VERSION is how nm(1) prints a default version */
    return copy_part(is_source_file(at) ? out->file : out->version, TARGET_PART_MAX, at,
                     strlen(at));
}

bool symbol_spec_object_matches(const struct symbol_spec *target, bool is_program, const char *path,
                                const char *soname, const char *name_space)
{
    const char *base = path ? text_base_name(path) : NULL;

    if (!target->object[0])
        return true;
    return (is_program && strcmp(target->object, "exe") == 0) ||
           (base && strcmp(target->object, base) == 0) ||
           (soname && strcmp(target->object, soname) == 0) ||
           (name_space && strcmp(target->object, name_space) == 0);
}
