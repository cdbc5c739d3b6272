/*
 * test_stack_arguments.c - how many bytes of arguments functions read from the stack, by their code:
 * of compilers' own, and of a few in assembler.
 */
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arch/stack_arguments.h"
#include "tests/support/directory.h"
#include "tests/support/harness.h"

/* What the symbol around an address says; gcc's cold parts have symbols too. */
struct library {
    uintptr_t bias;
    const ElfW(Sym) * symbols;
    const char *names;
    size_t count;
};

static const uint8_t *around(void *context, uint64_t address, uint64_t *begin, size_t *size)
{
    const struct library *library = context;

    for (size_t i = 0; i < library->count; i++) {
        const ElfW(Sym) *symbol = &library->symbols[i];
        uintptr_t at = library->bias + symbol->st_value;

        if (ELF64_ST_TYPE(symbol->st_info) == STT_FUNC && address - at < symbol->st_size) {
            *begin = at;
            *size = symbol->st_size;
            return (const uint8_t *)at;
        }
    }
    return NULL;
}

static void judge(const struct library *library, const char *name, uint64_t entry,
                  const char *options)
{
    int64_t found = arch_stack_arguments(entry, around, (void *)library), stated = -1, over;

    if (sscanf(name, "bytes_%ld", &stated) != 1 && strncmp(name, "unknown_", 8) != 0)
        return;
    /* clang takes its address. */
    if (strcmp(options, "clang -O0") == 0 && strcmp(name, "bytes_40_structure") == 0)
        stated = -1;
    /* The width of what an instruction reads is taken as its encoding's widest. */
    over = strstr(options, "-mavx512") ? 64 : strstr(options, "-mavx") ? 32 : 8;
    if (stated < 0 ? found >= 0 : found < stated || found > stated + over)
        fail_msg("%s %s: %ld", options, name, (long)found);
}

static void judge_build(const char *options)
{
    struct library library = {0};
    char command[1024], path[128];
    struct file file;
    const ElfW(Ehdr) * header;
    const ElfW(Shdr) * sections;
    struct link_map *map;
    void *handle;

    snprintf(path, sizeof(path), "%s/readers.so", directory);
    snprintf(command, sizeof(command), "%s -w -shared -fPIC -Wl,-Bsymbolic -o %s '%s'", options,
             path, source_file("tests/hosts/parts/stack_readers.c"));
    if (system(command) != 0)
        fail_msg("%s", command);
    handle = dlopen(path, RTLD_NOW);
    assert_non_null(handle);
    assert_int_equal(dlinfo(handle, RTLD_DI_LINKMAP, &map), 0);
    library.bias = map->l_addr;
    file = file_read(path);
    header = (const ElfW(Ehdr) *)file.bytes;
    sections = (const ElfW(Shdr) *)(file.bytes + header->e_shoff);
    for (int i = 0; i < header->e_shnum; i++)
        if (sections[i].sh_type == SHT_SYMTAB) {
            library.symbols = (const ElfW(Sym) *)(file.bytes + sections[i].sh_offset);
            library.count = sections[i].sh_size / sizeof(ElfW(Sym));
            library.names = (const char *)file.bytes + sections[sections[i].sh_link].sh_offset;
        }
    assert_int_not_equal(library.count, 0);
    for (size_t i = 0; i < library.count; i++)
        if (ELF64_ST_TYPE(library.symbols[i].st_info) == STT_FUNC)
            judge(&library, library.names + library.symbols[i].st_name,
                  library.bias + library.symbols[i].st_value, options);
    dlclose(handle);
    file_free(&file);
    unlink(path);
}

static void gcc_s_functions_are_read_right(void **state)
{
    (void)state;
    judge_build("gcc -O0");
    judge_build("gcc -O1");
    judge_build("gcc -O2");
    judge_build("gcc -O3");
    judge_build("gcc -Os -fcf-protection");
    judge_build("gcc -O2 -fno-omit-frame-pointer");
    judge_build("gcc -O2 -mavx2");
    judge_build("gcc -O0 -mavx2");
    judge_build("gcc -O2 -mavx512f -mavx512vl");
}

static void clang_s_functions_are_read_right(void **state)
{
    (void)state;
    judge_build("clang -O0");
    judge_build("clang -O2");
    judge_build("clang -O2 -fno-omit-frame-pointer");
    judge_build("clang -O2 -mavx2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gcc_s_functions_are_read_right),
        cmocka_unit_test(clang_s_functions_are_read_right),
    };

    return cmocka_run_group_tests_name("stack_arguments", tests, directory_make, directory_remove);
}
