/*
 * test_functions.c - elf/functions.c: functions by name and by address, of files and of objects that
 * are mapped, and tables that lie.
 */
#include "elf/functions.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "elf/functions_read.h"
#include "tests/support/objects.h"

static const char source[] =
    "#include <stdio.h>\n"
    "#define KEPT __attribute__((noinline, noclone))\n"
    "static KEPT int same(int i) { return printf(\"%d\", i); }\n"
    "int exported(int i) { return same(i) + 1; }\n"
    "int alias(int) __attribute__((alias(\"exported\"), weak));\n"
    "static KEPT int chosen(int i) { return i ^ 5; }\n"
    "static int (*resolve(void))(int) { return chosen; }\n"
    "int picked(int) __attribute__((ifunc(\"resolve\")));\n"
    "int last(int i) { return puts(\"x\") + same(i) + picked(i); }\n"
    "int variable = 3;\n"
    "__asm__(\".text\\n.globl labelled\\nlabelled: .cfi_startproc\\nmov $7, %eax\\ninside: "
    "ret\\n\"\n"
    "        \".cfi_endproc\\n.globl sizeless\\n.type sizeless,@function\\nsizeless: ret\\n\");\n";

static const char second[] = "static __attribute__((noinline, noclone)) int same(int i)\n"
                             "{ __asm__ volatile(\"\"); return i - 1; }\n"
                             "int of_second(int i) { return same(i) * same(i + 3); }\n";

static const char versioned[] = "int first(void) { return 1; }\n"
                                "int other(void) { return 2; }\n"
                                "__asm__(\".symver first,name@OLD_1\");\n"
                                "__asm__(\".symver other,name@@NEW_2\");\n";

static const char restorer[] =
    "__asm__(\".text\\n.cfi_startproc\\n.cfi_signal_frame\\nearly: nop\\n\"\n"
    "        \".globl restorer\\n.type restorer,@function\\nrestorer: mov $15,%rax\\n\"\n"
    "        \"syscall\\n.cfi_endproc\\n.size restorer,.-restorer\\n\"\n"
    "        \".globl after\\n.type after,@function\\nafter: .cfi_startproc\\nret\\n\"\n"
    "        \".cfi_endproc\\n.size after,.-after\\n\");\n";

/* ------------------------------------------------------- helpers --- */

struct listed {
    struct function items[8192];
    size_t count;
};

static int collect(const struct function *function, void *context)
{
    struct listed *listed = context;

    if (listed->count < sizeof listed->items / sizeof listed->items[0])
        listed->items[listed->count++] = *function;
    return 0;
}

static struct listed *all_of(struct functions *functions)
{
    static struct listed listed;

    listed.count = 0;
    assert_int_equal(functions_each(functions, collect, &listed), 0);
    return &listed;
}

static struct listed *named(struct functions *functions, const char *name)
{
    static struct listed listed;

    listed.count = 0;
    assert_int_equal(functions_named(functions, name, collect, &listed), 0);
    return &listed;
}

static struct function only(struct functions *functions, const char *name)
{
    struct listed *listed = named(functions, name);

    assert_int_equal(listed->count, 1);
    return listed->items[0];
}

static int try_file(const struct file *file, struct functions **out, struct elf_error *fault)
{
    int descriptor = object_descriptor(file);
    int result = functions_of_file(out, descriptor, fault);

    close(descriptor);
    return result;
}

static struct functions *functions_at(const char *path)
{
    struct file file = file_read(path);
    struct functions *functions = object_functions(&file);

    file_free(&file);
    return functions;
}

/* An object made of `source` and of `second`; the latter's STT_FILE is "second.c". */
static struct file two_sources(const char *flags)
{
    char all[512];

    snprintf(all, sizeof all, "%s '%s'", flags, scratch_file("second.c", second));
    return object(all, source);
}

/* Mapped by dlopen(), and what is read of it with the file at `file_path`, or without one. */
struct mapped {
    void *handle;
    struct opened opened;
    struct functions *functions;
};

static struct mapped map(const struct file *file, const struct file *symbols)
{
    static unsigned number;
    struct mapped mapped;
    struct elf_error fault = {ELF_OK, ""};
    char name[32];
    int descriptor = symbols ? object_descriptor(symbols) : -1;

