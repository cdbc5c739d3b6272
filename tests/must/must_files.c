/*
 * must_files.c - files that are no patches: wrong kinds, wrong owners, damaged ELF; see must.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/must/must.h"
#include "tests/support/elf_edit.h"

static const char *load_path(struct host *host, const char *path)
{
    return outcome(host, "load %s", path);
}

/* A copy of a patch that is sound and uses libc, after `edit` went over it. */
static const char *load_edited(struct host *host, void (*edit)(struct file *))
{
    struct file file = file_read(patch_file("constructor_malloc"));
    const char *path = host_path(host, "edited.so");
    edit(&file);
    file_write(path, file.bytes, file.size, 0755);
    file_free(&file);
    return load_path(host, path);
}

/* Defines the case `name`: the statement edits `file`. */
#define EDITED(name, statement)                \
    static void edit_##name(struct file *file) \
    {                                          \
        statement;                             \
    }                                          \
    static const char *name(struct host *host) \
    {                                          \
        return load_edited(host, edit_##name); \
    }

/* ---- kinds of file ---- */

static const char *file_missing(struct host *host)
{
    return load_path(host, host_path(host, "not-there.so"));
}

static const char *file_is_directory(struct host *host)
{
    return load_path(host, host->scratch);
}

static const char *file_is_fifo(struct host *host)
{
    const char *path = host_path(host, "fifo.so");
    assert_int_equal(mkfifo(path, 0600), 0);
    return load_path(host, path);
}

static const char *file_is_device(struct host *host)
{
    return load_path(host, "/dev/null");
}

static const char *file_below_file(struct host *host)
{
    return load_path(host, "/etc/passwd/fix.so");
}

static const char *link_to_nowhere(struct host *host)
{
    const char *path = host_path(host, "link.so");
    assert_int_equal(symlink("/nonexistent/fix.so", path), 0);
    return load_path(host, path);
}

static const char *link_to_itself(struct host *host)
{
    const char *path = host_path(host, "loop.so");
    assert_int_equal(symlink(path, path), 0);
    return load_path(host, path);
}

static const char *link_to_patch(struct host *host)
{
    const char *path = host_path(host, "link.so");
    assert_int_equal(symlink(patch_file("answer2"), path), 0);
    const char *code = load_path(host, path);
    host_expect(host, "answer", "2");
    return code;
}

static const char *file_unreadable(struct host *host)
{
    const char *path = host_path(host, "private.so");
    copy_file(patch_file("answer2"), path);
    assert_int_equal(chmod(path, 0), 0);
    if (geteuid() == 0) {
        assert_int_equal(chown(host->directory, 65534, 65534), 0);
        host_expect(host, "setuid 65534", "uid");
    }
    return load_path(host, path);
}

static const char *file_writable_by_others(struct host *host)
{
    const char *path = host_path(host, "open.so");
    copy_file(patch_file("answer2"), path);
    assert_int_equal(chmod(path, 0777), 0);
    return load_path(host, path);
}

static const char *file_writable_by_group(struct host *host)
{
    const char *path = host_path(host, "open.so");
    copy_file(patch_file("answer2"), path);
    assert_int_equal(chmod(path, 0775), 0);
    if (geteuid() == 0)
        assert_int_equal(chown(path, 0, 65534), 0);
    return load_path(host, path);
}

static const char *directory_writable_by_others(struct host *host)
{
    const char *directory = host_path(host, "open"), *path = host_path(host, "open/fix.so");
    assert_int_equal(mkdir(directory, 0777), 0);
    assert_int_equal(chmod(directory, 0777), 0);
    copy_file(patch_file("answer2"), path);
    return load_path(host, path);
}

static const char *file_of_another_user(struct host *host)
{
    const char *path = host_path(host, "foreign.so");
    copy_file(patch_file("answer2"), path);
    if (geteuid() != 0 || chown(path, 65534, 65534) != 0)
        return "HP-WRITABLE"; /* only root can give files away */
    return load_path(host, path);
}

static const char *file_too_large(struct host *host)
{
    const char *path = host_path(host, "large.so");
    copy_file(patch_file("answer2"), path);
    assert_int_equal(truncate(path, (off_t)257 << 20), 0);
    return load_path(host, path);
}

struct writer {
    const char *path;
    bool stop; /* atomic */
};

static void *rewrite(void *argument)
{
    struct writer *writer = argument;
    int fd = open(writer->path, O_WRONLY | O_CLOEXEC);
    for (unsigned char byte = 0; fd >= 0 && !__atomic_load_n(&writer->stop, __ATOMIC_RELAXED);
         byte++)
        if (pwrite(fd, &byte, 1, (64 << 20) - 1) != 1)
            break;
    close(fd);
    return NULL;
}

/* 64 MiB take long enough to read for a writer on the other core to be noticed. */
static const char *file_changes_while_read(struct host *host)
{
    struct writer writer = {host_path(host, "busy.so"), false};
    pthread_t thread;
    copy_file(patch_file("answer2"), writer.path);
    assert_int_equal(truncate(writer.path, 64 << 20), 0);
    assert_int_equal(pthread_create(&thread, NULL, rewrite, &writer), 0);
    const char *code = load_path(host, writer.path);
    __atomic_store_n(&writer.stop, true, __ATOMIC_RELAXED);
    pthread_join(thread, NULL);
    return code;
}

static const char *file_is_text(struct host *host)
{
    const char *path = host_path(host, "text.so");
    file_write(path, "int answer(void) { return 2; }\n", 31, 0644);
    return load_path(host, path);
}

static const char *file_is_empty(struct host *host)
{
    const char *path = host_path(host, "empty.so");
    file_write(path, "", 0, 0644);
    return load_path(host, path);
}

static const char *file_is_zeros(struct host *host)
{
    static const char zeros[8192];
    const char *path = host_path(host, "zeros.so");
    file_write(path, zeros, sizeof(zeros), 0644);
    return load_path(host, path);
}

static const char *file_is_program(struct host *host)
{
    return load_path(host, built("hosts/host-nopie"));
}

static const char *file_is_object(struct host *host)
{
    return load_path(host, built("obj/base/json.o"));
}

/* ---- truncated at every structure ---- */

EDITED(cut_in_magic, file->size = 3)
EDITED(cut_in_header, file->size = sizeof(Elf64_Ehdr) - 1)
EDITED(cut_after_header, file->size = sizeof(Elf64_Ehdr))
EDITED(cut_in_segments, file->size = elf_header(file)->e_phoff + sizeof(Elf64_Phdr) + 8)
EDITED(cut_in_symbols, file->size = elf_section(file, ".dynsym")->sh_offset + 30)
EDITED(cut_in_strings, file->size = elf_section(file, ".dynstr")->sh_offset + 5)
EDITED(cut_in_hash, file->size = elf_section(file, ".gnu.hash")->sh_offset + 10)
EDITED(cut_in_relocations, file->size = elf_section(file, ".rela.dyn")->sh_offset + 30)
EDITED(cut_in_code, file->size = elf_section(file, ".text")->sh_offset + 4)
EDITED(cut_in_dynamic, file->size = elf_segment(file, PT_DYNAMIC)->p_offset + 24)
EDITED(cut_in_manifest, file->size = elf_offset(file, elf_symbol(file, "HOTPATCH_MODULE_V1")) + 20)
EDITED(cut_in_entries, file->size = elf_section(file, "hotpatch_entries")->sh_offset + 8)

/* ---- the header ---- */

EDITED(class_32, elf_header(file)->e_ident[EI_CLASS] = ELFCLASS32)
EDITED(big_endian, elf_header(file)->e_ident[EI_DATA] = ELFDATA2MSB)
EDITED(other_machine, elf_header(file)->e_machine = EM_AARCH64)
EDITED(type_rel, elf_header(file)->e_type = ET_REL)
EDITED(type_core, elf_header(file)->e_type = ET_CORE)
EDITED(type_exec, elf_header(file)->e_type = ET_EXEC)
EDITED(ident_version, elf_header(file)->e_ident[EI_VERSION] = 9)
EDITED(segments_outside, elf_header(file)->e_phoff = 1ULL << 40)
EDITED(segments_overflow, elf_header(file)->e_phoff = UINT64_MAX - 8)
EDITED(segments_none, elf_header(file)->e_phnum = 0)
EDITED(segments_too_many, elf_header(file)->e_phnum = 60000)
EDITED(segment_entry_size, elf_header(file)->e_phentsize = 8)

/* ---- segments ---- */

EDITED(load_outside, elf_segment(file, PT_LOAD)->p_offset = 1ULL << 40)
EDITED(load_larger_than_file, elf_segment(file, PT_LOAD)->p_filesz = 1ULL << 40)
EDITED(load_smaller_than_file_part, elf_segment(file, PT_LOAD)->p_memsz = 1)
EDITED(load_overflow, elf_segment(file, PT_LOAD)->p_vaddr = UINT64_MAX - 4095)
/* ---- writable and executable ---- */

EDITED(stack_executable, elf_segment(file, PT_GNU_STACK)->p_flags |= PF_X)
EDITED(stack_not_named, elf_segment(file, PT_GNU_STACK)->p_type = PT_NULL)

static Elf64_Phdr *code_segment(struct file *file)
{
    Elf64_Phdr *segments = (Elf64_Phdr *)(void *)(file->bytes + elf_header(file)->e_phoff);
    for (unsigned i = 0; i < elf_header(file)->e_phnum; i++)
        if (segments[i].p_type == PT_LOAD && (segments[i].p_flags & PF_X))
            return &segments[i];
    fail_msg("no PT_LOAD with PF_X");
    return NULL;
}
EDITED(segment_writable_and_executable, code_segment(file)->p_flags |= PF_W)

static const char *executable_copy(struct host *host, const char *patch, const char *name)
{
    struct file file = file_read(patch);
    const char *path = host_path(host, name);
    elf_segment(&file, PT_GNU_STACK)->p_flags |= PF_X;
    file_write(path, file.bytes, file.size, 0755);
    file_free(&file);
    return path;
}

static const char *stack_executable_dry_run(struct host *host)
{
    return outcome(host, "load dry-run=1 %s",
                   executable_copy(host, patch_file("answer2"), "edited.so"));
}

static const char *stack_executable_checked(struct host *host)
{
    const char *path = executable_copy(host, patch_file("answer2"), "edited.so");
    struct output *output = hotpatch(host, "check", built("hosts/host"), path, NULL);
    bool told = output->status == 1 && strstr(output->error, "HP-WX");
    if (!told)
        print_message("exit %d\n%s%s\n", output->status, output->out, output->error);
    output_free(output);
    return told ? "HP-WX" : "not told";
}

/* The library lies where the patch's DT_RUNPATH leads, and is refused before it is mapped. */
static const char *library_in_needed(struct host *host, const char *flags, const char *then)
{
    char command[1024];
    snprintf(command, sizeof(command),
             "cd %s && echo 'int lib(void) { return 1; }' > lib.c && "
             "gcc -shared -fPIC %s -o libneeded.so lib.c && "
             "gcc -shared -fPIC -I'%s' -o needs.so '%s' -Wl,--no-as-needed -L. -lneeded "
             "-Wl,-rpath,%s && %s",
             host->scratch, flags, source_file("include"), source_file("tests/patches/answer2.c"),
             host->scratch, then);
    assert_int_equal(system(command), 0);
    return load_path(host, host_path(host, "needs.so"));
}

static const char *stack_executable_in_needed(struct host *host)
{
    return library_in_needed(host, "-Wl,-z,execstack", "true");
}

static const char *cut_short_in_needed(struct host *host)
{
    return library_in_needed(host, "", "truncate -s 4096 libneeded.so");
}

EDITED(dynamic_missing, elf_segment(file, PT_DYNAMIC)->p_type = PT_NULL)
EDITED(dynamic_outside, elf_segment(file, PT_DYNAMIC)->p_vaddr = 1ULL << 44)

/* ---- the dynamic section ---- */

EDITED(strings_outside, elf_dynamic(file, DT_STRTAB)->d_un.d_ptr = 1ULL << 44)
EDITED(strings_too_long, elf_dynamic(file, DT_STRSZ)->d_un.d_val = 1ULL << 40)
EDITED(symbols_outside, elf_dynamic(file, DT_SYMTAB)->d_un.d_ptr = 1ULL << 44)
EDITED(symbol_entry_size, elf_dynamic(file, DT_SYMENT)->d_un.d_val = 3)
EDITED(hash_outside, elf_dynamic(file, DT_GNU_HASH)->d_un.d_ptr = 1ULL << 44)
EDITED(relocations_outside, elf_dynamic(file, DT_RELA)->d_un.d_ptr = 1ULL << 44)
EDITED(relocations_too_many, elf_dynamic(file, DT_RELASZ)->d_un.d_val = 1ULL << 40)
EDITED(relocation_entry_size, elf_dynamic(file, DT_RELAENT)->d_un.d_val = 7)
EDITED(needed_name_outside, elf_dynamic(file, DT_NEEDED)->d_un.d_val = 1ULL << 30)

static void huge_buckets(struct file *file)
{
    uint32_t *hash = elf_at(file, elf_dynamic(file, DT_GNU_HASH)->d_un.d_ptr);
    hash[0] = 0x7fffffff;
}
EDITED(hash_with_huge_counts, huge_buckets(file))

static void wild_buckets(struct file *file)
{
    uint32_t *hash = elf_at(file, elf_dynamic(file, DT_GNU_HASH)->d_un.d_ptr);
    uint32_t *buckets = hash + 4 + 2 * (size_t)hash[2];

    for (uint32_t i = 0; i < hash[0]; i++)
        buckets[i] = 0x10000000;
}
EDITED(hash_chain_outside, wild_buckets(file))

static void wild_name(struct file *file)
{
    const Elf64_Shdr *table = elf_section(file, ".dynsym");
    Elf64_Sym *symbols = (Elf64_Sym *)(void *)(file->bytes + table->sh_offset);
    symbols[1].st_name = 0x7ffffff0;
}
EDITED(symbol_name_outside, wild_name(file))

/* The last relocation: none of the manifest's own, which come first. */
static Elf64_Rela *last_relocation(struct file *file)
{
    const Elf64_Shdr *table = elf_section(file, ".rela.dyn");
    return (Elf64_Rela *)(void *)(file->bytes + table->sh_offset + table->sh_size) - 1;
}
EDITED(relocation_target_outside, last_relocation(file)->r_offset = 1ULL << 44)
EDITED(relocation_target_in_code,
       last_relocation(file)->r_offset = elf_section(file, ".text")->sh_addr)
EDITED(relocation_symbol_outside,
       last_relocation(file)->r_info = ELF64_R_INFO(0x7fffffffULL, R_X86_64_GLOB_DAT))

/* Of a function that every shared object refers to: __cxa_finalize. */
static void unknown_type(struct file *file)
{
    const Elf64_Shdr *table = elf_section(file, ".rela.dyn");
    Elf64_Rela *relocation = (Elf64_Rela *)(void *)(file->bytes + table->sh_offset);
    while (ELF64_R_TYPE(relocation->r_info) != R_X86_64_GLOB_DAT)
        relocation++;
    relocation->r_info = ELF64_R_INFO(ELF64_R_SYM(relocation->r_info), 250);
}
EDITED(relocation_type_unknown, unknown_type(file))

/* A library that no system has: what the dynamic linker would fail on is found before. */
static void other_libc(struct file *file)
{
    char *strings = elf_at(file, elf_dynamic(file, DT_STRTAB)->d_un.d_ptr);
    char *name = strings + elf_dynamic(file, DT_NEEDED)->d_un.d_val;
    assert_string_equal(name, "libc.so.6");
    memcpy(name, "libq.so.6", 9);
}
EDITED(needed_library_missing, other_libc(file))

/* A version that no libc has had yet. */
static void other_version(struct file *file)
{
    const Elf64_Shdr *table = elf_section(file, ".dynstr");
    char *name = memmem(file->bytes + table->sh_offset, table->sh_size, "GLIBC_2.2.5", 12);
    assert_non_null(name);
    memcpy(name, "GLIBC_9.9.9", 11);
}
EDITED(needed_version_missing, other_version(file))

const struct must_case must_files[] = {
    CASE(file_missing),
    CASE(file_is_directory),
    CASE(file_is_fifo),
    CASE(file_is_device),
    CASE(file_below_file),
    CASE(link_to_nowhere),
    CASE(link_to_itself),
    CASE(link_to_patch),
    CASE(file_unreadable),
    CASE(file_writable_by_others),
    CASE(file_writable_by_group),
    CASE(directory_writable_by_others),
    CASE(file_of_another_user),
    CASE(file_too_large),
    CASE(file_changes_while_read),
    CASE(file_is_text),
    CASE(file_is_empty),
    CASE(file_is_zeros),
    CASE(file_is_program),
    CASE(file_is_object),
    CASE(cut_in_magic),
    CASE(cut_in_header),
    CASE(cut_after_header),
    CASE(cut_in_segments),
    CASE(cut_in_symbols),
    CASE(cut_in_strings),
    CASE(cut_in_hash),
    CASE(cut_in_relocations),
    CASE(cut_in_code),
    CASE(cut_in_dynamic),
    CASE(cut_in_manifest),
    CASE(cut_in_entries),
    CASE(stack_executable),
    CASE(stack_not_named),
    CASE(segment_writable_and_executable),
    CASE(stack_executable_dry_run),
    CASE(stack_executable_checked),
    CASE(stack_executable_in_needed),
    CASE(cut_short_in_needed),
    CASE(class_32),
    CASE(big_endian),
    CASE(other_machine),
    CASE(type_rel),
    CASE(type_core),
    CASE(type_exec),
    CASE(ident_version),
    CASE(segments_outside),
    CASE(segments_overflow),
    CASE(segments_none),
    CASE(segments_too_many),
    CASE(segment_entry_size),
    CASE(load_outside),
    CASE(load_larger_than_file),
    CASE(load_smaller_than_file_part),
    CASE(load_overflow),
    CASE(dynamic_missing),
    CASE(dynamic_outside),
    CASE(strings_outside),
    CASE(strings_too_long),
    CASE(symbols_outside),
    CASE(symbol_entry_size),
    CASE(hash_outside),
    CASE(relocations_outside),
    CASE(relocations_too_many),
    CASE(relocation_entry_size),
    CASE(needed_name_outside),
    CASE(hash_with_huge_counts),
    CASE(hash_chain_outside),
    CASE(symbol_name_outside),
    CASE(relocation_target_outside),
    CASE(relocation_target_in_code),
    CASE(relocation_symbol_outside),
    CASE(relocation_type_unknown),
    CASE(needed_library_missing),
    CASE(needed_version_missing),
    CASES_END,
};
