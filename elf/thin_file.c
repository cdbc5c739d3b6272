/* thin_file.c - see thin_file.h. */
#include "elf/thin_file.h"

bool thin_file_is(const void *bytes, size_t size)
{
    (void)bytes;
    (void)size;
    return false;
}

int thin_file_open(struct thin_file **out, const void *bytes, size_t size, struct elf_error *error)
{
    (void)bytes;
    (void)size;
    *out = NULL;
    return elf_fail(error, ELF_THIN_DAMAGED, "thin objects cannot be read yet");
}

void thin_file_close(struct thin_file *thin)
{
    (void)thin;
}
