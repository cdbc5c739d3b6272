/* thin_digest.c - see thin_digest.h. */
#include "elf/thin_digest.h"

#include <string.h>

#include "base/sha256.h"
#include "elf/rel_object.h"
#include "elf/thin_file.h"

static const char before_digits[] = THIN_FIRST_LINE "\n" THIN_DIGEST "\t";

/* Return the offset of the digits in the file, or 0. */
static size_t digits_in(const char *bytes, size_t offset, size_t size)
{
    const size_t length = sizeof(before_digits) - 1;

    return size > length + THIN_DIGEST_SIZE && memcmp(bytes + offset, before_digits, length) == 0 &&
                   bytes[offset + length + THIN_DIGEST_SIZE] == '\n'
               ? offset + length
               : 0;
}

static size_t digits_of(const struct rel_object *object)
{
    for (size_t i = 1; i < object->section_count; i++) {
        const struct rel_section *section = &object->sections[i];

        if (strcmp(section->name, THIN_SECTION) == 0 && section->bytes)
            return digits_in((const char *)object->bytes, (size_t)(section->bytes - object->bytes),
                             section->size);
    }
    return 0;
}

static void digest(const char *bytes, size_t size, size_t at, char hex[65])
{
    char both[2 * THIN_DIGEST_SIZE + 1];

    sha256_hex(bytes, at, both);
    sha256_hex(bytes + at + THIN_DIGEST_SIZE, size - at - THIN_DIGEST_SIZE,
               both + THIN_DIGEST_SIZE);
    sha256_hex(both, sizeof(both) - 1, hex);
}

void thin_digest_set(void *bytes, size_t size, size_t offset, size_t section_size)
{
    size_t at = digits_in(bytes, offset, section_size);
    char hex[65];

    if (!at)
        return;
    digest(bytes, size, at, hex);
    memcpy((char *)bytes + at, hex, THIN_DIGEST_SIZE);
}

int thin_digest_check(const struct rel_object *object, struct elf_error *error)
{
    size_t at = digits_of(object);
    char hex[65];

    if (at) {
        digest((const char *)object->bytes, object->size, at, hex);
        if (memcmp(object->bytes + at, hex, THIN_DIGEST_SIZE) == 0)
            return 0;
    }
    return elf_fail(error, ELF_THIN_DAMAGED, "%s",
                    at ? "its bytes are not those that were written: the digest is another"
                       : "it has no digest of its bytes");
}
