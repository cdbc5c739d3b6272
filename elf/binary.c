/* binary.c - see binary.h. */
#include "elf/binary.h"

int binary_open(struct binary **out, int file, int debug, struct elf_error *error)
{
    (void)file;
    (void)debug;
    *out = NULL;
    return elf_fail(error, ELF_NOT, "not yet");
}

void binary_close(struct binary *binary)
{
    (void)binary;
}
