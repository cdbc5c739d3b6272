/*
 * must_manifests.c - damaged manifests in otherwise sound patches; see must.h.
 *
 * Pointers in a manifest are R_X86_64_RELATIVE relocations: it is their addend that is damaged.
 */
#include <string.h>

#include <hotpatch.h>

#include "tests/must/must.h"
#include "tests/support/elf_edit.h"

static uint64_t manifest_address(struct file *file)
{
    return elf_symbol(file, "HOTPATCH_MODULE_V1");
}

static struct hotpatch_module *manifest(struct file *file)
{
    return elf_at(file, manifest_address(file));
}

static struct hotpatch_entry *entry(struct file *file)
{
    return (struct hotpatch_entry *)(void *)(file->bytes +
                                             elf_section(file, "hotpatch_entries")->sh_offset);
}

/* Where the pointer `member` of the manifest, or of its entry, will point. */
static int64_t *manifest_pointer(struct file *file, size_t offset)
{
    return &elf_relocation(file, manifest_address(file) + offset)->r_addend;
}

static int64_t *entry_pointer(struct file *file, size_t offset)
{
    return &elf_relocation(file, elf_section(file, "hotpatch_entries")->sh_addr + offset)->r_addend;
}

#define MODULE(member) (*manifest_pointer(file, offsetof(struct hotpatch_module, member)))
#define ENTRY(member) (*entry_pointer(file, offsetof(struct hotpatch_entry, member)))

static const char *load_edited(struct host *host, void (*edit)(struct file *))
{
    struct file file = file_read(patch_file("answer2"));
    const char *path = host_path(host, "edited.so");
    edit(&file);
    file_write(path, file.bytes, file.size, 0755);
    file_free(&file);
    return outcome(host, "load %s", path);
}

#define EDITED(name, statement)                \
    static void edit_##name(struct file *file) \
    {                                          \
        statement;                             \
    }                                          \
    static const char *name(struct host *host) \
    {                                          \
        return load_edited(host, edit_##name); \
    }

EDITED(manifest_magic, manifest(file)->magic ^= 1)
EDITED(manifest_version_next, manifest(file)->abi_version = HOTPATCH_ABI_VERSION + 1)
EDITED(manifest_version_none, manifest(file)->abi_version = 0)
EDITED(manifest_size_small, manifest(file)->size = 8)
EDITED(manifest_size_large, manifest(file)->size = 1 << 20)
EDITED(manifest_entry_size, manifest(file)->entry_size = 24)
EDITED(manifest_entry_size_zero, manifest(file)->entry_size = 0)
EDITED(manifest_target_size, manifest(file)->target_size = 1)
EDITED(manifest_name_outside, MODULE(name) = 1LL << 44)
EDITED(manifest_name_negative, MODULE(name) = -4096)
EDITED(manifest_version_outside, MODULE(version) = 1LL << 44)
EDITED(manifest_entries_outside, MODULE(entries_begin) = 1LL << 44)
EDITED(manifest_entries_reversed, MODULE(entries_end) = MODULE(entries_begin) - 64)
EDITED(manifest_entries_torn, MODULE(entries_end) = MODULE(entries_begin) + 65)
EDITED(manifest_entries_too_many, MODULE(entries_end) = MODULE(entries_begin) + (64LL << 30))
EDITED(entry_target_outside, ENTRY(target) = 1LL << 44)
EDITED(entry_signature_outside, ENTRY(signature) = 1LL << 44)
EDITED(entry_function_outside, ENTRY(function) = 1LL << 44)
EDITED(entry_function_is_data, ENTRY(function) = (int64_t)manifest_address(file))
EDITED(entry_original_outside, ENTRY(original) = 1LL << 44)
EDITED(entry_kind_unknown, entry(file)->kind = 77)
EDITED(entry_kind_zero, entry(file)->kind = 0)
EDITED(entry_flags_set, entry(file)->flags = 0x80000000u)

static void name_empty(struct file *file)
{
    *(char *)elf_at(file, (uint64_t)MODULE(name)) = '\0';
}
EDITED(manifest_name_empty, name_empty(file))

static void name_with_newline(struct file *file)
{
    *(char *)elf_at(file, (uint64_t)MODULE(name)) = '\n';
}
EDITED(manifest_name_unprintable, name_with_newline(file))

static const char *manifest_missing(struct host *host)
{
    return load(host, "plain");
}

static const char *manifest_name_without_end(struct host *host)
{
    struct file file = file_read(patch_file("answer2"));
    const char *path = host_path(host, "edited.so");
    const Elf64_Shdr *section = elf_section(&file, "hotpatch_module");
    const Elf64_Phdr *segments =
        (const Elf64_Phdr *)(void *)(file.bytes + elf_header(&file)->e_phoff);
    uint64_t end = 0;
    for (unsigned i = 0; i < elf_header(&file)->e_phnum; i++)
        if (segments[i].p_type == PT_LOAD && section->sh_addr >= segments[i].p_vaddr)
            end = segments[i].p_vaddr + segments[i].p_filesz;
    elf_relocation(&file, manifest_address(&file) + offsetof(struct hotpatch_module, name))
        ->r_addend = (int64_t)end - 4;
    memset(elf_at(&file, end - 4), 'n', 4);
    file_write(path, file.bytes, file.size, 0755);
    file_free(&file);
    return outcome(host, "load %s", path);
}

const struct must_case must_manifests[] = {
    CASE(manifest_missing),          CASE(manifest_magic),
    CASE(manifest_version_next),     CASE(manifest_version_none),
    CASE(manifest_size_small),       CASE(manifest_size_large),
    CASE(manifest_entry_size),       CASE(manifest_entry_size_zero),
    CASE(manifest_target_size),      CASE(manifest_name_outside),
    CASE(manifest_name_negative),    CASE(manifest_name_empty),
    CASE(manifest_name_unprintable), CASE(manifest_name_without_end),
    CASE(manifest_version_outside),  CASE(manifest_entries_outside),
    CASE(manifest_entries_reversed), CASE(manifest_entries_torn),
    CASE(manifest_entries_too_many), CASE(entry_target_outside),
    CASE(entry_signature_outside),   CASE(entry_function_outside),
    CASE(entry_function_is_data),    CASE(entry_original_outside),
    CASE(entry_kind_unknown),        CASE(entry_kind_zero),
    CASE(entry_flags_set),           CASES_END,
};