    snprintf(name, sizeof name, "mapped%u.so", number++);
    const char *path = scratch_file(name, "");
    file_write(path, file->bytes, file->size, 0755);
    mapped.handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!mapped.handle)
        fail_msg("%s", dlerror());
    mapped.opened = object_open_mapped(path);
    if (functions_of_mapped(&mapped.functions, mapped.opened.image, descriptor, &fault))
        fail_msg("%s", fault.text);
    close(descriptor);
    return mapped;
}

static void unmap(struct mapped *mapped)
{
    functions_close(mapped->functions);
    object_close(&mapped->opened);
    dlclose(mapped->handle);
}

static void strip_sections(struct file *file)
{
    elf_header(file)->e_shoff = 0;
    elf_header(file)->e_shnum = 0;
    elf_header(file)->e_shstrndx = 0;
}

/* ------------------------------------------------------- by name --- */

static void statics_of_two_files_are_told_apart_by_their_files(void **state)
{
    (void)state;
    struct file file = two_sources(SHARED);
    struct functions *functions = object_functions(&file);
    struct listed *listed = named(functions, "same");

    assert_int_equal(listed->count, 2);
    assert_true(listed->items[0].local && listed->items[1].local);
    assert_true(listed->items[0].address != listed->items[1].address);
    assert_true((strcmp(listed->items[0].file, "source.c") == 0 &&
                 strcmp(listed->items[1].file, "second.c") == 0) ||
                (strcmp(listed->items[0].file, "second.c") == 0 &&
                 strcmp(listed->items[1].file, "source.c") == 0));
    functions_close(functions);
    file_free(&file);
}

static void an_exported_function_is_found_once(void **state)
{
    (void)state;
    struct file file = two_sources(SHARED);
    struct functions *functions = object_functions(&file);
    struct function function = only(functions, "exported");

    assert_int_equal(function.address, elf_symbol(&file, "exported"));
    assert_true(function.exported);
    assert_false(function.local || function.weak || function.ifunc);
    assert_null(function.file);
    assert_true(function.size > 0);
    functions_close(functions);
    file_free(&file);
}

static void data_imports_and_what_is_not_there_are_no_functions(void **state)
{
    (void)state;
    struct file file = two_sources(SHARED);
    struct functions *functions = object_functions(&file);

    assert_int_equal(named(functions, "variable")->count, 0);
    assert_int_equal(named(functions, "puts")->count, 0);
    assert_int_equal(named(functions, "no_such_function")->count, 0);
    assert_int_equal(named(functions, "")->count, 0);
    functions_close(functions);
    file_free(&file);
}

static void an_alias_has_the_address_of_its_function(void **state)
{
    (void)state;
    struct file file = two_sources(SHARED);
    struct functions *functions = object_functions(&file);
    struct function alias = only(functions, "alias"), exported = only(functions, "exported");

    assert_int_equal(alias.address, exported.address);
    assert_true(alias.weak);
    functions_close(functions);
    file_free(&file);
}

static void an_ifunc_is_told(void **state)
{
    (void)state;
    struct file file = two_sources(SHARED);
    struct functions *functions = object_functions(&file);

    assert_true(only(functions, "picked").ifunc);
    assert_false(only(functions, "chosen").ifunc);
    functions_close(functions);
    file_free(&file);
}

static void a_name_without_a_type_counts_where_an_fde_begins(void **state)
{
    (void)state;
    struct file file = two_sources(SHARED);
    struct functions *functions = object_functions(&file);
    struct function labelled = only(functions, "labelled");

    assert_int_equal(labelled.size, 6); /* mov, ret */
    assert_int_equal(named(functions, "inside")->count, 0);
    functions_close(functions);
    file_free(&file);
}

static void a_symbol_without_a_size_reaches_to_the_next(void **state)
{
    (void)state;
    struct file file = two_sources(SHARED);
    struct functions *functions = object_functions(&file);
    struct function sizeless = only(functions, "sizeless"), next = {0}, found;

    for (uint64_t at = sizeless.address + 1; !next.size; at++) {
        if (at == sizeless.address + sizeless.size)
            break;
        assert_false(function_begins_at(functions, at, &next));
    }
    assert_true(sizeless.size >= 1);
    assert_true(function_around(functions, sizeless.address, &found));
    assert_string_equal(found.name, "sizeless");
    functions_close(functions);
    file_free(&file);
}

