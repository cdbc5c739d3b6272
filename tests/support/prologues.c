/*
 * prologues.c - see prologues.h. This code is separate from elf/ on purpose, so that no error of elf/ hides functions.
 * It reads each FDE of .eh_frame whose range lies in .text (LSB Core, "Exception Frames").
 */
#include "tests/support/prologues.h"

#include <elf.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "arch/arch.h"

static const Elf64_Ehdr *header_of(const struct program *program)
{
    return (const Elf64_Ehdr *)(const void *)program->bytes;
}

static const Elf64_Shdr *section_of(const struct program *program, const char *name)
{
    const Elf64_Ehdr *header = header_of(program);
    const Elf64_Shdr *sections =
        (const Elf64_Shdr *)(const void *)(program->bytes + header->e_shoff);
    const char *names = (const char *)program->bytes + sections[header->e_shstrndx].sh_offset;

    for (size_t i = 0; i < header->e_shnum; i++) {
        if (strcmp(names + sections[i].sh_name, name) == 0)
            return &sections[i];
    }
    fail_msg("no section %s", name);
    return NULL;
}

static void add_routine(struct program *program, const Elf64_Shdr *text, uint64_t address,
                        size_t size, bool piece)
{
    struct routine *routine = &program->routines[program->count];

    if (address < text->sh_addr || address >= text->sh_addr + text->sh_size)
        return;
    assert_true(size <= text->sh_addr + text->sh_size - address);
    routine->address = address;
    routine->size = size;
    routine->piece = piece;
    routine->code = program->bytes + text->sh_offset + (address - text->sh_addr);
    program->count++;
}

static int32_t int_at(const uint8_t *bytes)
{
    int32_t value;

    memcpy(&value, bytes, sizeof(value));
    return value;
}

/* Return whether the FDE is of a piece of a function. After a call the CFA is %rsp + 8 and no register is saved. If an
 * FDE says otherwise before its first advance, its code is reached by a jump (DWARF 5, 6.4.2). No FDE has 128 bytes of
 * augmentation data. */
static bool is_piece(const uint8_t *fde, size_t length)
{
    size_t at = 16 + 1 + (size_t)fde[16];

    return at < length && ((fde[at] >= 0x0c && fde[at] <= 0x10) || fde[at] >> 6 == 2);
}

/* Read the unwind table. Pointers are read as DW_EH_PE_pcrel | DW_EH_PE_sdata4: no tool writes others for x86-64. */
static void read_unwind_table(struct program *program)
{
    const Elf64_Shdr *table = section_of(program, ".eh_frame");
    const Elf64_Shdr *text = section_of(program, ".text");
    const uint8_t *bytes = program->bytes + table->sh_offset;

    program->routines = calloc(table->sh_size / 16, sizeof(*program->routines));
    assert_non_null(program->routines);
    for (size_t at = 0; at + 16 <= table->sh_size;) {
        size_t length = (uint32_t)int_at(bytes + at);

        /* a CIE has 0, and the end has no length */
        if (int_at(bytes + at + 4) != 0 && length != 0)
            add_routine(program, text,
                        table->sh_addr + at + 8 + (uint64_t)(int64_t)int_at(bytes + at + 8),
                        (uint32_t)int_at(bytes + at + 12), is_piece(bytes + at, 4 + length));
        at += 4 + length;
    }
}

static int by_address(const void *a, const void *b)
{
    const struct routine *left = a, *right = b;

    return (left->address > right->address) - (left->address < right->address);
}

static void count_padding(struct program *program)
{
    qsort(program->routines, program->count, sizeof(*program->routines), by_address);
    for (size_t i = 0; i + 1 < program->count; i++) {
        struct routine *routine = &program->routines[i];
        uint64_t end = routine->address + routine->size, next = routine[1].address;

        if (end < next)
            routine->size += arch_padding(routine->code + routine->size, next - end);
    }
}

static void find_span(struct program *program)
{
    const Elf64_Ehdr *header = header_of(program);
    const Elf64_Phdr *parts = (const Elf64_Phdr *)(const void *)(program->bytes + header->e_phoff);

    program->low = UINT64_MAX;
    for (size_t i = 0; i < header->e_phnum; i++) {
        if (parts[i].p_type != PT_LOAD)
            continue;
        if (parts[i].p_vaddr < program->low)
            program->low = parts[i].p_vaddr & ~UINT64_C(4095);
        if (parts[i].p_vaddr + parts[i].p_memsz > program->high)
            program->high = (parts[i].p_vaddr + parts[i].p_memsz + 4095) & ~UINT64_C(4095);
    }
}

bool program_open(struct program *program, const char *path)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    *program = (struct program){0};
    if (fd < 0)
        return false;
    assert_int_equal(fstat(fd, &status), 0);
    program->size = (size_t)status.st_size;
    program->bytes = mmap(NULL, program->size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    assert_true(program->bytes != MAP_FAILED);
    assert_memory_equal(program->bytes, ELFMAG, SELFMAG);
    find_span(program);
    read_unwind_table(program);
    count_padding(program);
    return true;
}

void program_close(struct program *program)
{
    munmap((void *)(uintptr_t)program->bytes, program->size);
    free(program->routines);
}

void program_load(const struct program *program, uint8_t *to)
{
    const Elf64_Ehdr *header = header_of(program);
    const Elf64_Phdr *parts = (const Elf64_Phdr *)(const void *)(program->bytes + header->e_phoff);

    for (size_t i = 0; i < header->e_phnum; i++) {
        if (parts[i].p_type == PT_LOAD)
            memcpy(to + (parts[i].p_vaddr - program->low), program->bytes + parts[i].p_offset,
                   parts[i].p_filesz);
    }
}
