/*
 * image.c - open an ELF object, check its frame, and read bytes by virtual address.
 *
 * Runs on the listener, on host threads that look slots up, and in the command. Reads only;
 * never touches a byte outside the file, or outside the readable PT_LOADs of a mapped object.
 *
 * libelf serves the file header, the program headers and the sections. elf_memory(3) opens
 * with ELF_C_READ, which never writes into the bytes (the tests map them read-only). What is
 * reached through PT_DYNAMIC is read here, since ld.so goes by it and not by sections.
 */
#include "elf/image.h"

#include <stdlib.h>
#include <string.h>

#include "elf/dynamic.h"
#include "elf/file_header.h"
#include "elf/image_bytes.h"
#include "elf/image_parts.h"

/* ------------------------------------------------------- program headers --- */

static int add_segment(struct image *image, const GElf_Phdr *header, struct elf_error *error)
{
    struct segment *segment = &image->segments[image->segment_count];

    if (header->p_memsz == 0)
        return 0;
    if (header->p_filesz > header->p_memsz)
        return elf_fail(error, ELF_DAMAGED, "a PT_LOAD has more bytes in the file than in memory");
    if (header->p_vaddr + header->p_memsz < header->p_vaddr)
        return elf_fail(error, ELF_DAMAGED, "a PT_LOAD wraps around the address space");
    if (image->segment_count > 0 && header->p_vaddr < segment[-1].address + segment[-1].memory_size)
        return elf_fail(error, ELF_DAMAGED, "PT_LOADs overlap or are not in ascending order");
    if (!image_is_mapped(image)) {
        if (header->p_offset > image->size || header->p_filesz > image->size - header->p_offset)
            return elf_fail(error, ELF_DAMAGED, "a PT_LOAD reaches beyond the end of the file");
        if (header->p_filesz > 0 && (header->p_vaddr - header->p_offset) % IMAGE_PAGE != 0)
            return elf_fail(error, ELF_DAMAGED, "a PT_LOAD cannot be mapped: misaligned");
    }
    *segment = (struct segment){
        .address = header->p_vaddr,
        .file_size = header->p_filesz,
        .memory_size = header->p_memsz,
        .bytes = image_is_mapped(image) ? (const uint8_t *)(image->bias + header->p_vaddr)
                                        : image->bytes + header->p_offset,
        .flags = header->p_flags,
    };
    image->segment_count++;
    return 0;
}

/* Return the bytes that a header other than PT_LOAD covers, or NULL. */
static const uint8_t *header_bytes(const struct image *image, const GElf_Phdr *header)
{
    if (image_is_mapped(image))
        return image_bytes_at(image, header->p_vaddr, header->p_filesz);
    if (header->p_offset > image->size || header->p_filesz > image->size - header->p_offset)
        return NULL;
    return image->bytes + header->p_offset;
}

/* _dl_protect_relro() in glibc's elf/dl-reloc.c rounds both ends down. */
static int read_relro(struct image *image, const GElf_Phdr *header, struct elf_error *error)
{
    if (header->p_memsz > 0 && !image_has(image, header->p_vaddr, 1, 0))
        return elf_fail(error, ELF_DAMAGED, "PT_GNU_RELRO lies outside every PT_LOAD");
    uint64_t end = header->p_vaddr + header->p_memsz;
    if (end < header->p_vaddr)
        return elf_fail(error, ELF_DAMAGED, "PT_GNU_RELRO wraps around the address space");
    image->relro_begin = header->p_vaddr & ~(IMAGE_PAGE - 1);
    image->relro_end = end & ~(IMAGE_PAGE - 1);
    if (image->relro_end < image->relro_begin)
        image->relro_end = image->relro_begin;
    return 0;
}