static void both_versions_of_a_name_are_given(void **state)
{
    (void)state;
    char flags[256];
    const char *script =
        scratch_file("names.map", "OLD_1 { };\nNEW_2 { global: *; local: none; } OLD_1;\n");
    snprintf(flags, sizeof flags, SHARED "-Wl,--version-script=%s", script);
    struct file file = object(flags, versioned);
    struct functions *functions = object_functions(&file);
    struct listed *listed = named(functions, "name");

    assert_int_equal(listed->count, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct function *function = &listed->items[i];
        assert_string_equal(function->version, function->default_version ? "NEW_2" : "OLD_1");
        assert_true(function->exported);
    }
    assert_true(listed->items[0].default_version != listed->items[1].default_version);
    functions_close(functions);
    file_free(&file);
}

static int stop_with_42(const struct function *function, void *context)
{
    (void)function;
    ++*(int *)context;
    return 42;
}

static void the_callback_can_stop_both_walks(void **state)
{
    (void)state;
    struct file file = two_sources(SHARED);
    struct functions *functions = object_functions(&file);
    int calls = 0;

    assert_int_equal(functions_named(functions, "same", stop_with_42, &calls), 42);
    assert_int_equal(functions_each(functions, stop_with_42, &calls), 42);
    assert_int_equal(calls, 2);
    functions_close(functions);
    file_free(&file);
}

/* ------------------------------------------------------- by address --- */

static void every_function_is_given_in_address_order(void **state)
{
    (void)state;
    struct file file = two_sources(SHARED);
    struct functions *functions = object_functions(&file);
    struct listed *listed = all_of(functions);
    bool seen = false;

    for (size_t i = 0; i < listed->count; i++) {
        assert_true(i == 0 || listed->items[i - 1].address <= listed->items[i].address);
        assert_true(listed->items[i].size > 0);
        seen |= listed->items[i].name && strcmp(listed->items[i].name, "last") == 0;
    }
    assert_true(seen);
    functions_close(functions);
    file_free(&file);
}

static void an_address_inside_leads_to_the_function_around_it(void **state)
{
    (void)state;
    struct file file = two_sources(SHARED);
    struct functions *functions = object_functions(&file);
    struct function last = only(functions, "last"), found;

    assert_true(function_begins_at(functions, last.address, &found));
    assert_string_equal(found.name, "last");
    assert_false(function_begins_at(functions, last.address + 1, &found));
    assert_true(function_around(functions, last.address + last.size - 1, &found));
    assert_int_equal(found.address, last.address);
    assert_false(function_around(functions, 1, &found));
    assert_false(function_around(functions, UINT64_MAX, &found));
    functions_close(functions);
    file_free(&file);
}

static void an_address_with_two_names_has_the_global_one(void **state)
{
    (void)state;
    struct file file = two_sources(SHARED);
    struct functions *functions = object_functions(&file);
    struct function found;

    assert_true(function_begins_at(functions, only(functions, "alias").address, &found));
    assert_string_equal(found.name, "exported");
    functions_close(functions);
    file_free(&file);
}

static void a_stripped_file_has_its_functions_by_fde_starts(void **state)
{
    (void)state;
    struct file file = two_sources(SHARED), stripped = two_sources(SHARED "-s ");
    struct functions *functions = object_functions(&file), *others = object_functions(&stripped);
    struct listed *same = named(functions, "same");
    struct function found;

    assert_int_equal(named(others, "same")->count, 0);
    same = named(functions, "same");
    for (size_t i = 0; i < 2; i++) {
        assert_true(function_begins_at(others, same->items[i].address, &found));
        assert_null(found.name);
        assert_int_equal(found.size, same->items[i].size);
    }
    assert_true(only(others, "exported").exported);
    functions_close(functions);
    functions_close(others);
    file_free(&file);
    file_free(&stripped);
}

static void assert_no_plt(struct functions *functions, const struct file *file)
{
    static const char *const sections[] = {".plt", ".plt.got"};
    struct listed *listed = all_of(functions);

    for (size_t s = 0; s < 2; s++) {
        struct file copy = *file;
        const Elf64_Shdr *plt = elf_section(&copy, sections[s]);
        for (size_t i = 0; i < listed->count; i++)
            assert_false(listed->items[i].address - plt->sh_addr < plt->sh_size);
    }
}

