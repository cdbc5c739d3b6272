/*
 * test_slot_table.c - elf/slot_table.c, elf/manifest.c and elf/record.c: what hotpatch.h leaves in
 * an object, and each field of it damaged in turn.
 *
 * Pointers are R_X86_64_RELATIVE relocations in a file: it is their addend that is damaged.
 */
#include "tests/support/objects.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "elf/manifest.h"
#include "elf/slot_table.h"
#include "elf/slot_table_file.h"

static const char host[] =
    "#include <hotpatch.h>\n"
    "HOTPATCH_FUNCTION(int, counter_add, (int *c, int n)) { return *c += n; }\n"
    "HOTPATCH_DATA(const char *, greeting, \"hello\");\n"
    "HOTPATCH_DATA(long, zeroes, 0);\n"
    "HOTPATCH_REQUIRE(int, other, (int));\n"
    "static int32_t plain(void *s, const void *i, void *o) { return s == i && i == o; }\n"
    "HOTPATCH_SLOT_FN(\"counter.add\", plain);\n"
    "HOTPATCH_NAMESPACE(\"net\");\n"
    "int main(void) { int c = 0; return counter_add(&c, 1) + other(3); }\n";

static const char patch[] = "#include <hotpatch.h>\n"
                            "HOTPATCH_MODULE(\"counter-fix\", \"2\");\n"
                            "HOTPATCH_TARGET(\"exe\", \"0123456789abcdefABCDEF\");\n"
                            "HOTPATCH_TARGET(\"libnet.so.1\", \"00\");\n"
                            "HOTPATCH_REPLACE(int, counter_add, (int *c, int n)) {\n"
                            "    return HOTPATCH_ORIGINAL(counter_add)(c, 10 * n); }\n"
                            "HOTPATCH_REPLACE_DATA(const char *, greeting, \"hallo\");\n"
                            "HOTPATCH_REPLACE_FN(\"counter.add\") { return 7; }\n"
                            "HOTPATCH_HOOK(before_apply) { return 0; }\n"
                            "HOTPATCH_HOOK(after_revert) { return 0; }\n";

static const char bare_patch[] = "#include <hotpatch.h>\n"
                                 "HOTPATCH_MODULE(\"bare\", \"\");\n";

static const char empty_table[] = "#include <hotpatch.h>\n"
                                  "HOTPATCH_TABLE\n";

static const char neither[] = "int main(void) { return 0; }\n";

/* ------------------------------------------------------- reading tables --- */

static const struct table_slot *slot_of(const struct slot_table *table, const char *name)
{
    for (size_t i = 0; i < table->count; i++) {
        if (strcmp(table->slots[i].name, name) == 0)
            return &table->slots[i];
    }
    fail_msg("no slot %s", name);
    return NULL;
}

static void assert_host_table(const struct image *image)
{
    struct slot_table table;
    struct elf_error fault;
    int found = slot_table_read(image, &table, &fault);

    if (found != 1)
        fail_msg("%d: %s", found, found < 0 ? fault.text : "no table");
    assert_string_equal(table.name_space, "net");
    assert_int_equal(table.count, 5);
    const struct table_slot *slot = slot_of(&table, "counter_add");
    assert_string_equal(slot->signature, "int (int *c, int n)");
    assert_int_equal(slot->kind, HOTPATCH_KIND_FUNCTION);
    assert_true(slot->fallback && slot->entry && slot->fallback != slot->entry);
    assert_int_equal(slot->address % 64, 0);
    slot = slot_of(&table, "zeroes");
    assert_int_equal(slot->kind, HOTPATCH_KIND_DATA);
    assert_true(slot->fallback != 0);
    assert_int_equal(slot->entry, 0);
    assert_int_equal(slot_of(&table, "other")->kind, HOTPATCH_KIND_REQUIRED);
    assert_int_equal(slot_of(&table, "counter.add")->kind, HOTPATCH_KIND_UNTYPED);
    slot_table_free(&table);
}

static void read_host(const char *flags)
{
    struct file file = object(flags, host);
    struct opened opened = object_open(&file, 0);

    assert_host_table(opened.image);
    object_close(&opened);
    file_free(&file);
}

static void a_library_declares_slots(void **state)
{
    (void)state;
    read_host(SHARED);
}

static void a_stripped_library_declares_slots(void **state)
{
    (void)state;
    read_host(SHARED "-s");
}

static void a_program_declares_slots_without_exporting_them(void **state)
{
    (void)state;
    read_host(PROGRAM);
    read_host(FIXED_PROGRAM);
    read_host(STATIC_PROGRAM);
}

