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
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/machine.h"
#include "elf/image_internal.h"

void image_set_error(struct elf_error *fault, enum elf_error_code code, const char *format, ...)
{
    va_list arguments;

    fault->code = code;
    va_start(arguments, format);
    vsnprintf(fault->text, sizeof fault->text, format, arguments);
    va_end(arguments);
}

/* ------------------------------------------------------- by address --- */

bool image_is_mapped(const struct image *image)
{
    return !image->elf;
}

const struct segment *image_segment(const struct image *image, uint64_t address, uint64_t size)
{
    for (size_t i = 0; i < image->segment_count; i++) {
        const struct segment *segment = &image->segments[i];
        uint64_t offset = address - segment->address;

        if (address >= segment->address && offset <= segment->memory_size &&
            size <= segment->memory_size - offset && offset < segment->memory_size)
            return segment;
    }
    return NULL;
}

bool image_has(const struct image *image, uint64_t address, uint64_t size, uint32_t flags)
{
    const struct segment *segment = image_segment(image, address, size);

    return segment && (segment->flags & flags) == flags;
}

bool image_in_relro(const struct image *image, uint64_t address, uint64_t size)
{
    return address >= image->relro_begin && address < image->relro_end &&
           size <= image->relro_end - address;
}

uint64_t image_bytes_from(const struct image *image, uint64_t address)
{
    const struct segment *segment = image_segment(image, address, 0);

    if (!segment || (image_is_mapped(image) && !(segment->flags & PF_R)))
        return 0;
    uint64_t offset = address - segment->address;
    return offset < segment->file_size ? segment->file_size - offset : 0;
}

const void *image_bytes_at(const struct image *image, uint64_t address, size_t size)
{
    uint64_t there = image_bytes_from(image, address);

    if (!there || size > there)
        return NULL;
    const struct segment *segment = image_segment(image, address, 0);
    return segment->bytes + (address - segment->address);
}

const char *image_string_at(const struct image *image, uint64_t address)
{
    uint64_t there = image_bytes_from(image, address);
    const char *string = image_bytes_at(image, address, 1);

    return string && memchr(string, '\0', there) ? string : NULL;
}

/* ------------------------------------------------------- program headers --- */

