/*
 * fuzz_object_lines.c - any bytes as an object file whose lines are changed: no byte is read beyond them, what is changed can be
 * read again, and only its debug information is another.
 */
#include <elf.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "elf/object_lines.h"
#include "elf/rel_object_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What make_corpus.sh has in t.c: lines were added before line 4. */
static const struct line_run runs[] = {{0, 1, 3, 1}, {0, 4, 400, 9}, {1, 4, 5, 4}};
static const char *const names[] = {"/h/0/t.c", "/h/1/t.c"};
static const struct line_map map = {
    .runs = runs, .run_count = 3, .names = names, .name_count = 2, .prefix = "/h/"};

static void compare_sections(const struct rel_object *before, const struct rel_object *after)
{
    for (size_t i = 0; i < before->section_count; i++) {
        const struct rel_section *one = &before->sections[i], *two = &after->sections[i];

        if (one->relocation_count != two->relocation_count)
            abort();
        if (!(one->flags & SHF_ALLOC) || !one->bytes)
            continue;
        if (one->size != two->size)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rel_object *before, *after;
    struct elf_error error = {ELF_OK, ""};
    size_t changed_size = size;
    char *bytes = malloc(size + 1);

    if (!bytes)
        abort();
    memcpy(bytes, data, size);
    if (object_lines_change(&bytes, &changed_size, &map) == 0) {
        if (rel_object_open(&before, data, size, &error) != 0 ||
            rel_object_open(&after, bytes, changed_size, &error) != 0 ||
            before->section_count != after->section_count)
            abort();
        compare_sections(before, after);
        rel_object_close(before);
        rel_object_close(after);
    } else if (changed_size != size || (size && memcmp(bytes, data, size) != 0)) {
        abort();
    }
    free(bytes);
    return 0;
}