static void stubs_of_the_plt_are_no_functions_with_and_without_sections(void **state)
{
    (void)state;
    struct file file = two_sources(SHARED "-s -Wl,-z,lazy -fcf-protection=none ");
    struct functions *functions = object_functions(&file);
    size_t count = all_of(functions)->count;

    assert_no_plt(functions, &file);
    functions_close(functions);
    struct file bare = two_sources(SHARED "-s -Wl,-z,lazy -fcf-protection=none ");
    strip_sections(&bare);
    functions = object_functions(&bare);
    assert_no_plt(functions, &file);
    assert_int_equal(all_of(functions)->count, count);
    functions_close(functions);
    file_free(&file);
    file_free(&bare);
}

/* ------------------------------------------------------- separate debug files --- */

static struct file debug_file(const char *of)
{
    char command[512];
    const char *path = scratch_file("separate.debug", "");

    snprintf(command, sizeof command, "objcopy --only-keep-debug '%s' '%s'", of, path);
    if (system(command) != 0)
        skip();
    return file_read(path);
}

static void a_separate_debug_file_names_functions_at_their_addresses(void **state)
{
    (void)state;
    struct file file = two_sources(SHARED);
    const char *path = scratch_file("whole.so", "");
    char whole[128];
    snprintf(whole, sizeof whole, "%s", path);
    file_write(whole, file.bytes, file.size, 0755);
    struct file debug = debug_file(whole);
    struct functions *functions = object_functions(&file), *others = object_functions(&debug);

    assert_int_equal(only(others, "last").address, only(functions, "last").address);
    assert_int_equal(only(others, "last").size, only(functions, "last").size);
    assert_int_equal(named(others, "same")->count, 2);
    functions_close(functions);
    functions_close(others);
    file_free(&file);
    file_free(&debug);
}

/* The debug file of `versioned`, whose .symtab has name@@NEW_2 and name@OLD_1. */
static struct file versioned_debug_file(void)
{
    char flags[256], whole[128];
    const char *script =
        scratch_file("names.map", "OLD_1 { };\nNEW_2 { global: *; local: none; } OLD_1;\n");
    snprintf(flags, sizeof flags, SHARED "-Wl,--version-script=%s", script);
    struct file file = object(flags, versioned);
    snprintf(whole, sizeof whole, "%s", scratch_file("whole.so", ""));
    file_write(whole, file.bytes, file.size, 0755);
    file_free(&file);
    return debug_file(whole);
}

static void versions_in_the_names_of_a_debug_file_are_split_off(void **state)
{
    (void)state;
    struct file debug = versioned_debug_file();
    struct functions *functions = object_functions(&debug);
    struct listed *listed = named(functions, "name");

    assert_int_equal(listed->count, 2);
    for (size_t i = 0; i < 2; i++)
        assert_string_equal(listed->items[i].version,
                            listed->items[i].default_version ? "NEW_2" : "OLD_1");
    functions_close(functions);
    file_free(&debug);
}

/* It would end there when the version of a global one that shares its end is cut off. */
static void a_local_name_with_a_sign_of_versions_is_left_out(void **state)
{
    (void)state;
    struct file debug = versioned_debug_file();
    const Elf64_Shdr *table = elf_section(&debug, ".symtab");
    const char *strings = (const char *)debug.bytes + elf_section(&debug, ".strtab")->sh_offset;
    Elf64_Sym *symbols = (Elf64_Sym *)(void *)(debug.bytes + table->sh_offset);

    for (size_t i = 0; i < table->sh_size / sizeof *symbols; i++) {
        if (strcmp(strings + symbols[i].st_name, "name@@NEW_2") == 0)
            symbols[i].st_info = ELF64_ST_INFO(STB_LOCAL, STT_FUNC);
    }
    struct functions *functions = object_functions(&debug);
    assert_int_equal(named(functions, "name")->count, 1);
    assert_int_equal(named(functions, "name@@NEW_2")->count, 0);
    functions_close(functions);
    file_free(&debug);
}

/* ------------------------------------------------------- mapped --- */

static void a_mapped_object_has_the_statics_of_its_file(void **state)
{
    (void)state;
    struct file file = two_sources(SHARED);
    struct mapped mapped = map(&file, &file);

    assert_int_equal(named(mapped.functions, "same")->count, 2);
    assert_int_equal(only(mapped.functions, "exported").address, elf_symbol(&file, "exported"));
    unmap(&mapped);
    file_free(&file);
}

