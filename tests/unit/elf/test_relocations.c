/*
 * test_relocations.c - elf/relocations.c: what ld.so will write where, and what words then hold.
 */
#include "elf/relocations.h"
#include "tests/support/objects.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

/* One word of each kind. */
static const char source[] = "#include <stdio.h>\n#include <stdlib.h>\n"
                             "extern int elsewhere(void) __attribute__((weak));\n"
                             "int own(void) { return 1; }\n"
                             "static int local(void) { return 2; }\n"
                             "static int chosen_(void) { return 3; }\n"
                             "static void *choose(void) { return chosen_; }\n"
                             "int chosen(void) __attribute__((ifunc(\"choose\")));\n"
                             "__thread int per_thread;\n"
                             "int (*to_local)(void) = local;\n"
                             "int (*to_own)(void) = own;\n"
                             "int (*to_chosen)(void) = chosen;\n"
                             "int (*to_weak)(void) = elsewhere;\n"
                             "int (*to_exit)(const char *) = puts;\n"
                             "char *into_own = (char *)own + 3;\n"
                             "int (*const fixed[])(void) = {local, own, 0, local};\n"
                             "unsigned long number = 0x1122334455667788;\n"
                             "unsigned long nothing;\n"
                             "int user(int i) { per_thread += i; abort();\n"
                             "    return fixed[i]() + puts(\"x\"); }\n";

#define LAZY SHARED "-Wl,-z,lazy "
#define NOW SHARED "-Wl,-z,relro,-z,now "
#define RELR SHARED "-Wl,-z,pack-relative-relocs "

static uint64_t address_of(const struct image *image, const char *name)
{
    struct image_symbol symbol;

    if (!image_symbol(image, name, &symbol))
        fail_msg("no symbol %s", name);
    return symbol.value;
}

static const struct image_relocation *relocation_at(const struct relocations *relocations,
                                                    uint64_t where)
{
    for (size_t i = 0; i < relocations->count; i++) {
        if (relocations->items[i].where == where)
            return &relocations->items[i];
    }
    return NULL;
}

/* ------------------------------------------------------- listing --- */

static void plt_and_data_relocations_are_told_apart(void **state)
{
    (void)state;
    struct file file = object(LAZY, source);
    struct opened opened = object_open(&file, ET_DYN);
    struct relocations *relocations = relocations_of(opened.image);
    const struct image_relocation *plt = relocation_of(relocations, "abort");
    const struct image_relocation *data =
        relocation_at(relocations, address_of(opened.image, "to_exit"));

    assert_int_equal(relocations->result, 0);
    assert_int_equal(plt->type, ARCH_RELOCATION_JUMP_SLOT);
    assert_true(plt->plt);
    assert_string_equal(plt->symbol.version, "GLIBC_2.2.5");
    assert_false(plt->symbol.defined);
    assert_int_equal(data->type, ARCH_RELOCATION_ADDRESS);
    assert_false(data->plt);
    assert_string_equal(data->symbol.name, "puts");
    assert_int_equal(data->addend, 0);
    object_close(&opened);
    file_free(&file);
}

static void only_what_ld_so_protects_is_relro(void **state)
{
    (void)state;
    struct file lazy = object(LAZY, source), now = object(NOW, source);
    struct opened opened_lazy = object_open(&lazy, ET_DYN), opened_now = object_open(&now, ET_DYN);

    assert_false(relocation_of(relocations_of(opened_lazy.image), "abort")->relro);
    assert_true(relocation_of(relocations_of(opened_now.image), "abort")->relro);
    struct relocations *relocations = relocations_of(opened_now.image);
    assert_false(relocation_at(relocations, address_of(opened_now.image, "to_exit"))->relro);
    assert_true(relocation_at(relocations, address_of(opened_now.image, "fixed"))->relro);
    object_close(&opened_lazy);
    object_close(&opened_now);
    file_free(&lazy);
    file_free(&now);
}

static void relro_is_rounded_down_to_pages_at_both_ends(void **state)
{
    (void)state;
    struct file file = object(NOW, source);
    Elf64_Phdr *relro = elf_segment(&file, PT_GNU_RELRO);

    relro->p_memsz -= 8; /* its end is at a page: one word less leaves the last page writable */
    struct opened opened = object_open(&file, ET_DYN);
    assert_false(relocation_of(relocations_of(opened.image), "abort")->relro);
    object_close(&opened);
    file_free(&file);
}

static int stop_at_second(const struct image_relocation *relocation, void *context)
{
    int *count = context;

    (void)relocation;
    return ++*count == 2 ? 42 : 0;
}

