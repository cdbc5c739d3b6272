/* utf8.c - see utf8.h. */
#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

/* Return the length that the first byte states, and its bits of the code point; 0: no sequence begins with this
 * byte. */
static size_t stated_length(unsigned char first, uint32_t *point)
{
    if (first < 0x80)
        return *point = first, 1;
    if ((first & 0xe0) == 0xc0)
        return *point = first & 0x1f, 2;
    if ((first & 0xf0) == 0xe0)
        return *point = first & 0x0f, 3;
    if ((first & 0xf8) == 0xf0)
        return *point = first & 0x07, 4;
    return 0;
}

size_t utf8_length(const char *text)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t point = 0;
    size_t length = stated_length((unsigned char)text[0], &point);

    for (size_t i = 1; i < length; i++) {
        unsigned char next = (unsigned char)text[i];

        if ((next & 0xc0) != 0x80)
            return 0;
        point = point << 6 | (next & 0x3f);
    }
    if (length == 0 || point < least[length] || point > 0x10ffff ||
        (point >= 0xd800 && point < 0xe000))
        return 0;
    return length;
}

bool utf8_is_shown_as(const char *text, const char *shown)
{
    while (*text) {
        size_t length = utf8_length(text);
        unsigned char byte = (unsigned char)*text;
        const char latin[] = {(char)(0xc0 | byte >> 6), (char)(0x80 | (byte & 0x3f)), '\0'};
        const char *same = length ? text : latin;
        size_t size = length ? length : 2;

        if (strncmp(shown, same, size) != 0)
            return false;
        shown += size;
        text += length ? length : 1;
    }
    return *shown == '\0';
}

void utf8_mark_cut(char *buffer, size_t length)
{
    size_t end = length - 3;

    /* Move back to the first byte of the sequence that the three dots would cut. */
    while (end > 0 && length - 3 - end < 3 && ((unsigned char)buffer[end] & 0xc0) == 0x80)
        end--;
    memcpy(buffer + end, "...", 4);
}

void utf8_fit(char *to, size_t size, const char *text)
{
    size_t length = strlen(text);

    memcpy(to, text, length < size ? length + 1 : size - 1);
    if (length < size)
        return;
    to[size - 1] = '\0';
    utf8_mark_cut(to, size - 1);
}
