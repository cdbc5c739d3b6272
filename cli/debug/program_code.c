/* program_code.c - see program_code.h. */
#include "cli/debug/program_code.h"

#include <elf.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/output/output.h"
#include "cli/process/proc_maps.h"

#define PAGE 4096
#define PAGES_AT_ONCE 512
/* proc_pid_pagemap(5) */
#define PAGE_PRESENT (UINT64_C(1) << 63)
#define PAGE_SWAPPED (UINT64_C(1) << 62)
#define PAGE_OF_FILE (UINT64_C(1) << 61)

struct program {
    const Elf64_Phdr *segments;
    size_t count;
    uint64_t load; /* where the first byte of the file is */
    bool loaded;
};

static uint64_t page_begin(uint64_t address)
{
    return address & ~(uint64_t)(PAGE - 1);
}

static bool is_code_segment(const Elf64_Phdr *segment)
{
    return segment->p_type == PT_LOAD && (segment->p_flags & PF_X);
}

static uint64_t code_size(const struct program *program)
{
    uint64_t size = 0;

    for (size_t i = 0; i < program->count; i++)
        if (is_code_segment(&program->segments[i]))
            size +=
                page_begin(program->segments[i].p_vaddr + program->segments[i].p_memsz + PAGE - 1) -
                page_begin(program->segments[i].p_vaddr);
    return size;
}

/* Return whether it is code, mapped where the program's headers say: V8 maps parts of node a second time
 * elsewhere. */
static bool is_code_of(const struct program *program, const struct proc_map *mapping)
{
    uint64_t first = page_begin(program->segments[0].p_vaddr);

    for (size_t i = 0; program->loaded && mapping->executable && i < program->count; i++) {
        const Elf64_Phdr *segment = &program->segments[i];

        if (is_code_segment(segment) && mapping->offset >= page_begin(segment->p_offset) &&
            mapping->offset < segment->p_offset + segment->p_filesz &&
            mapping->begin - program->load == page_begin(segment->p_vaddr) - first +
                                                  mapping->offset - page_begin(segment->p_offset))
            return true;
    }
    return false;
}

/* Find the PT_LOADs, of which the first begins with the file. */
static bool read_segments(const struct file_image *file, struct program *program)
{
    const Elf64_Ehdr *header = (const void *)file->bytes;
    const Elf64_Phdr *segments = (const void *)((const char *)file->bytes + header->e_phoff);
    size_t first = 0;

    while (first < header->e_phnum && segments[first].p_type != PT_LOAD)
        first++;
    *program = (struct program){.segments = segments + first, .count = header->e_phnum - first};
    return program->count > 0 && page_begin(segments[first].p_offset) == 0;
}

/* The memory and the file that are compared. */
struct comparison {
    const struct file_image *file;
    const struct program *program;
    struct json_object *written; /* what the library has written: offset, size, offset, ... */
    int pagemap, memory;
};

/* Overwrite, in a page, what the library has written with what the file has. */
static void forget_written(const struct comparison *to, uint64_t address, const uint8_t *file,
                           uint8_t *page, size_t size)
{
    for (size_t i = 0; i + 1 < json_length(to->written); i += 2) {
        uint64_t begin = (uint64_t)json_object_get_int64(json_item(to->written, i));
        uint64_t end = begin + (uint64_t)json_object_get_int64(json_item(to->written, i + 1));

        for (uint64_t at = begin < address ? address : begin; at < end && at < address + size; at++)
            page[at - address] = file[at - address];
    }
}

/* Compare a page that is not the file's any more: it may have the file's bytes, but for the library's. */
static bool is_as_in_file(const struct comparison *to, const struct proc_map *mapping, uint64_t at)
{
    uint64_t offset = mapping->offset + (at - mapping->begin);
    uint8_t page[PAGE];
    size_t size = PAGE;
    const uint8_t *file = (const uint8_t *)to->file->bytes + offset;

    if (offset >= to->file->size)
        return false;
    if (size > to->file->size - offset)
        size = to->file->size - offset;
    if (pread(to->memory, page, size, (off_t)at) != (ssize_t)size)
        return false;
    forget_written(to, at - to->program->load + page_begin(to->program->segments[0].p_vaddr), file,
                   page, size);
    return memcmp(page, file, size) == 0;
}

static bool is_of_file(uint64_t page)
{
    return !(page & (PAGE_PRESENT | PAGE_SWAPPED)) || (page & PAGE_OF_FILE);
}

static bool pages_unchanged(const struct comparison *to, const struct proc_map *mapping)
{
    uint64_t pages[PAGES_AT_ONCE];

    for (uint64_t at = mapping->begin; at < mapping->end;) {
        size_t left = (mapping->end - at) / PAGE,
               count = left < PAGES_AT_ONCE ? left : PAGES_AT_ONCE;
        ssize_t size =
            pread(to->pagemap, pages, count * sizeof(*pages), (off_t)(at / PAGE * sizeof(*pages)));

        if (size < (ssize_t)sizeof(*pages))
            return false;
        count = (size_t)size / sizeof(*pages);
        for (size_t i = 0; i < count; i++, at += PAGE)
            if (!is_of_file(pages[i]) && !is_as_in_file(to, mapping, at))
                return false;
    }
    return true;
}

/* Return how many bytes of the program's code are mapped and the same as in its file. */
static uint64_t unchanged_size(const struct process *process, struct program *program,
                               const struct comparison *to)
{
    char *maps = process_file(process->view, 0, "maps", NULL), *rest = maps;
    struct proc_map mapping;
    uint64_t size = 0;

    while (proc_map_next(&rest, &mapping)) {
        if (mapping.deleted || strcmp(mapping.path, process->exe) != 0)
            continue;
        if (!program->loaded && mapping.offset == 0) {
            program->load = mapping.begin;
            program->loaded = true;
        }
        if (is_code_of(program, &mapping) && pages_unchanged(to, &mapping))
            size += mapping.end - mapping.begin;
    }
    free(maps);
    return size;
}

/* To compare a page the command needs the right to read memory, ptrace(2). */
bool program_code_unchanged(const struct process *process, const struct file_image *file,
                            struct json_object *written)
{
    struct program program;
    struct comparison to = {file, &program, written,
                            process_file_open(process->view, "pagemap", O_RDONLY),
                            process_file_open(process->view, "mem", O_RDONLY)};
    bool same = read_segments(file, &program) && to.pagemap >= 0 &&
                unchanged_size(process, &program, &to) == code_size(&program) &&
                code_size(&program) > 0;

    if (to.pagemap >= 0)
        close(to.pagemap);
    if (to.memory >= 0)
        close(to.memory);
    return same;
}