static int read_interpreter(struct image *image, const GElf_Phdr *header, struct elf_error *error)
{
    const uint8_t *bytes = header_bytes(image, header);

    if (!bytes || header->p_filesz == 0 || !memchr(bytes, '\0', header->p_filesz))
        return elf_fail(error, ELF_DAMAGED, "PT_INTERP is not a string in the file");
    image->interpreter = (const char *)bytes;
    return 0;
}

static int read_build_id_notes(struct image *image, const GElf_Phdr *header,
                               struct elf_error *error)
{
    const uint8_t *notes = header_bytes(image, header);

    if (!notes && header->p_filesz > 0)
        return elf_fail(error, ELF_DAMAGED, "PT_NOTE reaches out of the object");
    return image_notes_build_id(notes, header->p_filesz, header->p_align, image->build_id, error);
}

static int read_program_header(struct image *image, const GElf_Phdr *header,
                               struct elf_error *error)
{
    switch (header->p_type) {
    case PT_DYNAMIC:
        return image_read_dynamic(image, header->p_vaddr, header->p_filesz, error);
    case PT_GNU_RELRO:
        return read_relro(image, header, error);
    case PT_INTERP:
        return read_interpreter(image, header, error);
    case PT_NOTE:
        return read_build_id_notes(image, header, error);
    case PT_GNU_STACK: /* its size and place mean nothing */
        image->names_stack = true;
        image->stack_flags = header->p_flags;
        return 0;
    case PT_GNU_EH_FRAME: /* checked in unwind_table.c */
        image->unwind = header->p_vaddr;
        image->unwind_size = header->p_filesz;
        return 0;
    default:
        return 0;
    }
}

/* Read the i-th program header, of the file or of the mapped object. */
static bool program_header(const struct image *image, const Elf64_Phdr *mapped, size_t i,
                           GElf_Phdr *header)
{
    if (!image_is_mapped(image))
        return gelf_getphdr(image->elf, (int)i, header) != NULL;
    *header = mapped[i];
    return true;
}

/* PT_LOADs first: the others are checked against them. */
static int read_program_headers(struct image *image, const Elf64_Phdr *mapped, size_t count,
                                struct elf_error *error)
{
    for (int loads = 1; loads >= 0; loads--) {
        for (size_t i = 0; i < count; i++) {
            GElf_Phdr header;

            if (!program_header(image, mapped, i, &header))
                return elf_fail(error, ELF_DAMAGED, "program header %zu cannot be read", i);
            if (loads != (header.p_type == PT_LOAD))
                continue;
            if (loads ? add_segment(image, &header, error)
                      : read_program_header(image, &header, error))
                return -1;
        }
    }
    if (image->segment_count == 0)
        return elf_fail(error, ELF_DAMAGED, "there is no PT_LOAD");
    return 0;
}

/* ------------------------------------------------------- files --- */

static struct image *allocate_image(size_t header_count)
{
    struct image *image = calloc(1, sizeof *image + header_count * sizeof(struct segment));

    if (image)
        image->lazy = &image->lazy_storage;
    return image;
}

/* Check what else makes ld.so refuse to dlopen() a file. */
static int check_loadable(const struct image *image, struct elf_error *error)
{
    if (!image->dynamic.bytes)
        return elf_fail(error, ELF_DAMAGED, "it has no PT_DYNAMIC");
    if (!image->dynsym.symbols.bytes || !image->dynsym.strings.bytes)
        return elf_fail(error, ELF_DAMAGED, "it has no DT_SYMTAB or no DT_STRTAB");
    if (image->flags_1 & DF_1_PIE)
        return elf_fail(error, ELF_TYPE_WRONG, "it is a program (PIE), not a shared object");
    return 0;
}

static int read_image_file(struct image *image, size_t header_count, uint16_t require_type,
                           struct elf_error *error)
{
    elf_version(EV_CURRENT); /* else elf_memory() refuses */
    image->elf = elf_memory((char *)(uintptr_t)image->bytes, image->size);
    if (!image->elf || elf_kind(image->elf) != ELF_K_ELF)
        return elf_fail(error, ELF_DAMAGED, "libelf: %s",
                        image->elf ? "not an ELF file" : elf_errmsg(-1));
    if (read_program_headers(image, NULL, header_count, error))
        return -1;
    return require_type == ET_DYN ? check_loadable(image, error) : 0;
}