static void a_stripped_program_declares_slots(void **state)
{
    (void)state;
    read_host(PROGRAM "-s");
    read_host(FIXED_PROGRAM "-s");
    read_host(STATIC_PROGRAM "-s");
}

static void packed_relocations_hide_no_slot(void **state)
{
    (void)state;
    read_host(SHARED "-s -Wl,-z,pack-relative-relocs");
    read_host(PROGRAM "-Wl,-z,pack-relative-relocs");
}

static void an_export_is_found_without_section_headers(void **state)
{
    (void)state;
    struct file file = object(SHARED "-s", host);

    elf_header(&file)->e_shoff = 0;
    elf_header(&file)->e_shnum = 0;
    struct opened opened = object_open(&file, 0);
    assert_host_table(opened.image);
    object_close(&opened);
    file_free(&file);
}

static void a_mapped_library_declares_slots(void **state)
{
    (void)state;
    const char *path = object_path(SHARED, host);
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    struct opened opened = object_open_mapped(path);
    struct slot_table table;

    assert_host_table(opened.image);
    /* what is live may be anything */
    assert_int_equal(slot_table_read(opened.image, &table, &opened.fault), 1);
    struct hotpatch_slot_table *live = dlsym(handle, "hotpatch_slot_table_v1");
    live->begin[0].target = (hotpatch_function)(uintptr_t)1;
    live->begin[1].context = (void *)1;
    slot_table_free(&table);
    assert_host_table(opened.image);
    object_close(&opened);
    dlclose(handle);
}

static void a_damaged_mapped_table_is_refused(void **state)
{
    (void)state;
    const char *path = object_path(SHARED "-DDAMAGED", host);
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    struct opened opened = object_open_mapped(path);
    struct hotpatch_slot_table *live = dlsym(handle, "hotpatch_slot_table_v1");
    struct slot_table table;

    live->begin[0].name = (const char *)&table;
    assert_int_equal(slot_table_read(opened.image, &table, &opened.fault), -1);
    assert_int_equal(opened.fault.code, ELF_TABLE_DAMAGED);
    object_close(&opened);
    dlclose(handle);
}

/* As the program's PLT entry does in a non-PIE process. */
static void an_untyped_fallback_may_live_elsewhere_in_a_mapped_object(void **state)
{
    (void)state;
    const char *path = object_path(SHARED "-DELSEWHERE", host);
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    struct opened opened = object_open_mapped(path);
    struct hotpatch_slot_table *live = dlsym(handle, "hotpatch_slot_table_v1");
    struct slot_table table;

    for (struct hotpatch_slot *slot = live->begin; slot != live->end; slot++) {
        if (slot->kind == HOTPATCH_KIND_UNTYPED)
            slot->fallback = (hotpatch_function)free;
    }
    assert_int_equal(slot_table_read(opened.image, &table, &opened.fault), 1);
    assert_int_equal(slot_of(&table, "counter.add")->fallback, 0);
    slot_table_free(&table);
    object_close(&opened);
    dlclose(handle);
}

/* Takes the relocation of a live word back, as it is while another thread is in dlopen(). */
static void assert_pending_without(const struct image *image, void *word, uintptr_t unrelocated)
{
    uintptr_t *live = word, saved = *live;
    struct slot_table table;
    struct elf_error fault;

    *live = unrelocated;
    assert_int_equal(slot_table_read(image, &table, &fault), SLOT_TABLE_PENDING);
    assert_null(table.slots);
    *live = saved;
    assert_host_table(image);
}

static void an_object_that_is_not_yet_relocated_is_pending(void **state)
{
    (void)state;
    const char *path = object_path(SHARED "-DPENDING", host);
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    struct opened opened = object_open_mapped(path);
    struct hotpatch_slot_table *live = dlsym(handle, "hotpatch_slot_table_v1");
    struct image_symbol symbol;

    assert_true(image_symbol(opened.image, "hotpatch_slot_table_v1", &symbol));
    uintptr_t bias = (uintptr_t)live - symbol.value;
    assert_pending_without(opened.image, &live->begin, 0);
    assert_pending_without(opened.image, &live->end, 0);
    assert_pending_without(opened.image, &live->begin, (uintptr_t)live->begin - bias);
    assert_pending_without(opened.image, &live->begin->name, 0);
    assert_pending_without(opened.image, &live->begin->signature,
                           (uintptr_t)live->begin->signature - bias);
    struct slot_table table;
    live->begin = live->end = NULL; /* as the linker leaves them in the file */
    assert_int_equal(slot_table_read(opened.image, &table, &opened.fault), SLOT_TABLE_PENDING);
    object_close(&opened);
    dlclose(handle);
}

