/* utf8_strict.c - see utf8_strict.h. */
#include "tests/support/utf8_strict.h"

struct row {
    unsigned char first, last; /* range of the first byte */
    unsigned char second, to;  /* range of the second byte, if there is a second byte */
    size_t length;
};

static const struct row rows[] = {
    {0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
    {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
    {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
};

static bool fits(const struct row *row, const unsigned char *bytes, size_t size)
{
    if (bytes[0] < row->first || bytes[0] > row->last || row->length > size)
        return false;
    if (row->length > 1 && (bytes[1] < row->second || bytes[1] > row->to))
        return false;
    for (size_t i = 2; i < row->length; i++)
        if (bytes[i] < 0x80 || bytes[i] > 0xbf)
            return false;
    return true;
}

size_t utf8_strict_sequence(const char *bytes, size_t size)
{
    for (size_t i = 0; size > 0 && i < sizeof(rows) / sizeof(rows[0]); i++)
        if (fits(&rows[i], (const unsigned char *)bytes, size))
            return rows[i].length;
    return 0;
}

bool utf8_strict(const char *bytes, size_t size)
{
    while (size > 0) {
        size_t length = utf8_strict_sequence(bytes, size);

        if (length == 0)
            return false;
        bytes += length;
        size -= length;
    }
    return true;
}