int image_open(struct image **out, const void *bytes, size_t size, uint16_t require_type,
               struct elf_error *error)
{
    Elf64_Ehdr header;

    *out = NULL;
    if (image_check_file_header(bytes, size, require_type, &header, error) ||
        image_check_header_tables(&header, size, error))
        return -1;
    struct image *image = allocate_image(header.e_phnum);
    if (!image)
        return elf_fail(error, ELF_NO_MEMORY, "no memory for %u program headers", header.e_phnum);
    image->bytes = bytes;
    image->size = size;
    image->type = header.e_type;
    if (read_image_file(image, header.e_phnum, require_type, error)) {
        image_close(image);
        return -1;
    }
    *out = image;
    return 0;
}

/* ------------------------------------------------------- mapped objects --- */

/* Return e_type. dl_iterate_phdr(3) does not give it; the ELF header does where it is mapped. */
static uint16_t mapped_type(const struct image *image)
{
    const uint8_t *start = image->segments[0].bytes;
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)start;

    if (image->segments[0].file_size >= sizeof *header && (image->segments[0].flags & PF_R) &&
        memcmp(start, ELFMAG, SELFMAG) == 0)
        return header->e_type;
    return image->bias ? ET_DYN : ET_EXEC;
}

int image_open_mapped(struct image **out, const struct dl_phdr_info *info, struct elf_error *error)
{
    *out = NULL;
    if (!info->dlpi_phdr || info->dlpi_phnum == 0)
        return elf_fail(error, ELF_DAMAGED, "the object has no program headers");
    struct image *image = allocate_image(info->dlpi_phnum);
    if (!image)
        return elf_fail(error, ELF_NO_MEMORY, "no memory for %u program headers", info->dlpi_phnum);
    image->bias = info->dlpi_addr;
    if (read_program_headers(image, info->dlpi_phdr, info->dlpi_phnum, error)) {
        image_close(image);
        return -1;
    }
    image->type = mapped_type(image);
    *out = image;
    return 0;
}

/* ------------------------------------------------------- the rest --- */

void image_close(struct image *image)
{
    if (!image)
        return;
    elf_end(image->elf);
    free(image->lazy->versions);
    free(image->lazy->words);
    free(image);
}

bool image_is_static(const struct image *image)
{
    return !image->interpreter && !image->soname && !image_needed(image, 0) &&
           (image->type == ET_EXEC || (image->flags_1 & DF_1_PIE));
}

const char *image_interpreter(const struct image *image)
{
    return image->interpreter;
}

const char *image_soname(const struct image *image)
{
    return image->soname;
}

const char *image_build_id(const struct image *image)
{
    return image->build_id;
}

bool image_has_textrel(const struct image *image)
{
    return image->has_textrel;
}

const char *image_needed(const struct image *image, size_t i)
{
    for (size_t at = 0; at < image->dynamic.count; at++) {
        Elf64_Dyn entry = image_dynamic_entry(image, at);
        if (entry.d_tag == DT_NEEDED && i-- == 0)
            return image_dynamic_string(image, entry.d_un.d_val);
    }
    return NULL;
}

const char *image_search_path(const struct image *image, bool runpath)
{
    const char *found[2] = {NULL, NULL};

    for (size_t at = 0; at < image->dynamic.count; at++) {
        Elf64_Dyn entry = image_dynamic_entry(image, at);
        if (entry.d_tag == DT_RPATH || entry.d_tag == DT_RUNPATH)
            found[entry.d_tag == DT_RUNPATH] = image_dynamic_string(image, entry.d_un.d_val);
    }
    return runpath || !found[1] ? found[runpath] : NULL;
}