static void mapped_and_file_have_the_same_functions(void **state)
{
    (void)state;
    struct file file = two_sources(SHARED "-Wl,-z,lazy ");
    struct mapped mapped = map(&file, &file);
    struct functions *functions = object_functions(&file);
    static struct listed of_mapped;
    of_mapped = *all_of(mapped.functions);
    struct listed *of_file = all_of(functions);

    assert_int_equal(of_mapped.count, of_file->count);
    for (size_t i = 0; i < of_file->count; i++) {
        assert_int_equal(of_mapped.items[i].address, of_file->items[i].address);
        assert_int_equal(of_mapped.items[i].size, of_file->items[i].size);
    }
    functions_close(functions);
    unmap(&mapped);
    file_free(&file);
}

static void without_a_file_the_plt_of_a_mapped_object_is_left_out(void **state)
{
    (void)state;
    struct file file = two_sources(SHARED "-s -Wl,-z,lazy -fcf-protection=none ");
    struct mapped mapped = map(&file, NULL);

    assert_no_plt(mapped.functions, &file);
    unmap(&mapped);
    file_free(&file);
}

static void the_file_of_another_build_is_ignored(void **state)
{
    (void)state;
    struct file file = two_sources(SHARED), other = object(SHARED, second);
    struct mapped mapped = map(&file, &other);

    assert_int_equal(named(mapped.functions, "same")->count, 0);
    assert_true(only(mapped.functions, "exported").exported);
    unmap(&mapped);
    file_free(&file);
    file_free(&other);
}

static void without_a_build_id_the_program_headers_decide(void **state)
{
    (void)state;
    struct file file = two_sources(SHARED "-Wl,--build-id=none ");
    struct file other = object(SHARED "-Wl,--build-id=none", second);
    struct mapped with_own = map(&file, &file), with_other = map(&file, &other);

    assert_int_equal(named(with_own.functions, "same")->count, 2);
    assert_int_equal(named(with_other.functions, "same")->count, 0);
    unmap(&with_own);
    unmap(&with_other);
    file_free(&file);
    file_free(&other);
}

static void a_damaged_symtab_leaves_a_mapped_object_its_exports(void **state)
{
    (void)state;
    struct file file = two_sources(SHARED), damaged = two_sources(SHARED);
    elf_section(&damaged, ".symtab")->sh_link = 0;
    struct mapped mapped = map(&file, &damaged);

    assert_int_equal(named(mapped.functions, "same")->count, 0);
    only(mapped.functions, "exported");
    unmap(&mapped);
    file_free(&file);
    file_free(&damaged);
}

static int open_program(struct dl_phdr_info *info, size_t size, void *context)
{
    struct opened *opened = context;

    (void)size;
    if (info->dlpi_name[0])
        return 0;
    image_open_mapped(&opened->image, info, &opened->fault);
    return 1;
}

static void this_program_finds_its_own_static_function(void **state)
{
    (void)state;
    struct opened opened = {0};
    struct elf_error fault;
    struct functions *functions;
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    Dl_info info;

    assert_true(file >= 0);
    assert_int_equal(dl_iterate_phdr(open_program, &opened), 1);
    assert_int_equal(functions_of_mapped(&functions, opened.image, file, &fault), 0);
    assert_true(dladdr((void *)(uintptr_t)stop_with_42, &info) != 0);
    struct function function = only(functions, "stop_with_42");
    assert_string_equal(function.file, "test_functions.c");
    assert_int_equal(function.address + (uintptr_t)info.dli_fbase, (uintptr_t)stop_with_42);
    functions_close(functions);
    object_close(&opened);
    close(file);
}

/* ------------------------------------------------------- prebuilt files --- */

static size_t starts_in(const char *path)
{
    struct functions *functions = functions_at(path);
    struct listed *listed = all_of(functions);
    size_t starts = 0;

    for (size_t i = 0; i < listed->count; i++)
        starts += i == 0 || listed->items[i].address != listed->items[i - 1].address;
    functions_close(functions);
    return starts;
}

static void libc_has_its_functions(void **state)
{
    (void)state;
    Dl_info info;
    assert_true(dladdr((void *)(uintptr_t)fopen, &info) != 0);
    struct functions *functions = functions_at(info.dli_fname);
    struct listed *listed = named(functions, "fopen");
    size_t found = 0;

    for (size_t i = 0; i < listed->count; i++)
        found += listed->items[i].address + (uintptr_t)info.dli_fbase == (uintptr_t)fopen;
    assert_int_equal(found, 1);
    assert_true(only(functions, "qsort").size > 0);
    assert_true(named(functions, "memcpy")->count >= 1);
    functions_close(functions);
    assert_in_range(starts_in(info.dli_fname), 2000, 8000);
}

