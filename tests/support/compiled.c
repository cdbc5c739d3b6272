/* compiled.c - see compiled.h. */
#include "tests/support/compiled.h"

/* cmocka.h needs these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

const char *const compiled_ways[] = {
    "gcc -gdwarf-4 -O0",   "gcc -gdwarf-4 -O2",   "gcc -gdwarf-5 -O0",   "gcc -gdwarf-5 -O2",
    "clang -gdwarf-4 -O0", "clang -gdwarf-4 -O2", "clang -gdwarf-5 -O0", "clang -gdwarf-5 -O2",
};
const size_t compiled_way_count = sizeof(compiled_ways) / sizeof(*compiled_ways);

struct compiled compile_plain(const char *command, const char *name, const char *source)
{
    struct compiled compiled = {0};
    struct elf_error error = {0};
    bool cxx = strstr(command, "++") != NULL;
    char path[256], object[256], line[1024];

    snprintf(path, sizeof(path), "%s/%s.%s", directory, name, cxx ? "cc" : "c");
    snprintf(object, sizeof(object), "%s/%s.o", directory, name);
    file_write(path, source, strlen(source), 0644);
    snprintf(line, sizeof(line), "%s -w -c -ffunction-sections -fdata-sections -o %s %s", command,
             object, path);
    run_shell(line);
    compiled.file = file_read(object);
    if (rel_object_open(&compiled.object, compiled.file.bytes, compiled.file.size, &error) != 0)
        fail_msg("%s: %s", line, error.text);
    return compiled;
}

struct compiled compile_object(const char *command, const char *name, const char *source)
{
    struct compiled compiled = compile_plain(command, name, source);
    struct refusal why = {0};

    if (object_dwarf_open(&compiled.dwarf, name, compiled.object, &why) != 0)
        fail_msg("%s: %s", command, refusal_text(&why, 0));
    return compiled;
}

void compiled_close(struct compiled *compiled)
{
    object_dwarf_close(compiled->dwarf);
    rel_object_close(compiled->object);
    file_free(&compiled->file);
}

struct dwarf_place compiled_place(const struct compiled *compiled, const char *symbol)
{
    uint32_t index = rel_symbol_named(compiled->object, symbol);
    const struct rel_symbol *found = &compiled->object->symbols[index];

    if (!index)
        fail_msg("the object has no symbol %s", symbol);
    if (!rel_symbol_placed(found))
        return (struct dwarf_place){DWARF_SYMBOL | index, 0};
    return (struct dwarf_place){found->section, found->value};
}
