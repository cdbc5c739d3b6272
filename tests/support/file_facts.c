/* file_facts.c - see file_facts.h. */
#include "tests/support/file_facts.h"

#include <stdio.h>

#include "cli/debug/file_image.h"
#include "elf/symbols.h"
#include "tests/support/harness.h"

static void open_image(struct file_image *file, const char *path)
{
    struct refusal why = {0};

    if (file_image_open(file, path, 0, &why) != 0)
        fail_msg("%s: %s", path, why.items[0].text);
}

const char *build_id_of(const char *path)
{
    static char text[100];
    struct file_image file;

    open_image(&file, path);
    snprintf(text, sizeof(text), "%s", image_build_id(file.image));
    file_image_close(&file);
    return text;
}

unsigned long symbol_of(const char *program, const char *name)
{
    struct image_symbol symbol;
    struct file_image file;
    unsigned long value;

    open_image(&file, built("hosts/%s", program));
    if (!image_symbol(file.image, name, &symbol))
        fail_msg("%s has no %s", program, name);
    value = symbol.value;
    file_image_close(&file);
    return value;
}