static void tables_are_found_in_files_that_do_not_export_them(void **state)
{
    (void)state;
    const char *const flags[] = {PROGRAM, PROGRAM "-s", STATIC_PROGRAM "-s"};
    struct slot_table table;
    uint64_t address;

    for (size_t i = 0; i < 3; i++) {
        struct file file = object(flags[i], host);
        struct opened opened = object_open(&file, 0);
        int fd = open(object_path(flags[i], host), O_RDONLY | O_CLOEXEC);
        assert_true(slot_table_find_in_file(fd, &address));
        assert_int_equal(slot_table_read_at(opened.image, address, &table, &opened.fault), 1);
        assert_int_equal(table.count, 5);
        slot_table_free(&table);
        assert_int_equal(slot_table_read_at(opened.image, 8, &table, &opened.fault), -1);
        close(fd);
        object_close(&opened);
        file_free(&file);
    }
}

static void no_table_is_found_in_other_files(void **state)
{
    (void)state;
    const char *const paths[] = {object_path(SHARED, neither), "/dev/null",
                                 scratch_file("text", "#!/bin/sh\n")};
    uint64_t address;

    for (size_t i = 0; i < 3; i++) {
        int fd = open(paths[i], O_RDONLY | O_CLOEXEC);
        assert_false(slot_table_find_in_file(fd, &address));
        close(fd);
    }
}

static void a_table_without_slots_is_legal(void **state)
{
    (void)state;
    struct file file = object(SHARED, empty_table);
    struct opened opened = object_open(&file, ET_DYN);
    struct slot_table table;

    assert_int_equal(slot_table_read(opened.image, &table, &opened.fault), 1);
    assert_int_equal(table.count, 0);
    assert_null(table.name_space);
    slot_table_free(&table);
    object_close(&opened);
    file_free(&file);
}

static void an_object_without_table_and_manifest_is_no_error(void **state)
{
    (void)state;
    struct file file = object(SHARED, neither);
    struct opened opened = object_open(&file, ET_DYN);
    struct slot_table table;
    struct manifest manifest;

    assert_int_equal(slot_table_read(opened.image, &table, &opened.fault), 0);
    assert_int_equal(manifest_read(opened.image, &manifest, &opened.fault), -1);
    assert_int_equal(opened.fault.code, ELF_NO_MANIFEST);
    object_close(&opened);
    file_free(&file);
}

/* ------------------------------------------------------- reading manifests --- */

static const struct manifest_entry *entry_of(const struct manifest *manifest, const char *target)
{
    for (size_t i = 0; i < manifest->entry_count; i++) {
        if (strcmp(manifest->entries[i].target, target) == 0)
            return &manifest->entries[i];
    }
    fail_msg("no entry %s", target);
    return NULL;
}

static const struct manifest_target *target_of(const struct manifest *manifest, const char *object)
{
    for (size_t i = 0; i < manifest->target_count; i++) {
        if (strcmp(manifest->targets[i].object, object) == 0)
            return &manifest->targets[i];
    }
    fail_msg("no target %s", object);
    return NULL;
}

static void assert_patch_manifest(const struct image *image)
{
    struct manifest manifest;
    struct elf_error fault;

    if (manifest_read(image, &manifest, &fault))
        fail_msg("%s", fault.text);
    assert_string_equal(manifest.name, "counter-fix");
    assert_string_equal(manifest.version, "2");
    assert_int_equal(manifest.target_count, 2);
    assert_string_equal(target_of(&manifest, "exe")->build_id, "0123456789abcdefABCDEF");
    assert_string_equal(target_of(&manifest, "libnet.so.1")->build_id, "00");
    assert_int_equal(manifest.entry_count, 3);
    const struct manifest_entry *entry = entry_of(&manifest, "counter_add");
    assert_int_equal(entry->kind, HOTPATCH_KIND_FUNCTION);
    assert_string_equal(entry->signature, "int (int *c, int n)");
    assert_true(entry->function && entry->original && !entry->data);
    entry = entry_of(&manifest, "greeting");
    assert_int_equal(entry->kind, HOTPATCH_KIND_DATA);
    assert_true(!entry->function && entry->original && entry->data);
    assert_int_equal(entry_of(&manifest, "counter.add")->kind, HOTPATCH_KIND_UNTYPED);
    assert_true(manifest.before_apply && manifest.after_revert);
    assert_int_equal(manifest.after_apply, 0);
    assert_int_equal(manifest.before_revert, 0);
    manifest_free(&manifest);
}

