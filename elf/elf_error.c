/* elf_error.c - see elf_error.h. */
#include "elf/elf_error.h"

#include <stdarg.h>
#include <stdio.h>

void elf_error_set(struct elf_error *error, enum elf_error_code code, const char *format, ...)
{
    va_list arguments;

    error->code = code;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
}