static int add_segment(struct image *image, const GElf_Phdr *header, struct elf_error *fault)
{
    struct segment *segment = &image->segments[image->segment_count];

    if (header->p_memsz == 0)
        return 0;
    if (header->p_filesz > header->p_memsz)
        return image_fail(fault, ELF_DAMAGED,
                          "a PT_LOAD has more bytes in the file than in memory");
    if (header->p_vaddr + header->p_memsz < header->p_vaddr)
        return image_fail(fault, ELF_DAMAGED, "a PT_LOAD wraps around the address space");
    if (image->segment_count > 0 && header->p_vaddr < segment[-1].address + segment[-1].memory_size)
        return image_fail(fault, ELF_DAMAGED, "PT_LOADs overlap or are not in ascending order");
    if (!image_is_mapped(image)) {
        if (header->p_offset > image->size || header->p_filesz > image->size - header->p_offset)
            return image_fail(fault, ELF_DAMAGED, "a PT_LOAD reaches beyond the end of the file");
        if (header->p_filesz > 0 && (header->p_vaddr - header->p_offset) % IMAGE_PAGE != 0)
            return image_fail(fault, ELF_DAMAGED, "a PT_LOAD cannot be mapped: misaligned");
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

/* What a header other than PT_LOAD covers, or NULL. */
static const uint8_t *header_bytes(const struct image *image, const GElf_Phdr *header)
{
    if (image_is_mapped(image))
        return image_bytes_at(image, header->p_vaddr, header->p_filesz);
    if (header->p_offset > image->size || header->p_filesz > image->size - header->p_offset)
        return NULL;
    return image->bytes + header->p_offset;
}

/* _dl_protect_relro() in glibc's elf/dl-reloc.c rounds both ends down. */
static int read_relro(struct image *image, const GElf_Phdr *header, struct elf_error *fault)
{
    if (header->p_memsz > 0 && !image_has(image, header->p_vaddr, 1, 0))
        return image_fail(fault, ELF_DAMAGED, "PT_GNU_RELRO lies outside every PT_LOAD");
    uint64_t end = header->p_vaddr + header->p_memsz;
    if (end < header->p_vaddr)
        return image_fail(fault, ELF_DAMAGED, "PT_GNU_RELRO wraps around the address space");
    image->relro_begin = header->p_vaddr & ~(IMAGE_PAGE - 1);
    image->relro_end = end & ~(IMAGE_PAGE - 1);
    if (image->relro_end < image->relro_begin)
        image->relro_end = image->relro_begin;
    return 0;
}

static int read_interpreter(struct image *image, const GElf_Phdr *header, struct elf_error *fault)
{
    const uint8_t *bytes = header_bytes(image, header);

    if (!bytes || header->p_filesz == 0 || !memchr(bytes, '\0', header->p_filesz))
        return image_fail(fault, ELF_DAMAGED, "PT_INTERP is not a string in the file");
    image->interpreter = (const char *)bytes;
    return 0;
}

static int write_build_id(char *out, const uint8_t *id, size_t size, struct elf_error *fault)
{
    static const char digits[] = "0123456789abcdef";

    if (size > IMAGE_BUILD_ID_MAX)
        return image_fail(fault, ELF_DAMAGED, "the build-id has %zu bytes", size);
    for (size_t i = 0; i < size; i++) {
        out[2 * i] = digits[id[i] >> 4];
        out[2 * i + 1] = digits[id[i] & 15];
    }
    out[2 * size] = '\0';
    return 0;
}

static uint64_t align_up(uint64_t value, uint64_t alignment)
{
    return (value + alignment - 1) & ~(alignment - 1);
}

/* Generic ABI, "Note Section"; notes of 8-byte alignment pad name and descriptor to 8. */
int image_notes_build_id(const uint8_t *notes, uint64_t size, uint64_t alignment,
                         char out[IMAGE_BUILD_ID_TEXT], struct elf_error *fault)
{
    alignment = alignment == 8 ? 8 : 4;
    for (uint64_t at = 0; at < size && size - at >= sizeof(Elf64_Nhdr);) {
        Elf64_Nhdr note;
        memcpy(&note, notes + at, sizeof note);
        uint64_t name = at + sizeof note;
        uint64_t content = align_up(name + note.n_namesz, alignment);
        if (content > size || note.n_descsz > size - content)
            return image_fail(fault, ELF_DAMAGED, "a note reaches beyond PT_NOTE");
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == sizeof ELF_NOTE_GNU &&
            memcmp(notes + name, ELF_NOTE_GNU, sizeof ELF_NOTE_GNU) == 0 && !out[0] &&
            write_build_id(out, notes + content, note.n_descsz, fault))
            return -1;
        at = align_up(content + note.n_descsz, alignment);
    }
    return 0;
}

static int read_notes(struct image *image, const GElf_Phdr *header, struct elf_error *fault)
{
    const uint8_t *notes = header_bytes(image, header);

    if (!notes && header->p_filesz > 0)
        return image_fail(fault, ELF_DAMAGED, "PT_NOTE reaches out of the object");
    return image_notes_build_id(notes, header->p_filesz, header->p_align, image->build_id, fault);
}

static int read_header(struct image *image, const GElf_Phdr *header, struct elf_error *fault)
{
    switch (header->p_type) {
    case PT_DYNAMIC:
        return image_read_dynamic(image, header->p_vaddr, header->p_filesz, fault);
    case PT_GNU_RELRO:
        return read_relro(image, header, fault);
    case PT_INTERP:
        return read_interpreter(image, header, fault);
    case PT_NOTE:
        return read_notes(image, header, fault);
    case PT_GNU_STACK: /* its size and place mean nothing */
        image->names_stack = true;
        image->stack_flags = header->p_flags;
        return 0;
    case PT_GNU_EH_FRAME: /* checked by who reads it: unwind_table.c */
        image->unwind = header->p_vaddr;
        image->unwind_size = header->p_filesz;
        return 0;
    default:
        return 0;
    }
}

/* The i-th program header, of the file or of the mapped object. */
static bool program_header(const struct image *image, const Elf64_Phdr *mapped, size_t i,
                           GElf_Phdr *header)
{
    if (!image_is_mapped(image))
        return gelf_getphdr(image->elf, (int)i, header) != NULL;
    *header = mapped[i];
    return true;
}

/* PT_LOADs first: the others are checked against them. */
static int read_headers(struct image *image, const Elf64_Phdr *mapped, size_t count,
                        struct elf_error *fault)
{
    for (int loads = 1; loads >= 0; loads--) {
        for (size_t i = 0; i < count; i++) {
            GElf_Phdr header;

            if (!program_header(image, mapped, i, &header))
                return image_fail(fault, ELF_DAMAGED, "program header %zu cannot be read", i);
            if (loads != (header.p_type == PT_LOAD))
                continue;
            if (loads ? add_segment(image, &header, fault) : read_header(image, &header, fault))
                return -1;
        }
    }
    if (image->segment_count == 0)
        return image_fail(fault, ELF_DAMAGED, "there is no PT_LOAD");
    return 0;
}

/* ------------------------------------------------------- files --- */

static const char *type_name(uint16_t type)
{
    switch (type) {
    case ET_REL:
        return "an object file (ET_REL)";
    case ET_EXEC:
        return "a program at a fixed address (ET_EXEC)";
    case ET_DYN:
        return "a shared object";
    case ET_CORE:
        return "a core dump";
    default:
        return "of an unknown ELF type";
    }
}

static int check_type(uint16_t type, uint16_t require_type, struct elf_error *fault)
{
    if (require_type ? type == require_type : type == ET_DYN || type == ET_EXEC)
        return 0;
    return image_fail(fault, ELF_TYPE_WRONG, "it is %s, not %s", type_name(type),
                      require_type ? type_name(require_type) : "a program or shared object");
}

int image_check_file_header(const uint8_t *bytes, size_t size, uint16_t require_type,
                            Elf64_Ehdr *header, struct elf_error *fault)
{
    if (size < SELFMAG || memcmp(bytes, ELFMAG, SELFMAG) != 0)
        return image_fail(fault, ELF_NOT, "it does not begin with the ELF magic");
    if (size < EI_NIDENT)
        return image_fail(fault, ELF_DAMAGED, "it ends inside the ELF header");
    if (bytes[EI_CLASS] != ELFCLASS64 || bytes[EI_DATA] != ELFDATA2LSB)
        return image_fail(fault, ELF_CLASS_WRONG, "it is not 64-bit little-endian");
    if (size < sizeof *header)
        return image_fail(fault, ELF_DAMAGED, "it ends inside the ELF header");
    memcpy(header, bytes, sizeof *header);
    if (header->e_machine != machine_elf)
        return image_fail(fault, ELF_MACHINE_WRONG, "its machine is %u, not %s", header->e_machine,
                          machine_name);
    if (check_type(header->e_type, require_type, fault))
        return -1;
    if (header->e_ident[EI_VERSION] != EV_CURRENT || header->e_version != EV_CURRENT)
        return image_fail(fault, ELF_DAMAGED, "it is of an unknown ELF version");
    return 0;
}

/* Header tables inside the file; libelf is not asked before. A file cut short while it was
 * copied fails here: section headers come last. */
int image_check_header_tables(const Elf64_Ehdr *header, size_t size, struct elf_error *fault)
{
    uint64_t program = (uint64_t)header->e_phnum * sizeof(Elf64_Phdr);
    uint64_t sections = (uint64_t)header->e_shnum * sizeof(Elf64_Shdr);

    if (header->e_phnum == 0 || header->e_phnum == PN_XNUM ||
        header->e_phentsize != sizeof(Elf64_Phdr))
        return image_fail(fault, ELF_DAMAGED, "it has no program headers of the right size");
    if (header->e_phoff > size || program > size - header->e_phoff)
        return image_fail(fault, ELF_DAMAGED, "the program headers lie beyond the end of the file");
    if (header->e_shoff == 0)
        return 0;
    if (header->e_shentsize != sizeof(Elf64_Shdr) && header->e_shnum != 0)
        return image_fail(fault, ELF_DAMAGED, "the section headers have the wrong size");
    if (header->e_shoff > size || sections > size - header->e_shoff)
        return image_fail(fault, ELF_DAMAGED, "the section headers lie beyond the end of the file");
    return 0;
}

static struct image *allocate(size_t header_count)
{
    struct image *image = calloc(1, sizeof *image + header_count * sizeof(struct segment));

    if (image)
        image->lazy = &image->lazy_storage;
    return image;
}

/* What makes ld.so refuse to dlopen() a file, beyond its frame. */
static int check_loadable(const struct image *image, struct elf_error *fault)
{
    if (!image->dynamic.bytes)
        return image_fail(fault, ELF_DAMAGED, "it has no PT_DYNAMIC");
    if (!image->dynsym.symbols.bytes || !image->dynsym.strings.bytes)
        return image_fail(fault, ELF_DAMAGED, "it has no DT_SYMTAB or no DT_STRTAB");
    if (image->flags_1 & DF_1_PIE)
        return image_fail(fault, ELF_TYPE_WRONG, "it is a program (PIE), not a shared object");
    return 0;
}

static int read_file(struct image *image, size_t header_count, uint16_t require_type,
                     struct elf_error *fault)
{
    elf_version(EV_CURRENT); /* else elf_memory() refuses */
    image->elf = elf_memory((char *)(uintptr_t)image->bytes, image->size);
    if (!image->elf || elf_kind(image->elf) != ELF_K_ELF)
        return image_fail(fault, ELF_DAMAGED, "libelf: %s",
                          image->elf ? "not an ELF file" : elf_errmsg(-1));
    if (read_headers(image, NULL, header_count, fault))
        return -1;
    return require_type == ET_DYN ? check_loadable(image, fault) : 0;
}

int image_open(struct image **out, const void *bytes, size_t size, uint16_t require_type,
               struct elf_error *fault)
{
    Elf64_Ehdr header;

    *out = NULL;
    if (image_check_file_header(bytes, size, require_type, &header, fault) ||
        image_check_header_tables(&header, size, fault))
        return -1;
    struct image *image = allocate(header.e_phnum);
    if (!image)
        return image_fail(fault, ELF_NO_MEMORY, "no memory for %u program headers", header.e_phnum);
    image->bytes = bytes;
    image->size = size;
    image->type = header.e_type;
    if (read_file(image, header.e_phnum, require_type, fault)) {
        image_close(image);
        return -1;
    }
    *out = image;
    return 0;
}

bool image_section(const struct image *image, const char *name, uint32_t type, GElf_Shdr *section)
{
    size_t names;

    if (image_is_mapped(image) || (name && elf_getshdrstrndx(image->elf, &names)))
        return false;
    for (Elf_Scn *scan = NULL; (scan = elf_nextscn(image->elf, scan));) {
        if (!gelf_getshdr(scan, section) || (type != SHT_NULL && section->sh_type != type))
            continue;
        const char *found = name ? elf_strptr(image->elf, names, section->sh_name) : NULL;
        if (!name || (found && strcmp(found, name) == 0))
            return true;
    }
    return false;
}

/* ------------------------------------------------------- mapped objects --- */

/* dl_iterate_phdr(3) does not tell the type; the ELF header does where it is mapped. */
static uint16_t mapped_type(const struct image *image)
{
    const uint8_t *start = image->segments[0].bytes;
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)start;

    if (image->segments[0].file_size >= sizeof *header && (image->segments[0].flags & PF_R) &&
        memcmp(start, ELFMAG, SELFMAG) == 0)
        return header->e_type;
    return image->bias ? ET_DYN : ET_EXEC;
}

int image_open_mapped(struct image **out, const struct dl_phdr_info *info, struct elf_error *fault)
{
    *out = NULL;
    if (!info->dlpi_phdr || info->dlpi_phnum == 0)
        return image_fail(fault, ELF_DAMAGED, "the object has no program headers");
    struct image *image = allocate(info->dlpi_phnum);
    if (!image)
        return image_fail(fault, ELF_NO_MEMORY, "no memory for %u program headers",
                          info->dlpi_phnum);
    image->bias = info->dlpi_addr;
    if (read_headers(image, info->dlpi_phdr, info->dlpi_phnum, fault)) {
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

bool image_is_pie_or_library(const struct image *image)
{
    return image->type == ET_DYN;
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

bool image_binds_now(const struct image *image)
{
    return image->binds_now;
}

bool image_has_textrel(const struct image *image)
{
    return image->has_textrel;
}