static void the_callback_can_stop_the_walk(void **state)
{
    (void)state;
    struct file file = object(LAZY, source), packed = object(RELR, source);
    struct opened one = object_open(&file, ET_DYN), other = object_open(&packed, ET_DYN);
    int count = 0;

    assert_int_equal(image_relocations(one.image, stop_at_second, &count, &one.fault), 42);
    assert_int_equal(count, 2);
    count = 0;
    assert_int_equal(image_relocations(other.image, stop_at_second, &count, &other.fault), 42);
    assert_int_equal(count, 2);
    object_close(&one);
    object_close(&other);
    file_free(&file);
    file_free(&packed);
}

/* ------------------------------------------------------- words --- */

static void assert_words(const struct image *image)
{
    uint64_t own = address_of(image, "own"), value = 1;

    assert_true(image_word_at(image, address_of(image, "to_local"), &value));
    assert_int_equal(value, address_of(image, "local"));
    assert_true(image_word_at(image, address_of(image, "to_own"), &value));
    assert_int_equal(value, own);
    assert_true(image_word_at(image, address_of(image, "into_own"), &value));
    assert_int_equal(value, own + 3);
    uint64_t fixed = address_of(image, "fixed");
    assert_true(image_word_at(image, fixed + 24, &value));
    assert_int_equal(value, address_of(image, "local"));
    assert_true(image_word_at(image, fixed + 16, &value));
    assert_int_equal(value, 0);
    assert_true(image_word_at(image, address_of(image, "nothing"), &value));
    assert_int_equal(value, 0);
}

static void words_hold_what_ld_so_will_store(void **state)
{
    (void)state;
    struct file file = object(LAZY, source);
    struct opened opened = object_open(&file, ET_DYN);
    uint64_t value;

    assert_words(opened.image);
    assert_true(image_word_at(opened.image, address_of(opened.image, "number"), &value));
    assert_int_equal(value, 0x1122334455667788);
    object_close(&opened);
    file_free(&file);
}

static void words_of_packed_relocations_hold_the_same(void **state)
{
    (void)state;
    struct file file = object(RELR, source);
    struct opened opened = object_open(&file, ET_DYN);
    unsigned relative = 0;
    struct relocations *relocations = relocations_of(opened.image);

    assert_true(elf_dynamic(&file, DT_RELRSZ)->d_un.d_val > 0);
    for (size_t i = 0; i < relocations->count; i++)
        relative += relocations->items[i].type == ARCH_RELOCATION_RELATIVE;
    assert_true(relative >= 5);
    assert_words(opened.image);
    object_close(&opened);
    file_free(&file);
}

static void words_of_a_program_at_a_fixed_address_are_what_they_are(void **state)
{
    (void)state;
    static const char main_source[] = "static int local(void) { return 2; }\n"
                                      "int (*to_local)(void) = local;\n"
                                      "int main(void) { return to_local(); }\n";
    struct file file = object(FIXED_PROGRAM, main_source);
    struct opened opened = object_open(&file, 0);
    uint64_t value;

    assert_true(image_word_at(opened.image, address_of(opened.image, "to_local"), &value));
    assert_int_equal(value, address_of(opened.image, "local"));
    object_close(&opened);
    file_free(&file);
}

static void words_of_other_objects_and_resolvers_are_not_known(void **state)
{
    (void)state;
    struct file file = object(LAZY, source);
    struct opened opened = object_open(&file, ET_DYN);
    uint64_t value;

    assert_false(image_word_at(opened.image, address_of(opened.image, "to_exit"), &value));
    assert_false(image_word_at(opened.image, address_of(opened.image, "to_weak"), &value));
    assert_false(image_word_at(opened.image, address_of(opened.image, "to_chosen"), &value));
    object_close(&opened);
    file_free(&file);
}

static void a_word_that_is_half_relocated_is_not_known(void **state)
{
    (void)state;
    struct file file = object(LAZY, source);
    struct opened opened = object_open(&file, ET_DYN);
    uint64_t value, at = address_of(opened.image, "to_local");

    assert_false(image_word_at(opened.image, at + 4, &value));
    assert_false(image_word_at(opened.image, at - 4, &value));
    object_close(&opened);
    file_free(&file);
}

static void there_is_no_word_outside_the_object(void **state)
{
    (void)state;
    struct file file = object(LAZY, source);
    struct opened opened = object_open(&file, ET_DYN);
    uint64_t value;

    assert_false(image_word_at(opened.image, UINT64_C(1) << 44, &value));
    assert_false(image_word_at(opened.image, UINT64_MAX - 3, &value));
    object_close(&opened);
    file_free(&file);
}

static void of_two_relocations_of_a_word_the_later_counts(void **state)
{
    (void)state;
    struct file file = object(LAZY, source);
    struct opened opened = object_open(&file, ET_DYN);
    uint64_t to_local = address_of(opened.image, "to_local"), value;
    uint64_t to_weak = address_of(opened.image, "to_weak");

    object_close(&opened);
    /* relative relocations come first in what ld writes */
    Elf64_Rela *later = elf_relocation(&file, to_weak);
    *later = (Elf64_Rela){to_local, ELF64_R_INFO(0, R_X86_64_RELATIVE), 0x1234};
    opened = object_open(&file, ET_DYN);
    assert_true(image_word_at(opened.image, to_local, &value));
    assert_int_equal(value, 0x1234);
    object_close(&opened);
    file_free(&file);
}