static void read_patch(const char *flags)
{
    struct file file = object(flags, patch);
    struct opened opened = object_open(&file, ET_DYN);

    assert_patch_manifest(opened.image);
    object_close(&opened);
    file_free(&file);
}

static void a_patch_has_a_manifest(void **state)
{
    (void)state;
    read_patch(SHARED);
    read_patch(SHARED "-s");
    read_patch(SHARED "-fvisibility=hidden -Wl,-z,now");
    read_patch(SHARED "-s -Wl,-z,pack-relative-relocs");
}

static void a_manifest_that_is_not_exported_is_found(void **state)
{
    (void)state;
    char flags[200];

    snprintf(flags, sizeof flags, SHARED "-Wl,--version-script=%s",
             scratch_file("none.map", "{ local: *; };\n"));
    read_patch(flags);
    strcat(flags, " -s");
    read_patch(flags);
}

static void a_mapped_patch_has_its_manifest(void **state)
{
    (void)state;
    const char *path = object_path(SHARED, patch);
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    struct opened opened = object_open_mapped(path);

    assert_patch_manifest(opened.image);
    object_close(&opened);
    dlclose(handle);
}

static void a_manifest_may_hold_nothing_but_a_name(void **state)
{
    (void)state;
    struct file file = object(SHARED, bare_patch);
    struct opened opened = object_open(&file, ET_DYN);
    struct manifest manifest;

    assert_int_equal(manifest_read(opened.image, &manifest, &opened.fault), 0);
    assert_string_equal(manifest.name, "bare");
    assert_string_equal(manifest.version, "");
    assert_int_equal(manifest.entry_count + manifest.target_count, 0);
    manifest_free(&manifest);
    object_close(&opened);
    file_free(&file);
}

/* ------------------------------------------------------- damage --- */

#define OUTSIDE (INT64_C(1) << 44)
#define PLAIN_WORD ELF64_R_INFO(0, R_X86_64_NONE)

static int64_t *pointer_at(struct file *file, uint64_t address)
{
    return &elf_relocation(file, address)->r_addend;
}

/* An executable, a read-only, a writable and a RELRO address of the object. */
static int64_t text_of(struct file *file)
{
    return (int64_t)elf_section(file, ".text")->sh_addr;
}

static int64_t rodata_of(struct file *file)
{
    return (int64_t)elf_section(file, ".rodata")->sh_addr;
}

static int64_t data_of(struct file *file)
{
    return (int64_t)elf_section(file, ".data")->sh_addr;
}

static int64_t relro_of(struct file *file)
{
    return (int64_t)elf_section(file, ".dynamic")->sh_addr;
}

/* The address of .rodata, filled with text that never ends. */
static int64_t endless_text(struct file *file)
{
    const Elf64_Phdr *segments = (const void *)(file->bytes + elf_header(file)->e_phoff);

    for (unsigned i = 0; i < elf_header(file)->e_phnum; i++) {
        const Elf64_Phdr *segment = &segments[i];
        uint64_t offset = (uint64_t)rodata_of(file) - segment->p_vaddr;
        if (segment->p_type == PT_LOAD && offset < segment->p_filesz)
            memset(file->bytes + segment->p_offset + offset, 'x', segment->p_filesz - offset);
    }
    return rodata_of(file);
}

#define TABLE \
    ((struct hotpatch_slot_table *)elf_at(&file, elf_symbol(&file, "hotpatch_slot_table_v1")))
#define TABLE_POINTER(member)                                         \
    (*pointer_at(&file, elf_symbol(&file, "hotpatch_slot_table_v1") + \
                            offsetof(struct hotpatch_slot_table, member)))
/* Slots come in the order in which the compiler put them: the one of that kind. */
static uint64_t slot_of_kind(struct file *file, uint32_t kind)
{
    const Elf64_Shdr *section = elf_section(file, "hotpatch_slots");

    for (uint64_t at = 0; at < section->sh_size; at += sizeof(struct hotpatch_slot)) {
        const struct hotpatch_slot *slot = elf_at(file, section->sh_addr + at);
        if (slot->kind == kind)
            return section->sh_addr + at;
    }
    fail_msg("no slot of kind %u", kind);
    return 0;
}

