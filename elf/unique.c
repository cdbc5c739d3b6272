/* unique.c - see unique.h. */
#include "elf/unique.h"

#include "elf/image_parts.h"
#include "elf/symbols.h"

int image_unique_symbols(const struct image *image,
                         int (*each)(const char *name, size_t info, void *context), void *context,
                         struct elf_error *error)
{
    size_t count;

    if (image_dynsym_count(image, &count, error))
        return -1;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *raw = image->dynsym.symbols.bytes + i * sizeof(Elf64_Sym);
        struct image_symbol symbol;
        int stop;

        if (!image_symbol_get(image, &image->dynsym, i, &symbol))
            return elf_fail(error, ELF_DAMAGED, "a symbol's name lies outside its string table");
        if (symbol.binding != STB_GNU_UNIQUE || !symbol.defined)
            continue;
        stop =
            each(symbol.name, (size_t)(raw - image->bytes) + offsetof(Elf64_Sym, st_info), context);
        if (stop)
            return stop;
    }
    return 0;
}
