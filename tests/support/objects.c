/*
 * objects.c - see objects.h. Runs the compiler; all files are in one scratch directory.
 */
#include "tests/support/objects.h"
#include "elf/functions_read.h"

#include <ftw.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static char scratch[64];

static struct made {
    char *flags, *source;
    char path[96]; /* "": the compiler refused */
} made[64];
static size_t made_count;

int objects_setup(void **state)
{
    (void)state;
    strcpy(scratch, "/tmp/hotpatch-objects-XXXXXX");
    return mkdtemp(scratch) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status, (void)kind, (void)walk;
    return remove(path);
}

int objects_teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < made_count; i++) {
        free(made[i].flags);
        free(made[i].source);
    }
    made_count = 0;
    return nftw(scratch, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

const char *scratch_file(const char *name, const char *content)
{
    static char path[96];

    snprintf(path, sizeof path, "%s/%s", scratch, name);
    file_write(path, content, strlen(content), 0644);
    return path;
}

/* ------------------------------------------------------- compiling --- */

static bool compile(const char *flags, const char *source, const char *path)
{
    char command[1024];
    const char *compiler = getenv("CC"), *root = getenv("HOTPATCH_SOURCE");

    snprintf(command, sizeof command,
             "%s -std=gnu11 -O1 -g -I'%s/include' -Wl,--build-id -x c '%s' -x none %s -o '%s'",
             compiler && *compiler ? compiler : "cc", root ? root : ".",
             scratch_file("source.c", source), flags, path);
    return system(command) == 0;
}

const char *object_path(const char *flags, const char *source)
{
    for (size_t i = 0; i < made_count; i++) {
        if (strcmp(made[i].flags, flags) == 0 && strcmp(made[i].source, source) == 0)
            return made[i].path[0] ? made[i].path : NULL;
    }
    assert_true(made_count < sizeof made / sizeof made[0]);
    struct made *new = &made[made_count];
    *new = (struct made){.flags = strdup(flags), .source = strdup(source)};
    snprintf(new->path, sizeof new->path, "%s/object%zu.so", scratch, made_count);
    made_count++;
    if (!compile(flags, source, new->path))
        new->path[0] = '\0';
    return new->path[0] ? new->path : NULL;
}

struct file object(const char *flags, const char *source)
{
    const char *path = object_path(flags, source);

    if (!path)
        skip();
    return file_read(path);
}

int object_descriptor(const struct file *file)
{
    int memory = memfd_create("object", MFD_CLOEXEC);

    assert_true(memory >= 0);
    assert_int_equal(write(memory, file->bytes, file->size), (ssize_t)file->size);
    return memory;
}

struct functions *object_functions(const struct file *file)
{
    struct elf_error fault = {ELF_OK, ""};
    struct functions *functions;
    int descriptor = object_descriptor(file);

    if (functions_of_file(&functions, descriptor, &fault))
        fail_msg("%s", fault.text);
    close(descriptor);
    return functions;
}

/* ------------------------------------------------------- opening --- */

/* Map the file so that its last byte is the last byte before a page that cannot be read. */
static const void *guard(struct opened *opened, const struct file *file)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t pages = (file->size + page - 1) / page * page;
    unsigned char *map;

    opened->map_size = pages + page;
    map = mmap(NULL, opened->map_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(map != MAP_FAILED);
    memcpy(map + pages - file->size, file->bytes, file->size);
    assert_int_equal(mprotect(map, opened->map_size, PROT_READ), 0);
    assert_int_equal(mprotect(map + pages, page, PROT_NONE), 0);
    opened->map = map;
    return map + pages - file->size;
}

struct opened object_open(const struct file *file, uint16_t require_type)
{
    struct opened opened = {0};
    const void *bytes = guard(&opened, file);
    int result = image_open(&opened.image, bytes, file->size, require_type, &opened.fault);

    assert_int_equal(result, opened.image ? 0 : -1);
    return opened;
}

void object_close(struct opened *opened)
{
    image_close(opened->image);
    if (opened->map)
        munmap(opened->map, opened->map_size);
    opened->image = NULL;
    opened->map = NULL;
}

void assert_refused(const struct file *file, enum elf_error_code code)
{
    struct opened opened = object_open(file, ET_DYN);

    assert_null(opened.image);
    assert_int_equal(opened.fault.code, code);
    assert_true(opened.fault.text[0] != '\0');
    object_close(&opened);
}

struct mapped {
    const char *path;
    struct opened opened;
};

static int open_if_named(struct dl_phdr_info *info, size_t size, void *context)
{
    struct mapped *mapped = context;

    (void)size;
    if (strcmp(info->dlpi_name, mapped->path) != 0)
        return 0;
    image_open_mapped(&mapped->opened.image, info, &mapped->opened.fault);
    return 1;
}

struct opened object_open_mapped(const char *path)
{
    struct mapped mapped = {.path = path};

    assert_int_equal(dl_iterate_phdr(open_if_named, &mapped), 1);
    assert_string_equal(mapped.opened.fault.text, "");
    assert_non_null(mapped.opened.image);
    return mapped.opened;
}

/* ------------------------------------------------------- listing --- */

static int collect_symbol(const struct image_symbol *symbol, void *context)
{
    struct symbols *symbols = context;

    if (symbols->count < sizeof symbols->items / sizeof symbols->items[0])
        symbols->items[symbols->count++] = *symbol;
    return 0;
}

struct symbols *symbols_of(const struct image *image)
{
    static struct symbols symbols;

    symbols = (struct symbols){0};
    symbols.result = image_symbols(image, collect_symbol, &symbols, &symbols.fault);
    return &symbols;
}

const struct image_symbol *symbol_named(const struct symbols *symbols, const char *name)
{
    for (size_t i = 0; i < symbols->count; i++) {
        if (strcmp(symbols->items[i].name, name) == 0)
            return &symbols->items[i];
    }
    return NULL;
}

static int collect_relocation(const struct image_relocation *relocation, void *context)
{
    struct relocations *relocations = context;

    if (relocations->count < sizeof relocations->items / sizeof relocations->items[0])
        relocations->items[relocations->count++] = *relocation;
    return 0;
}

struct relocations *relocations_of(const struct image *image)
{
    static struct relocations relocations;

    relocations = (struct relocations){0};
    relocations.result =
        image_relocations(image, collect_relocation, &relocations, &relocations.fault);
    return &relocations;
}

const struct image_relocation *relocation_of(const struct relocations *relocations,
                                             const char *symbol)
{
    for (size_t i = 0; i < relocations->count; i++) {
        if (relocations->items[i].has_symbol &&
            strcmp(relocations->items[i].symbol.name, symbol) == 0)
            return &relocations->items[i];
    }
    return NULL;
}
