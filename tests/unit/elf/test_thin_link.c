/*
 * test_thin_link.c - thin objects linked for a process that the test describes: what the shared object has, where
 * references lead, and what is refused. The objects are compiled here.
 */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elf/image.h"
#include "elf/image_bytes.h"
#include "elf/protection.h"
#include "elf/rel_object.h"
#include "elf/thin_file.h"
#include "elf/thin_link.h"
#include "tests/support/directory.h"
#include "tests/support/harness.h"
#include "tests/support/thin_made.h"

#define BIAS UINT64_C(0x555555554000)
#define BASE UINT64_C(0x555555600000)
#define KEPT UINT64_C(0x555555700010)

static const char old_c[] = "int shared = 3; static int own = 4; __thread int local = 5;\n"
                            "int (*pointer)(int);\n"
                            "__attribute__((noinline)) int callee(int n) { return n + own; }\n"
                            "int work(int n) { return callee(n) + shared + local; }\n"
                            "int main(void) { return work(1); }\n";

static const char new_c[] =
    "#include <stdio.h>\n"
    "#include <stdlib.h>\n"
    "extern int shared; extern __thread int local; extern int (*pointer)(int);\n"
    "int callee(int n);\n"
    "__asm__(\".type callee, @function\");\n" /* as of a function of this unit that is the target's */
    "static int added = 7;\n"
    "static int (*const table[])(const char *) = {puts, atoi};\n"
    "__attribute__((constructor)) static void begun(void) { abort(); }\n"
    "int work(int n);\n"
    "int work(int n)\n"
    "{\n"
    "    pointer = work;\n"
    "    switch (n) { case 1: return 4; case 2: return 9; case 3: return 2; case 4: return 77; "
    "case 5: puts(\"5\"); }\n"
    "    return callee(n) + shared + local + ++added + table[n & 1](\"1\");\n"
    "}\n";

static struct file object;
static struct thin_file *thin;
static struct thin_link *linked;
static struct elf_error error;
static void *bytes;
static size_t size;
static bool has_kept, defines = true;

static bool define_in_libc(void *context, const char *name, const char *version,
                           struct thin_definition *out)
{
    (void)context, (void)name, (void)version;
    *out = (struct thin_definition){.file = "libc.so.6", .version = "GLIBC_2.2.5"};
    return defines;
}

static bool find_kept_one(void *context, const char *key, uint64_t *at)
{
    (void)context;
    *at = KEPT;
    return has_kept && strstr(key, "added");
}

static const struct thin_host process = {.bias = BIAS,
                                         .begin = BIAS,
                                         .end = BIAS + 0x10000,
                                         .tls_module = 1,
                                         .tls_is_static = true,
                                         .tls_offset = -4,
                                         .definition = define_in_libc,
                                         .kept = find_kept_one};

static int build(void **state)
{
    static const char *const functions[] = {"work", NULL};
    char line[1200];

    if (directory_make(state) != 0)
        return -1;
    file_write(directory_path("old.c"), old_c, sizeof(old_c) - 1, 0644);
    file_write(directory_path("new.c"), new_c, sizeof(new_c) - 1, 0644);
    snprintf(line, sizeof(line),
             "cd %s && gcc -O2 -g -Wl,--build-id -o old old.c && gcc -O2 -g -ffunction-sections "
             "-fdata-sections -c new.c",
             directory);
    run_shell(line);
    thin_make(directory_path("new.hpo"), "new", directory_path("old"), directory_path("new.o"),
              functions);
    return 0;
}

static int open_it(void **state)
{
    (void)state;
    object = file_read(directory_path("new.hpo"));
    has_kept = false;
    defines = true;
    return thin_file_open(&thin, object.bytes, object.size, &error);
}

static int close_it(void **state)
{
    (void)state;
    thin_link_end(linked);
    thin_file_close(thin);
    file_free(&object);
    free(bytes);
    linked = NULL;
    bytes = NULL;
    return 0;
}

static void link_it(void)
{
    if (thin_link_begin(&linked, thin, &process, &error) != 0 ||
        thin_link_at(linked, BASE, &bytes, &size, &error) != 0)
        fail_msg("%s", error.text);
}

static const Elf64_Phdr *segment_of(uint32_t type, uint32_t flags)
{
    const Elf64_Ehdr *header = bytes;
    const Elf64_Phdr *segments =
        (const Elf64_Phdr *)(const void *)((const char *)bytes + header->e_phoff);

    for (size_t i = 0; i < header->e_phnum; i++)
        if (segments[i].p_type == type && segments[i].p_flags == flags)
            return &segments[i];
    fail_msg("no segment %u %u", type, flags);
    return NULL;
}

static bool has_tag(int64_t tag)
{
    const Elf64_Phdr *segment = segment_of(PT_DYNAMIC, PF_R | PF_W);
    const Elf64_Dyn *d = (const Elf64_Dyn *)(const void *)((const char *)bytes + segment->p_offset);

    for (; d->d_tag != DT_NULL; d++)
        if (d->d_tag == tag)
            return true;
    return false;
}