/* Debian 12's redis-server: 4,301 FDE starts, counted with readelf. */
static void a_stripped_daemon_has_all_its_fde_starts(void **state)
{
    (void)state;
    if (access("/usr/bin/redis-server", R_OK) != 0)
        skip();
    assert_in_range(starts_in("/usr/bin/redis-server"), 3500, 6500);
}

/* ------------------------------------------------------- damaged --- */

/* Whatever it says, it is answered: neither a crash nor a read outside the file. */
static void survive(const struct file *file)
{
    struct elf_error fault = {ELF_OK, ""};
    struct functions *functions;

    if (try_file(file, &functions, &fault)) {
        assert_true(fault.code != ELF_OK && fault.text[0]);
        return;
    }
    all_of(functions);
    functions_close(functions);
}

static void a_file_cut_short_anywhere_is_refused_or_read(void **state)
{
    (void)state;
    struct file file = two_sources(SHARED);
    struct elf_error fault;
    struct functions *functions;
    size_t whole = file.size;

    for (size_t step = 0; step < whole; step += step < 1024 ? 16 : 256) {
        file.size = step;
        survive(&file);
    }
    file.size = elf_header(&file)->e_shoff + sizeof(Elf64_Shdr); /* inside the section headers */
    assert_int_equal(try_file(&file, &functions, &fault), -1);
    assert_null(functions);
    assert_int_equal(fault.code, ELF_DAMAGED);
    file.size = whole;
    file_free(&file);
}

static void tables_beyond_the_end_are_refused(void **state)
{
    (void)state;
    static const char *const sections[] = {".symtab", ".strtab",       ".shstrtab",
                                           ".dynsym", ".eh_frame_hdr", ".note.gnu.build-id"};
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++) {
        struct file file = two_sources(SHARED);
        struct elf_error fault = {ELF_OK, ""};
        struct functions *functions;

        elf_section(&file, sections[i])->sh_offset = file.size - 8;
        assert_int_equal(try_file(&file, &functions, &fault), -1);
        assert_int_equal(fault.code, ELF_DAMAGED);
        file_free(&file);
    }
}

static void a_file_that_is_not_elf_is_refused(void **state)
{
    (void)state;
    struct elf_error fault = {ELF_OK, ""};
    struct functions *functions;
    int script = open(scratch_file("script", "#!/bin/sh\n"), O_RDONLY | O_CLOEXEC);
    int directory = open("/", O_RDONLY | O_CLOEXEC);

    assert_int_equal(functions_of_file(&functions, script, &fault), -1);
    assert_int_equal(fault.code, ELF_NOT);
    assert_int_equal(functions_of_file(&functions, directory, &fault), -1);
    assert_int_equal(fault.code, ELF_NOT);
    assert_int_equal(functions_of_file(&functions, -1, &fault), -1);
    close(script);
    close(directory);
}

/* The search table of .eh_frame_hdr: 12 bytes of header, then pairs of 4-byte offsets. */
struct header_table {
    struct file file;
    uint8_t *header;
    uint32_t *count;
    int32_t (*pairs)[2];
};

static struct header_table header_table(void)
{
    struct header_table table = {.file = two_sources(SHARED "-s ")};

    table.header = elf_at(&table.file, elf_segment(&table.file, PT_GNU_EH_FRAME)->p_vaddr);
    table.count = (uint32_t *)(void *)(table.header + 8);
    table.pairs = (int32_t(*)[2])(void *)(table.header + 12);
    return table;
}

static size_t count_in(const struct file *file)
{
    struct functions *functions = object_functions(file);
    size_t count = all_of(functions)->count;

    functions_close(functions);
    return count;
}

/* .eh_frame itself is listed then. */
static void a_search_table_that_lies_is_not_used(void **state)
{
    (void)state;
    struct header_table table = header_table();
    size_t right = count_in(&table.file);
    uint32_t count = *table.count;

    assert_true(right > 3 && count > 3);
    *table.count = UINT32_MAX;
    assert_int_equal(count_in(&table.file), right);
    *table.count = 0;
    assert_int_equal(count_in(&table.file), right);
    *table.count = count;
    int32_t last = table.pairs[count - 1][0];
    table.pairs[count - 1][0] = table.pairs[1][0];
    table.pairs[1][0] = last;
    assert_int_equal(count_in(&table.file), right);
    struct functions *functions = object_functions(&table.file);
    struct function found;
    assert_true(function_begins_at(
        functions, elf_segment(&table.file, PT_GNU_EH_FRAME)->p_vaddr + (uint64_t)(int64_t)last,
        &found));
    functions_close(functions);
    table.header[3] = 0x1b; /* pcrel|sdata4 */
    assert_int_equal(count_in(&table.file), right);
    file_free(&table.file);
}