#define SLOT(kind) \
    ((struct hotpatch_slot *)elf_at(&file, slot_of_kind(&file, HOTPATCH_KIND_##kind)))
#define SLOT_POINTER(kind, member)                                  \
    (*pointer_at(&file, slot_of_kind(&file, HOTPATCH_KIND_##kind) + \
                            offsetof(struct hotpatch_slot, member)))

static void assert_table_refused(struct file *file)
{
    struct opened opened = object_open(file, ET_DYN);
    struct slot_table table;

    assert_non_null(opened.image);
    assert_int_equal(slot_table_read(opened.image, &table, &opened.fault), -1);
    assert_int_equal(opened.fault.code, ELF_TABLE_DAMAGED);
    assert_true(opened.fault.text[0] != '\0');
    assert_null(table.slots);
    object_close(&opened);
    file_free(file);
}

#define BAD_TABLE(name, statement)               \
    static void name##_is_refused(void **state)  \
    {                                            \
        (void)state;                             \
        struct file file = object(SHARED, host); \
        statement;                               \
        assert_table_refused(&file);             \
    }

BAD_TABLE(a_wrong_table_magic, TABLE->magic ^= 1)
BAD_TABLE(another_table_version, TABLE->version++)
BAD_TABLE(another_slot_size, TABLE->entry_size = 32)
BAD_TABLE(a_table_that_begins_outside, TABLE_POINTER(begin) = OUTSIDE)
BAD_TABLE(a_table_that_ends_outside, TABLE_POINTER(end) = OUTSIDE)
BAD_TABLE(a_table_that_ends_before_it_begins, TABLE_POINTER(end) = TABLE_POINTER(begin) - 64)
BAD_TABLE(a_torn_slot, TABLE_POINTER(end) -= 8)
BAD_TABLE(a_misaligned_table, TABLE_POINTER(begin) += 8; TABLE_POINTER(end) += 8)
BAD_TABLE(a_table_of_too_many_slots, TABLE_POINTER(end) = TABLE_POINTER(begin) + 65537 * 64)
BAD_TABLE(a_table_in_read_only_memory, TABLE_POINTER(begin) = text_of(&file) & ~63;
          TABLE_POINTER(end) = TABLE_POINTER(begin) + 64)
BAD_TABLE(a_table_that_lost_its_begin,
          elf_relocation(&file, elf_symbol(&file, "hotpatch_slot_table_v1") +
                                    offsetof(struct hotpatch_slot_table, begin))
              ->r_info = PLAIN_WORD)
BAD_TABLE(a_namespace_outside, TABLE_POINTER(name_space) = OUTSIDE)
BAD_TABLE(a_namespace_without_end, TABLE_POINTER(name_space) = endless_text(&file))
BAD_TABLE(a_slot_of_no_kind, SLOT(DATA)->kind = 0)
BAD_TABLE(a_slot_of_unknown_kind, SLOT(DATA)->kind = 5)
BAD_TABLE(a_slot_name_outside, SLOT_POINTER(FUNCTION, name) = OUTSIDE)
BAD_TABLE(a_slot_name_before_the_object, SLOT_POINTER(FUNCTION, name) = -4096)
BAD_TABLE(a_slot_name_that_is_null,
          elf_relocation(&file, slot_of_kind(&file, HOTPATCH_KIND_FUNCTION))->r_info = PLAIN_WORD)
BAD_TABLE(a_slot_name_at_address_0, SLOT_POINTER(FUNCTION, name) = 0)
BAD_TABLE(an_empty_slot_name, SLOT_POINTER(FUNCTION, name) += sizeof "counter_add" - 1)
BAD_TABLE(a_slot_name_in_zeroed_memory,
          SLOT_POINTER(FUNCTION, name) = (int64_t)elf_section(&file, ".bss")->sh_addr)
BAD_TABLE(a_slot_signature_outside, SLOT_POINTER(FUNCTION, signature) = OUTSIDE)
BAD_TABLE(a_fallback_outside, SLOT_POINTER(FUNCTION, fallback) = OUTSIDE)
BAD_TABLE(a_fallback_that_is_no_code, SLOT_POINTER(FUNCTION, fallback) = data_of(&file))
BAD_TABLE(a_required_body_that_is_no_code, SLOT_POINTER(REQUIRED, fallback) = data_of(&file))
BAD_TABLE(an_untyped_fallback_that_is_no_code, SLOT_POINTER(UNTYPED, fallback) = data_of(&file))
BAD_TABLE(a_data_fallback_outside, SLOT_POINTER(DATA, fallback) = OUTSIDE)
BAD_TABLE(an_entry_outside, SLOT_POINTER(FUNCTION, entry) = OUTSIDE)
BAD_TABLE(an_entry_that_is_no_code, SLOT_POINTER(FUNCTION, entry) = data_of(&file))

#define MANIFEST elf_symbol(&file, "HOTPATCH_MODULE_V1")
#define MODULE ((struct hotpatch_module *)elf_at(&file, MANIFEST))
#define MODULE_POINTER(member) \
    (*pointer_at(&file, MANIFEST + offsetof(struct hotpatch_module, member)))

static uint64_t entry_of_kind(struct file *file, uint32_t kind)
{
    const Elf64_Shdr *section = elf_section(file, "hotpatch_entries");

    for (uint64_t at = 0; at < section->sh_size; at += sizeof(struct hotpatch_entry)) {
        const struct hotpatch_entry *entry = elf_at(file, section->sh_addr + at);
        if (entry->kind == kind)
            return section->sh_addr + at;
    }
    fail_msg("no entry of kind %u", kind);
    return 0;
}

#define ENTRY(kind) \
    ((struct hotpatch_entry *)elf_at(&file, entry_of_kind(&file, HOTPATCH_KIND_##kind)))
#define ENTRY_POINTER(kind, member)                                  \
    (*pointer_at(&file, entry_of_kind(&file, HOTPATCH_KIND_##kind) + \
                            offsetof(struct hotpatch_entry, member)))
#define TARGET_POINTER(member)                                            \
    (*pointer_at(&file, elf_section(&file, "hotpatch_targets")->sh_addr + \
                            offsetof(struct hotpatch_target_record, member)))

static void assert_manifest_refused(struct file *file, enum elf_error_code code)
{
    struct opened opened = object_open(file, ET_DYN);
    struct manifest manifest;

    assert_non_null(opened.image);
    assert_int_equal(manifest_read(opened.image, &manifest, &opened.fault), -1);
    assert_int_equal(opened.fault.code, code);
    assert_true(opened.fault.text[0] != '\0');
    assert_null(manifest.entries);
    assert_null(manifest.targets);
    object_close(&opened);
    file_free(file);
}

#define BAD_MANIFEST_AS(code, name, statement)    \
    static void name##_is_refused(void **state)   \
    {                                             \
        (void)state;                              \
        struct file file = object(SHARED, patch); \
        statement;                                \
        assert_manifest_refused(&file, code);     \
    }
#define BAD_MANIFEST(name, statement) BAD_MANIFEST_AS(ELF_MANIFEST_DAMAGED, name, statement)

BAD_MANIFEST(a_wrong_module_magic, MODULE->magic ^= 1)
BAD_MANIFEST_AS(ELF_MANIFEST_VERSION, a_newer_manifest, MODULE->abi_version++)
BAD_MANIFEST_AS(ELF_MANIFEST_VERSION, a_manifest_of_version_0, MODULE->abi_version = 0)
BAD_MANIFEST(a_wrong_magic_and_version, MODULE->magic = 0; MODULE->abi_version = 9)
BAD_MANIFEST(another_module_size, MODULE->size = 8)
BAD_MANIFEST(another_entry_size, MODULE->entry_size = 0)
BAD_MANIFEST(another_target_size, MODULE->target_size = UINT32_MAX)
BAD_MANIFEST(a_module_name_outside, MODULE_POINTER(name) = OUTSIDE)
BAD_MANIFEST(a_module_name_without_end, MODULE_POINTER(name) = endless_text(&file))
BAD_MANIFEST(an_empty_module_name, MODULE_POINTER(name) += sizeof "counter-fix" - 1)
BAD_MANIFEST(a_module_version_outside, MODULE_POINTER(version) = OUTSIDE)
BAD_MANIFEST(entries_that_begin_outside, MODULE_POINTER(entries_begin) = OUTSIDE)
BAD_MANIFEST(entries_that_end_outside, MODULE_POINTER(entries_end) = OUTSIDE)
BAD_MANIFEST(entries_that_end_before_they_begin, MODULE_POINTER(entries_end) -= 4 * 64)
BAD_MANIFEST(a_torn_entry, MODULE_POINTER(entries_end) -= 1)
BAD_MANIFEST(misaligned_entries, MODULE_POINTER(entries_begin) += 8;
             MODULE_POINTER(entries_end) += 8)
BAD_MANIFEST(too_many_entries,
             MODULE_POINTER(entries_end) = MODULE_POINTER(entries_begin) + 65537 * 64)
BAD_MANIFEST(targets_that_begin_outside, MODULE_POINTER(targets_begin) = OUTSIDE)
BAD_MANIFEST(targets_that_end_outside, MODULE_POINTER(targets_end) = OUTSIDE)
BAD_MANIFEST(a_torn_target, MODULE_POINTER(targets_end) -= 1)
BAD_MANIFEST(a_hook_outside, MODULE_POINTER(before_apply) = OUTSIDE)
BAD_MANIFEST(a_hook_that_is_no_code, MODULE_POINTER(after_revert) = data_of(&file))
BAD_MANIFEST(an_entry_of_no_kind, ENTRY(DATA)->kind = 0)
BAD_MANIFEST(an_entry_of_required_kind, ENTRY(FUNCTION)->kind = HOTPATCH_KIND_REQUIRED)
BAD_MANIFEST(an_entry_of_unknown_kind, ENTRY(FUNCTION)->kind = 77)
BAD_MANIFEST(an_entry_of_unknown_flags, ENTRY(FUNCTION)->flags = 1)
BAD_MANIFEST(an_entry_target_outside, ENTRY_POINTER(FUNCTION, target) = OUTSIDE)
BAD_MANIFEST(an_entry_target_without_end, ENTRY_POINTER(FUNCTION, target) = endless_text(&file))
BAD_MANIFEST(an_empty_entry_target, ENTRY_POINTER(FUNCTION, target) += sizeof "counter_add" - 1)
BAD_MANIFEST(an_entry_signature_outside, ENTRY_POINTER(DATA, signature) = OUTSIDE)
BAD_MANIFEST(a_function_outside, ENTRY_POINTER(FUNCTION, function) = OUTSIDE)
BAD_MANIFEST(a_function_that_is_no_code, ENTRY_POINTER(FUNCTION, function) = data_of(&file))
BAD_MANIFEST(a_function_that_is_data, ENTRY(FUNCTION)->kind = HOTPATCH_KIND_DATA)
BAD_MANIFEST(data_that_is_a_function, ENTRY(DATA)->kind = HOTPATCH_KIND_FUNCTION)
BAD_MANIFEST(data_outside, ENTRY_POINTER(DATA, data) = OUTSIDE)
BAD_MANIFEST(an_original_outside, ENTRY_POINTER(FUNCTION, original) = OUTSIDE)
BAD_MANIFEST(an_original_in_text, ENTRY_POINTER(FUNCTION, original) = text_of(&file) & ~7)
BAD_MANIFEST(a_read_only_original, ENTRY_POINTER(FUNCTION, original) = rodata_of(&file) & ~7)
BAD_MANIFEST(a_relro_original, ENTRY_POINTER(FUNCTION, original) = relro_of(&file))
BAD_MANIFEST(a_misaligned_original, ENTRY_POINTER(FUNCTION, original) += 1)
BAD_MANIFEST(a_target_object_outside, TARGET_POINTER(object) = OUTSIDE)
BAD_MANIFEST(an_empty_target_object,
             TARGET_POINTER(object) +=
             (int64_t)strlen(elf_at(&file, (uint64_t)TARGET_POINTER(object))))
BAD_MANIFEST(a_target_build_id_outside, TARGET_POINTER(build_id) = OUTSIDE)
BAD_MANIFEST(a_target_build_id_that_is_no_number, TARGET_POINTER(build_id) = TARGET_POINTER(object))
BAD_MANIFEST(a_target_build_id_of_odd_length, TARGET_POINTER(build_id)++)

static void a_manifest_symbol_outside_is_refused(void **state)
{
    (void)state;
    struct file file = object(SHARED, patch);
    const Elf64_Shdr *section = elf_section(&file, ".dynsym");
    uint64_t module = elf_symbol(&file, "HOTPATCH_MODULE_V1");
    Elf64_Sym *symbols = elf_at(&file, section->sh_addr);

    for (size_t i = 0; i < section->sh_size / sizeof *symbols; i++) {
        if (symbols[i].st_value == module)
            symbols[i].st_value = (uint64_t)OUTSIDE;
    }
    assert_manifest_refused(&file, ELF_MANIFEST_DAMAGED);
}

/* Patches are small: any one byte of the file changed must be refused or read, never crash. */
static void no_single_byte_can_hurt(void **state)
{
    (void)state;
    struct file file = object(SHARED "-s", patch);
    struct manifest manifest;
    struct slot_table table;

    for (size_t at = 0; at < file.size; at += 3) {
        unsigned char saved = file.bytes[at];
        file.bytes[at] = (unsigned char)(saved ^ (at % 2 ? 0xff : 0x80));
        struct opened opened = object_open(&file, ET_DYN);
        if (opened.image) {
            manifest_read(opened.image, &manifest, &opened.fault);
            manifest_free(&manifest);
            slot_table_read(opened.image, &table, &opened.fault);
            slot_table_free(&table);
            relocations_of(opened.image);
            symbols_of(opened.image);
        }
        object_close(&opened);
        file.bytes[at] = saved;
    }
    file_free(&file);
}

#define T(name) cmocka_unit_test(name)
#define R(name) cmocka_unit_test(name##_is_refused)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_library_declares_slots),
        T(a_stripped_library_declares_slots),
        T(a_program_declares_slots_without_exporting_them),
        T(a_stripped_program_declares_slots),
        T(packed_relocations_hide_no_slot),
        T(an_export_is_found_without_section_headers),
        T(a_mapped_library_declares_slots),
        T(a_damaged_mapped_table_is_refused),
        T(an_untyped_fallback_may_live_elsewhere_in_a_mapped_object),
        T(an_object_that_is_not_yet_relocated_is_pending),
        T(tables_are_found_in_files_that_do_not_export_them),
        T(no_table_is_found_in_other_files),
        T(a_table_without_slots_is_legal),
        T(an_object_without_table_and_manifest_is_no_error),
        T(a_patch_has_a_manifest),
        T(a_manifest_that_is_not_exported_is_found),
        T(a_mapped_patch_has_its_manifest),
        T(a_manifest_may_hold_nothing_but_a_name),
        R(a_wrong_table_magic),
        R(another_table_version),
        R(another_slot_size),
        R(a_table_that_begins_outside),
        R(a_table_that_ends_outside),
        R(a_table_that_ends_before_it_begins),
        R(a_torn_slot),
        R(a_misaligned_table),
        R(a_table_of_too_many_slots),
        R(a_table_in_read_only_memory),
        R(a_table_that_lost_its_begin),
        R(a_namespace_outside),
        R(a_namespace_without_end),
        R(a_slot_of_no_kind),
        R(a_slot_of_unknown_kind),
        R(a_slot_name_outside),
        R(a_slot_name_before_the_object),
        R(a_slot_name_that_is_null),
        R(a_slot_name_at_address_0),
        R(an_empty_slot_name),
        R(a_slot_name_in_zeroed_memory),
        R(a_slot_signature_outside),
        R(a_fallback_outside),
        R(a_fallback_that_is_no_code),
        R(a_required_body_that_is_no_code),
        R(an_untyped_fallback_that_is_no_code),
        R(a_data_fallback_outside),
        R(an_entry_outside),
        R(an_entry_that_is_no_code),
        R(a_wrong_module_magic),
        R(a_newer_manifest),
        R(a_manifest_of_version_0),
        R(a_wrong_magic_and_version),
        R(another_module_size),
        R(another_entry_size),
        R(another_target_size),
        R(a_module_name_outside),
        R(a_module_name_without_end),
        R(an_empty_module_name),
        R(a_module_version_outside),
        R(entries_that_begin_outside),
        R(entries_that_end_outside),
        R(entries_that_end_before_they_begin),
        R(a_torn_entry),
        R(misaligned_entries),
        R(too_many_entries),
        R(targets_that_begin_outside),
        R(targets_that_end_outside),
        R(a_torn_target),
        R(a_hook_outside),
        R(a_hook_that_is_no_code),
        R(an_entry_of_no_kind),
        R(an_entry_of_required_kind),
        R(an_entry_of_unknown_kind),
        R(an_entry_of_unknown_flags),
        R(an_entry_target_outside),
        R(an_entry_target_without_end),
        R(an_empty_entry_target),
        R(an_entry_signature_outside),
        R(a_function_outside),
        R(a_function_that_is_no_code),
        R(a_function_that_is_data),
        R(data_that_is_a_function),
        R(data_outside),
        R(an_original_outside),
        R(an_original_in_text),
        R(a_read_only_original),
        R(a_relro_original),
        R(a_misaligned_original),
        R(a_target_object_outside),
        R(an_empty_target_object),
        R(a_target_build_id_outside),
        R(a_target_build_id_that_is_no_number),
        R(a_target_build_id_of_odd_length),
        R(a_manifest_symbol_outside),
        T(no_single_byte_can_hurt),
    };

    return cmocka_run_group_tests_name("slot_table", tests, objects_setup, objects_teardown);
}
