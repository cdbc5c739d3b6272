/* program_functions.c - see program_functions.h. */
#include "program_functions.h"

#include <elf.h>
#include <fcntl.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "answer.h"
#include "file_functions.h"
#include "file_image.h"
#include "function_rows.h"
#include "output.h"

#define PAGE 4096
#define PAGES_AT_ONCE 512
/* proc_pid_pagemap(5) */
#define PAGE_PRESENT (UINT64_C(1) << 63)
#define PAGE_SWAPPED (UINT64_C(1) << 62)
#define PAGE_OF_FILE (UINT64_C(1) << 61)

/* ------------------------------------------------------------------- code --- */

static bool pages_unchanged(int pagemap, uint64_t begin, uint64_t end)
{
    uint64_t pages[PAGES_AT_ONCE];

    for (uint64_t page = begin / PAGE; page < end / PAGE;) {
        size_t left = end / PAGE - page, count = left < PAGES_AT_ONCE ? left : PAGES_AT_ONCE;
        ssize_t size =
            pread(pagemap, pages, count * sizeof(*pages), (off_t)(page * sizeof(*pages)));

        if (size <= 0)
            return false;
        count = (size_t)size / sizeof(*pages);
        for (size_t i = 0; i < count; i++)
            if ((pages[i] & (PAGE_PRESENT | PAGE_SWAPPED)) && !(pages[i] & PAGE_OF_FILE))
                return false;
        page += count;
    }
    return true;
}

/* A line of /proc/PID/maps. */
struct mapping {
    uint64_t begin, end, offset;
    bool execute;
};

static bool is_of(const char *line, const char *path, struct mapping *mapping)
{
    char execute;
    int name = 0;

    if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*c%*c%c%*c %" SCNx64 " %*x:%*x %*u %n",
               &mapping->begin, &mapping->end, &execute, &mapping->offset, &name) < 4)
        return false;
    mapping->execute = execute == 'x';
    return name > 0 && strcmp(line + name, path) == 0;
}

struct program {
    const Elf64_Phdr *segments;
    size_t count;
    uint64_t load; /* where the first byte of the file is */
    bool loaded;
};

static uint64_t page_of(uint64_t address)
{
    return address & ~(uint64_t)(PAGE - 1);
}

static bool is_code(const Elf64_Phdr *segment)
{
    return segment->p_type == PT_LOAD && (segment->p_flags & PF_X);
}

static uint64_t code_size(const struct program *program)
{
    uint64_t size = 0;

    for (size_t i = 0; i < program->count; i++)
        if (is_code(&program->segments[i]))
            size +=
                page_of(program->segments[i].p_vaddr + program->segments[i].p_memsz + PAGE - 1) -
                page_of(program->segments[i].p_vaddr);
    return size;
}

/* Mapped where the program's headers say: V8 maps parts of node a second time elsewhere. */
static bool is_code_of(const struct program *program, const struct mapping *mapping)
{
    uint64_t first = page_of(program->segments[0].p_vaddr);

    for (size_t i = 0; program->loaded && mapping->execute && i < program->count; i++) {
        const Elf64_Phdr *segment = &program->segments[i];

        if (is_code(segment) && mapping->offset >= page_of(segment->p_offset) &&
            mapping->offset < segment->p_offset + segment->p_filesz &&
            mapping->begin - program->load ==
                page_of(segment->p_vaddr) - first + mapping->offset - page_of(segment->p_offset))
            return true;
    }
    return false;
}

/* The PT_LOADs, of which the first begins with the file. */
static bool read_segments(const struct file_image *file, struct program *program)
{
    const Elf64_Ehdr *header = (const void *)file->bytes;
    const Elf64_Phdr *segments = (const void *)((const char *)file->bytes + header->e_phoff);
    size_t first = 0;

    while (first < header->e_phnum && segments[first].p_type != PT_LOAD)
        first++;
    *program = (struct program){.segments = segments + first, .count = header->e_phnum - first};
    return program->count > 0 && page_of(segments[first].p_offset) == 0;
}

/* All of the program's code is in memory as it is in its file. */
static bool code_unchanged(const struct process *process, const struct file_image *file)
{
    char *maps = process_file(process->view, 0, "maps", NULL), *line, *rest, name[64];
    struct program program;
    struct mapping mapping;
    uint64_t size = 0;
    int pagemap;

    snprintf(name, sizeof(name), "/proc/%d/pagemap", process->view);
    pagemap = open(name, O_RDONLY | O_CLOEXEC);
    for (line = read_segments(file, &program) && pagemap >= 0 ? maps : NULL; line && *line;
         line = rest) {
        rest = line + strcspn(line, "\n");
        if (*rest)
            *rest++ = '\0';
        if (!is_of(line, process->exe, &mapping))
            continue;
        if (!program.loaded && mapping.offset == 0) {
            program.load = mapping.begin;
            program.loaded = true;
        }
        if (is_code_of(&program, &mapping) && pages_unchanged(pagemap, mapping.begin, mapping.end))
            size += mapping.end - mapping.begin;
    }
    if (pagemap >= 0)
        close(pagemap);
    free(maps);
    return size > 0 && size == code_size(&program);
}