static void words_of_a_mapped_object_are_the_live_ones(void **state)
{
    (void)state;
    const char *path = object_path(LAZY, source);
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    struct opened opened = object_open_mapped(path);
    const struct image *image = opened.image;
    uint64_t value, own = address_of(image, "own");
    char **into_own = dlsym(handle, "into_own");

    assert_true(image_word_at(image, address_of(image, "to_own"), &value));
    assert_int_equal(value, own);
    assert_true(image_word_at(image, address_of(image, "into_own"), &value));
    assert_int_equal(value, own + 3);
    *into_own += 2;
    assert_true(image_word_at(image, address_of(image, "into_own"), &value));
    assert_int_equal(value, own + 5);
    assert_true(image_word_at(image, address_of(image, "nothing"), &value));
    assert_int_equal(value, 0);
    assert_false(image_word_at(image, address_of(image, "to_exit"), &value));
    object_close(&opened);
    dlclose(handle);
}

/* ------------------------------------------------------- damage --- */

static void assert_damaged(struct file *file)
{
    struct opened opened = object_open(file, ET_DYN);
    uint64_t value;

    assert_non_null(opened.image);
    assert_int_equal(relocations_of(opened.image)->result, -1);
    assert_int_equal(relocations_of(opened.image)->fault.code, ELF_DAMAGED);
    assert_true(relocations_of(opened.image)->fault.text[0] != '\0');
    assert_false(image_word_at(opened.image, address_of(opened.image, "to_own"), &value));
    object_close(&opened);
    file_free(file);
}

#define DAMAGED(name, flags, statement)           \
    static void name##_is_damage(void **state)    \
    {                                             \
        (void)state;                              \
        struct file file = object(flags, source); \
        statement;                                \
        assert_damaged(&file);                    \
    }

#define FIRST(tag, type) ((type *)elf_at(&file, elf_dynamic(&file, tag)->d_un.d_ptr))

DAMAGED(a_relocation_outside, LAZY, FIRST(DT_RELA, Elf64_Rela)->r_offset = UINT64_C(1) << 44)
DAMAGED(a_relocation_that_wraps, LAZY, FIRST(DT_RELA, Elf64_Rela)->r_offset = UINT64_MAX - 3)
DAMAGED(a_relocation_in_text, LAZY, FIRST(DT_RELA, Elf64_Rela)->r_offset = elf_symbol(&file, "own"))
DAMAGED(a_plt_relocation_outside, LAZY, FIRST(DT_JMPREL, Elf64_Rela)->r_offset = 0)
DAMAGED(a_relocation_of_no_symbol, LAZY,
        FIRST(DT_JMPREL, Elf64_Rela)->r_info = ELF64_R_INFO(UINT32_MAX, R_X86_64_JUMP_SLOT))
DAMAGED(a_packed_relocation_outside, RELR, *FIRST(DT_RELR, uint64_t) = UINT64_C(1) << 44)
DAMAGED(a_packed_relocation_in_text, RELR, *FIRST(DT_RELR, uint64_t) = 0x1000)
DAMAGED(a_bitmap_without_address, RELR, *FIRST(DT_RELR, uint64_t) = UINT64_MAX)
DAMAGED(packed_relocations_that_go_back, RELR,
        FIRST(DT_RELR, uint64_t)[1] = FIRST(DT_RELR, uint64_t)[0])

#define T(name) cmocka_unit_test(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(plt_and_data_relocations_are_told_apart),
        T(only_what_ld_so_protects_is_relro),
        T(relro_is_rounded_down_to_pages_at_both_ends),
        T(the_callback_can_stop_the_walk),
        T(words_hold_what_ld_so_will_store),
        T(words_of_packed_relocations_hold_the_same),
        T(words_of_a_program_at_a_fixed_address_are_what_they_are),
        T(words_of_other_objects_and_resolvers_are_not_known),
        T(a_word_that_is_half_relocated_is_not_known),
        T(there_is_no_word_outside_the_object),
        T(of_two_relocations_of_a_word_the_later_counts),
        T(words_of_a_mapped_object_are_the_live_ones),
        T(a_relocation_outside_is_damage),
        T(a_relocation_that_wraps_is_damage),
        T(a_relocation_in_text_is_damage),
        T(a_plt_relocation_outside_is_damage),
        T(a_relocation_of_no_symbol_is_damage),
        T(a_packed_relocation_outside_is_damage),
        T(a_packed_relocation_in_text_is_damage),
        T(a_bitmap_without_address_is_damage),
        T(packed_relocations_that_go_back_is_damage),
    };

    return cmocka_run_group_tests_name("relocations", tests, objects_setup, objects_teardown);
}
