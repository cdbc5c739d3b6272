/* file_text.c - see file_text.h. */
#include "elf/file_text.h"

#include <string.h>

#include "base/sys.h"
#include "elf/symbol_file.h"

static bool is_same_file(const struct file_text *known, const struct stat *status)
{
    return known->known && known->device == status->st_dev && known->inode == status->st_ino &&
           known->file_size == (uint64_t)status->st_size &&
           known->changed == status->st_ctim.tv_sec && known->changed_ns == status->st_ctim.tv_nsec;
}

static bool covers(const struct file_text *known, uint64_t address, uint64_t size)
{
    return address >= known->address && address - known->address <= known->size &&
           size <= known->size - (address - known->address);
}

/* Record the PT_LOAD that has all of these bytes in the file. */
static bool note_segment(struct file_text *known, const struct symbol_file *file, uint64_t address,
                         uint64_t size)
{
    for (size_t i = 0; i < file->header.e_phnum; i++) {
        const Elf64_Phdr *segment = &file->segments[i];

        if (segment->p_type != PT_LOAD)
            continue;
        known->address = segment->p_vaddr;
        known->offset = segment->p_offset;
        known->size = segment->p_filesz;
        if (covers(known, address, size))
            return true;
    }
    return false;
}

static bool learn_text(struct file_text *known, const struct image *mapped, int descriptor,
                       const struct stat *status, uint64_t address, uint64_t size)
{
    struct symbol_file file;
    struct elf_error error;

    known->known = false;
    if (symbol_file_open(&file, descriptor, &error) != 0)
        return false;
    if (symbol_file_is_of(&file, mapped) && !symbol_file_is_debug(&file) &&
        note_segment(known, &file, address, size)) {
        known->known = true;
        known->device = status->st_dev;
        known->inode = status->st_ino;
        known->file_size = (uint64_t)status->st_size;
        known->changed = status->st_ctim.tv_sec;
        known->changed_ns = status->st_ctim.tv_nsec;
    }
    symbol_file_close(&file);
    return known->known;
}

bool file_text_read(struct file_text *known, const struct image *mapped, int file, uint64_t address,
                    void *to, size_t size)
{
    struct stat status;
    uint64_t offset;

    if (image_has_textrel(mapped) || sys_fstat(file, &status) != 0)
        return false;
    if (!(is_same_file(known, &status) && covers(known, address, size)) &&
        !learn_text(known, mapped, file, &status, address, size))
        return false;
    offset = known->offset + (address - known->address);
    return sys_pread(file, to, size, (off_t)offset) == (ssize_t)size;
}