static void an_entry_that_leads_to_another_fde_loses_its_size_only(void **state)
{
    (void)state;
    struct header_table table = header_table();
    size_t right = count_in(&table.file);

    for (uint32_t i = 0; i < *table.count; i++)
        table.pairs[i][1] = i % 2 ? INT32_MAX : table.pairs[0][1];
    struct functions *functions = object_functions(&table.file);
    struct listed *listed = all_of(functions);
    assert_true(listed->count >= right); /* a PLT is not known by its FDE's size any more */
    for (size_t i = 0; i + 1 < listed->count; i++)
        assert_true(listed->items[i].size > 0);
    functions_close(functions);
    file_free(&table.file);
}

/* Four bytes of range behind those of the start. */
static void an_fde_that_claims_gigabytes_ends_with_the_code(void **state)
{
    static const uint32_t claims[] = {0x7fffffff, 0x80000000, 0xffffffff};

    (void)state;
    struct header_table table = header_table();
    uint64_t header = elf_segment(&table.file, PT_GNU_EH_FRAME)->p_vaddr;
    const Elf64_Shdr *text = elf_section(&table.file, ".text");
    for (size_t i = 0; i < sizeof claims / sizeof claims[0]; i++) {
        for (uint32_t k = 0; k < *table.count; k++) {
            uint8_t *fde = elf_at(&table.file, header + (uint64_t)(int64_t)table.pairs[k][1]);
            memcpy(fde + 12, &claims[i], sizeof claims[i]);
        }
        struct functions *functions = object_functions(&table.file);
        struct listed *listed = all_of(functions);
        assert_true(listed->count > 0);
        for (size_t k = 0; k < listed->count; k++) {
            uint64_t end = listed->items[k].address + listed->items[k].size;
            assert_in_range(listed->items[k].size, 1, table.file.size);
            assert_true(listed->items[k].address < text->sh_addr ||
                        (end > listed->items[k].address && end <= 0x1000 + table.file.size));
        }
        functions_close(functions);
    }
    file_free(&table.file);
}

static void of_two_fdes_of_one_start_the_one_with_a_size_counts(void **state)
{
    (void)state;
    struct header_table table = header_table();
    struct function found;

    for (uint32_t i = 1; i < *table.count; i++) {
        int32_t pair[2] = {table.pairs[i][0], table.pairs[i][1]};
        table.pairs[i][0] = table.pairs[i - 1][0];
        table.pairs[i][1] = INT32_MAX; /* leads nowhere */
        struct functions *functions = object_functions(&table.file);
        struct listed *listed = all_of(functions);
        for (size_t k = 0; k < listed->count; k++) {
            assert_true(function_begins_at(functions, listed->items[k].address, &found));
            assert_int_equal(found.size, listed->items[k].size);
        }
        functions_close(functions);
        memcpy(table.pairs[i], pair, sizeof pair);
    }
    file_free(&table.file);
}

static void starts_outside_the_code_are_no_functions(void **state)
{
    (void)state;
    struct header_table table = header_table();
    struct functions *functions;

    table.pairs[0][0] = INT32_MIN;
    table.pairs[*table.count - 1][0] = INT32_MAX;
    functions = object_functions(&table.file);
    struct listed *listed = all_of(functions);
    assert_true(listed->count > 0);
    for (size_t i = 0; i < listed->count; i++)
        assert_in_range(listed->items[i].address, 1, table.file.size);
    functions_close(functions);
    file_free(&table.file);
}

static void damaged_frames_are_survived(void **state)
{
    (void)state;
    struct header_table table = header_table();
    const Elf64_Shdr *frames = elf_section(&table.file, ".eh_frame");
    uint8_t *bytes = table.file.bytes + frames->sh_offset;

    *table.count = UINT32_MAX; /* so that the frames are listed */
    for (size_t i = 0; i < frames->sh_size; i++) {
        uint8_t kept = bytes[i];
        bytes[i] = 0xff;
        survive(&table.file);
        bytes[i] = kept;
    }
    file_free(&table.file);
}