static void it_is_a_shared_object_at_the_address(void **state)
{
    struct image *image;
    uint64_t address;

    (void)state;
    link_it();
    if (image_open(&image, bytes, size, ET_DYN, &error) != 0)
        fail_msg("%s", error.text);
    assert_null(image_executable_stack(image));
    assert_false(image_writable_code(image, &address));
    assert_string_equal(image_needed(image, 0), "libc.so.6");
    image_close(image);
    assert_int_equal(segment_of(PT_LOAD, PF_R)->p_vaddr, BASE);
    assert_true(segment_of(PT_LOAD, PF_R | PF_X)->p_vaddr > BASE);
    assert_true(segment_of(PT_LOAD, PF_R | PF_W)->p_vaddr > BASE);
    assert_true(thin_link_function(linked, 0) < thin_link_extent(linked).size);
}

static void constructors_are_never_in_it(void **state)
{
    (void)state;
    link_it();
    assert_false(has_tag(DT_INIT));
    assert_false(has_tag(DT_INIT_ARRAY));
    assert_false(has_tag(DT_TEXTREL));
    assert_true(has_tag(DT_VERNEED));
}

static void the_same_link_at_another_place_has_other_addresses(void **state)
{
    void *again;
    size_t again_size;

    (void)state;
    link_it();
    assert_int_equal(thin_link_at(linked, BASE + 0x1000, &again, &again_size, &error), 0);
    assert_int_equal(again_size, size);
    assert_memory_not_equal(again, bytes, size);
    free(again);
    assert_int_equal(thin_link_at(linked, BASE, &again, &again_size, &error), 0);
    assert_memory_equal(again, bytes, size);
    free(again);
}

static void a_place_out_of_reach_is_refused(void **state)
{
    struct thin_extent extent;

    (void)state;
    link_it();
    extent = thin_link_extent(linked);
    assert_true(extent.low <= BASE && BASE <= extent.high);
    assert_true(extent.high - BIAS < UINT64_C(1) << 31);
    free(bytes);
    assert_int_equal(thin_link_at(linked, BIAS + (UINT64_C(3) << 30), &bytes, &size, &error), -1);
    assert_int_equal(error.code, ELF_THIN_RELOCATION);
    assert_null(bytes);
}

/* Return the table of .eh_frame_hdr: how many rows it has, and whether they ascend. */
static void unwinding_describes_the_placed_functions_alone(void **state)
{
    const Elf64_Phdr *segment;
    const int32_t *table;
    uint64_t function;

    (void)state;
    link_it();
    segment = segment_of(PT_GNU_EH_FRAME, PF_R);
    table = (const int32_t *)(const void *)((const char *)bytes + segment->p_offset);
    assert_int_equal(table[2], 1);
    function = segment->p_vaddr + (uint64_t)(int64_t)table[3];
    assert_int_equal(function, BASE + thin_link_function(linked, 0));
}

static void new_data_is_kept_by_its_key(void **state)
{
    uint64_t at;
    const char *key;

    (void)state;
    link_it();
    key = thin_link_kept(linked, 0, &at);
    assert_non_null(key);
    assert_non_null(strstr(key, "added"));
    assert_null(thin_link_kept(linked, 1, &at));
}

static void data_that_the_process_has_is_not_placed_again(void **state)
{
    uint64_t at;
    size_t before;

    (void)state;
    link_it();
    before = segment_of(PT_LOAD, PF_R | PF_W)->p_filesz;
    thin_link_end(linked);
    free(bytes);
    has_kept = true;
    link_it();
    assert_null(thin_link_kept(linked, 0, &at));
    assert_true(segment_of(PT_LOAD, PF_R | PF_W)->p_filesz < before);
}

static void branches_into_the_target_are_listed(void **state)
{
    size_t count;
    const uint64_t *branches;

    (void)state;
    link_it();
    branches = thin_link_branches(linked, &count);
    assert_int_equal(count, 1); /* callee; puts and atoi are not the target's */
    assert_true(branches[0] > 0 && branches[0] < 0x10000);
}

static void a_symbol_that_nothing_defines_is_refused(void **state)
{
    (void)state;
    defines = false;
    assert_int_equal(thin_link_begin(&linked, thin, &process, &error), -1);
    assert_int_equal(error.code, ELF_THIN_UNDEFINED);
    assert_null(linked);
}

static void a_target_without_thread_locals_is_refused(void **state)
{
    struct thin_host other = process;

    (void)state;
    other.tls_module = 0;
    assert_int_equal(thin_link_begin(&linked, thin, &other, &error), -1);
    assert_int_equal(error.code, ELF_THIN_RELOCATION);
}

#define LINK_TEST(f) cmocka_unit_test_setup_teardown(f, open_it, close_it)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LINK_TEST(it_is_a_shared_object_at_the_address),
        LINK_TEST(constructors_are_never_in_it),
        LINK_TEST(the_same_link_at_another_place_has_other_addresses),
        LINK_TEST(a_place_out_of_reach_is_refused),
        LINK_TEST(unwinding_describes_the_placed_functions_alone),
        LINK_TEST(new_data_is_kept_by_its_key),
        LINK_TEST(data_that_the_process_has_is_not_placed_again),
        LINK_TEST(branches_into_the_target_are_listed),
        LINK_TEST(a_symbol_that_nothing_defines_is_refused),
        LINK_TEST(a_target_without_thread_locals_is_refused),
    };

    return cmocka_run_group_tests(tests, build, directory_remove);
}
