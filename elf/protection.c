/*
 * protection.c - see protection.h.
 *
 * ld.so obeys PT_GNU_STACK of every object that it maps, also of one that dlopen(3) brings: then it
 * makes the stacks of all threads executable, and they stay so after dlclose(3).
 */
#include "elf/protection.h"

#include <elf.h>
#include <string.h>

#include "elf/file_header.h"
#include "elf/image_parts.h"

const char *image_executable_stack(const struct image *image)
{
    if (!image->names_stack)
        return "it has no PT_GNU_STACK, which asks for an executable stack";
    return image->stack_flags & PF_X ? "its PT_GNU_STACK asks for an executable stack" : NULL;
}

bool image_writable_code(const struct image *image, uint64_t *address)
{
    for (size_t i = 0; i < image->segment_count; i++) {
        const struct segment *segment = &image->segments[i];

        if ((segment->flags & (PF_W | PF_X)) != (PF_W | PF_X))
            continue;
        *address = segment->address;
        return true;
    }
    return false;
}

struct file_head {
    const unsigned char *program_headers;
    size_t count;
};

/* False: the program headers are not among the bytes. */
static bool read_head(struct file_head *head, const unsigned char *bytes, size_t size)
{
    Elf64_Ehdr header;
    struct elf_error error;

    if (image_check_file_header(bytes, size, ET_DYN, &header, &error) != 0 ||
        header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phoff > size ||
        header.e_phnum > (size - header.e_phoff) / sizeof(Elf64_Phdr))
        return false;
    *head = (struct file_head){bytes + header.e_phoff, header.e_phnum};
    return true;
}

static Elf64_Phdr segment_of(const struct file_head *head, size_t i)
{
    Elf64_Phdr segment;

    memcpy(&segment, head->program_headers + i * sizeof(segment), sizeof(segment));
    return segment;
}

const char *elf_head_problem(const unsigned char *bytes, size_t size)
{
    struct file_head head;
    bool names_stack = false;

    if (!read_head(&head, bytes, size))
        return NULL;
    for (size_t i = 0; i < head.count; i++) {
        Elf64_Phdr segment = segment_of(&head, i);

        if (segment.p_type == PT_GNU_STACK && (segment.p_flags & PF_X))
            return "its PT_GNU_STACK asks for an executable stack";
        if (segment.p_type == PT_LOAD && (segment.p_flags & (PF_W | PF_X)) == (PF_W | PF_X))
            return "it has a segment that is writable and executable";
        names_stack |= segment.p_type == PT_GNU_STACK;
    }
    return names_stack ? NULL : "it has no PT_GNU_STACK, which asks for an executable stack";
}

bool elf_head_cut_short(const unsigned char *bytes, size_t size, uint64_t file_size)
{
    struct file_head head;

    if (!read_head(&head, bytes, size))
        return false;
    for (size_t i = 0; i < head.count; i++) {
        Elf64_Phdr segment = segment_of(&head, i);

        if (segment.p_type == PT_LOAD &&
            (segment.p_offset > file_size || segment.p_filesz > file_size - segment.p_offset))
            return true;
    }
    return false;
}
