/*
 * record.c - read the structures of hotpatch.h out of an image, field by field.
 *
 * Any thread, one at a time per image. A patch is outside input and may contain anything: no
 * pointer is followed before it is known to lie inside the object.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "elf/image_bytes.h"
#include "elf/record.h"
#include "elf/relocations.h"

bool record_find(const struct image *image, const char *symbol, const char *section,
                 uint64_t *address)
{
    struct image_symbol found;
    GElf_Shdr header;

    if (image_symbol(image, symbol, &found)) {
        *address = found.value;
        return true;
    }
    if (!image_section(image, section, SHT_NULL, &header) || !(header.sh_flags & SHF_ALLOC))
        return false;
    *address = header.sh_addr;
    return true;
}

void record_set_error(const struct record_reader *reader, const char *format, ...)
{
    char text[sizeof reader->error->text];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    elf_error_set(reader->error, reader->code, "%s: %.180s", reader->what, text);
}

int record_copy(const struct record_reader *reader, uint64_t address, void *out, size_t size)
{
    const void *bytes = image_bytes_at(reader->image, address, size);

    if (!bytes)
        return record_error(reader, "it lies outside the object's file");
    memcpy(out, bytes, size);
    return 0;
}

/*
 * What hotpatch.h leaves out (a hook, the namespace) is a weak reference: it counts as NULL. In
 * a file at no fixed address, a pointer without a relocation would lead anywhere, and one with
 * a relocation to address 0 leads to the ELF header: no one means that.
 */
int record_pointer(const struct record_reader *reader, uint64_t address, const char *field,
                   enum record_null null, uint64_t *out)
{
    enum word_source source = image_word_source(reader->image, address, out);

    if (source == WORD_ADDRESS && *out != 0)
        return 0;
    if (source != WORD_WEAK && (source != WORD_PLAIN || *out != 0))
        return record_error(reader, "its %s does not point into the object", field);
    return null == NULL_ALLOWED ? 0 : record_error(reader, "its %s is NULL", field);
}

int record_pointer_to(const struct record_reader *reader, uint64_t address, const char *field,
                      enum record_null null, uint32_t flags, size_t size, uint64_t *out)
{
    if (record_pointer(reader, address, field, null, out))
        return -1;
    if (*out == 0 || image_has(reader->image, *out, size, flags))
        return 0;
    return record_error(reader, "its %s is not in %s memory of the object", field,
                        flags & PF_X   ? "executable"
                        : flags & PF_W ? "writable"
                                       : "the");
}

int record_string(const struct record_reader *reader, uint64_t address, const char *field,
                  enum record_null null, const char **out)
{
    uint64_t target;

    *out = NULL;
    if (record_pointer(reader, address, field, null, &target))
        return -1;
    if (target == 0)
        return 0;
    uint64_t there = image_bytes_from(reader->image, target);
    const char *string = image_bytes_at(reader->image, target, 1);
    if (!string)
        return record_error(reader, "its %s lies outside the object's file", field);
    if (!memchr(string, '\0', there <= RECORD_STRING_MAX ? there : RECORD_STRING_MAX + 1))
        return record_error(reader, "its %s does not end within %d bytes", field,
                            RECORD_STRING_MAX);
    *out = string;
    return 0;
}

int record_name(const struct record_reader *reader, uint64_t address, const char *field,
                const char **out)
{
    if (record_string(reader, address, field, NULL_REFUSED, out))
        return -1;
    return **out ? 0 : record_error(reader, "its %s is empty", field);
}

int record_array(const struct record_reader *reader, uint64_t address, const char *field,
                 size_t entry_size, size_t alignment, uint64_t *begin, size_t *count)
{
    uint64_t end;

    *count = 0;
    if (record_pointer(reader, address, field, NULL_ALLOWED, begin) ||
        record_pointer(reader, address + sizeof(uint64_t), field, NULL_ALLOWED, &end))
        return -1;
    if (end < *begin || (end - *begin) % entry_size != 0 || *begin % alignment != 0)
        return record_error(reader, "the bounds of its %s are not those of an array", field);
    uint64_t size = end - *begin;
    if (size / entry_size > RECORD_COUNT_MAX)
        return record_error(reader, "it has more than %d %s", RECORD_COUNT_MAX, field);
    if (size > 0 && !image_bytes_at(reader->image, *begin, size))
        return record_error(reader, "its %s lie outside the object's file", field);
    *count = size / entry_size;
    return 0;
}