static void without_a_search_table_the_frames_are_found_by_their_section(void **state)
{
    (void)state;
    struct file with = two_sources(SHARED "-s ");
    struct file without = two_sources(SHARED "-s -Wl,--no-eh-frame-hdr ");

    assert_int_equal(count_in(&without), count_in(&with));
    file_free(&with);
    file_free(&without);
}

static void test_signal_frame(struct functions *functions)
{
    struct function found = only(functions, "restorer");
    struct listed *all = all_of(functions);

    assert_true(found.signal_frame);
    for (uint64_t at = found.address - 1; at < found.address + 9; at++) {
        struct function there;
        assert_true(function_begins_at(functions, at, &there));
        assert_int_equal(there.address, at);
        assert_true(there.signal_frame);
        for (size_t i = 0; i < all->count; i++)
            assert_int_not_equal(all->items[i].address, at);
    }
    assert_false(only(functions, "after").signal_frame);
    assert_int_equal(function_next_start(functions, found.address - 2), found.address - 1);
}

/* Named or not, by the sorted table or by the list of FDEs. */
static void a_signal_frame_is_listed_nowhere_and_told_by_every_address_in_it(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct file file = object(i ? SHARED "-Wl,--no-eh-frame-hdr" : SHARED, restorer);
        struct functions *functions = object_functions(&file);

        test_signal_frame(functions);
        functions_close(functions);
        file_free(&file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statics_of_two_files_are_told_apart_by_their_files),
        cmocka_unit_test(an_exported_function_is_found_once),
        cmocka_unit_test(data_imports_and_what_is_not_there_are_no_functions),
        cmocka_unit_test(an_alias_has_the_address_of_its_function),
        cmocka_unit_test(an_ifunc_is_told),
        cmocka_unit_test(a_name_without_a_type_counts_where_an_fde_begins),
        cmocka_unit_test(a_symbol_without_a_size_reaches_to_the_next),
        cmocka_unit_test(both_versions_of_a_name_are_given),
        cmocka_unit_test(the_callback_can_stop_both_walks),
        cmocka_unit_test(every_function_is_given_in_address_order),
        cmocka_unit_test(a_signal_frame_is_listed_nowhere_and_told_by_every_address_in_it),
        cmocka_unit_test(an_address_inside_leads_to_the_function_around_it),
        cmocka_unit_test(an_address_with_two_names_has_the_global_one),
        cmocka_unit_test(a_stripped_file_has_its_functions_by_fde_starts),
        cmocka_unit_test(stubs_of_the_plt_are_no_functions_with_and_without_sections),
        cmocka_unit_test(a_separate_debug_file_names_functions_at_their_addresses),
        cmocka_unit_test(versions_in_the_names_of_a_debug_file_are_split_off),
        cmocka_unit_test(a_local_name_with_a_sign_of_versions_is_left_out),
        cmocka_unit_test(a_mapped_object_has_the_statics_of_its_file),
        cmocka_unit_test(mapped_and_file_have_the_same_functions),
        cmocka_unit_test(without_a_file_the_plt_of_a_mapped_object_is_left_out),
        cmocka_unit_test(the_file_of_another_build_is_ignored),
        cmocka_unit_test(without_a_build_id_the_program_headers_decide),
        cmocka_unit_test(a_damaged_symtab_leaves_a_mapped_object_its_exports),
        cmocka_unit_test(this_program_finds_its_own_static_function),
        cmocka_unit_test(libc_has_its_functions),
        cmocka_unit_test(a_stripped_daemon_has_all_its_fde_starts),
        cmocka_unit_test(a_file_cut_short_anywhere_is_refused_or_read),
        cmocka_unit_test(tables_beyond_the_end_are_refused),
        cmocka_unit_test(a_file_that_is_not_elf_is_refused),
        cmocka_unit_test(a_search_table_that_lies_is_not_used),
        cmocka_unit_test(an_entry_that_leads_to_another_fde_loses_its_size_only),
        cmocka_unit_test(an_fde_that_claims_gigabytes_ends_with_the_code),
        cmocka_unit_test(of_two_fdes_of_one_start_the_one_with_a_size_counts),
        cmocka_unit_test(starts_outside_the_code_are_no_functions),
        cmocka_unit_test(damaged_frames_are_survived),
        cmocka_unit_test(without_a_search_table_the_frames_are_found_by_their_section),
    };

    return cmocka_run_group_tests(tests, objects_setup, objects_teardown);
}