/* ------------------------------------------------------------------- file --- */

/* By its own name, which is what the process calls it. */
static bool is_named_file(const struct process *process, const char *link)
{
    struct stat named, real;

    return process->exe && !process->foreign_root && !process->hidden_root &&
           stat(process->exe, &named) == 0 && stat(link, &real) == 0 &&
           named.st_dev == real.st_dev && named.st_ino == real.st_ino;
}

/* A program that was started as an argument of ld.so is not what the link names: ld.so has no PT_INTERP. */
static bool open_program(struct file_image *file, struct file_functions *functions,
                         const struct process *process)
{
    struct refusal ignored = {0};
    char link[64];
    bool opened;

    snprintf(link, sizeof(link), "/proc/%d/exe", process->view);
    opened = is_named_file(process, link) && file_image_open(file, link, 0, &ignored) == 0;
    opened = opened && image_interpreter(file->image) && !image_has_textrel(file->image) &&
             code_unchanged(process, file) &&
             file_functions_open(functions, file, link, &ignored) == 0;
    refusal_clear(&ignored);
    return opened;
}

/* ------------------------------------------------------------------- rows --- */

struct rows {
    struct file_functions functions;
    struct json_object *slots; /* the process's own */
    struct json_object *list;  /* new ones */
    const char *object, *path;
    const char **imported; /* in order */
    size_t imported_count;
    bool indirect;
};

static bool any_name(const char *name, void *context)
{
    (void)name;
    (void)context;
    return true;
}

static int by_name(const void *left, const void *right)
{
    const char *const *a = left, *const *b = right;

    return strcmp(*a, *b);
}

/* The names of the imports that are defined in the program. */
static void note_own_imports(struct rows *rows)
{
    size_t count = json_length(rows->slots);

    rows->imported = allocate((count + 1) * sizeof(*rows->imported));
    for (size_t i = 0; i < count; i++) {
        struct json_object *slot = json_item(rows->slots, i);

        if (json_true(slot, "patchable") &&
            strcmp(json_text(slot, "definition"), rows->object) == 0)
            rows->imported[rows->imported_count++] = json_text(slot, "name");
    }
    qsort(rows->imported, rows->imported_count, sizeof(*rows->imported), by_name);
}

/* One import of that name: as loader/report_functions.c says. */
static const char *import_only(const struct rows *rows, const char *name)
{
    const char **found =
        bsearch(&name, rows->imported, rows->imported_count, sizeof(*rows->imported), by_name);
    const char **end = rows->imported + rows->imported_count;

    if (!found || (found > rows->imported && strcmp(found[-1], name) == 0) ||
        (found + 1 < end && strcmp(found[1], name) == 0))
        return NULL;
    return "only calls through imports switch: ";
}

static void add_row(const struct function *function, const char *name,
                    const struct function_code *code, void *context)
{
    struct rows *rows = context;
    struct function_row row = {function, name, code, rows->object, rows->path, NULL};

    rows->indirect |= function->ifunc;
    if (rows->indirect)
        return;
    if (code->problem && function->name)
        row.import_only = import_only(rows, function->name);
    json_object_array_add(rows->list, function_row_new(&rows->functions, &row));
}

static bool has_imports_alone(struct json_object *slots)
{
    for (size_t i = 0; i < json_length(slots); i++)
        if (strcmp(json_text(json_item(slots, i), "kind"), "import") != 0)
            return false;
    return true;
}

bool program_functions_add(const struct process *process, struct json_object *slots)
{
    struct rows rows = {.slots = slots, .list = json_object_new_array(), .path = process->exe};
    struct file_image file = {0};
    bool added = false;

    if (slots && has_imports_alone(slots) && open_program(&file, &rows.functions, process)) {
        const char *soname = image_soname(file.image);

        rows.object = soname ? soname : strrchr(process->exe, '/') + 1;
        note_own_imports(&rows);
        file_functions_each(&rows.functions, rows.object, any_name, add_row, &rows);
        added = !rows.indirect;
    }
    for (size_t i = 0; added && i < json_length(rows.list); i++)
        json_object_array_add(slots, json_object_get(json_item(rows.list, i)));
    json_object_put(rows.list);
    free(rows.imported);
    file_functions_close(&rows.functions);
    file_image_close(&file);
    return added;
}
