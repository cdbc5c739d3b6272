/*
 * objects.h - compile small ELF objects for the suites of elf/, and open them in memory that raises SIGSEGV when code
 * reads a byte outside the file or writes a byte inside.
 */
#ifndef HOTPATCH_OBJECTS_H
#define HOTPATCH_OBJECTS_H

#include "elf/functions.h"
#include "elf/image.h"
#include "elf/relocations.h"
#include "elf/symbols.h"
#include "tests/support/elf_edit.h"

#define SHARED "-fPIC -shared "
#define PROGRAM "-fPIE -pie "
#define FIXED_PROGRAM "-fno-pie -no-pie "
#define STATIC_PROGRAM "-static "

/* Make and remove a scratch directory, as a group's setup and teardown. */
int objects_setup(void **state);
int objects_teardown(void **state);

/* Return the path of the object that $CC makes of `source` with `flags`; NULL if $CC cannot. Each object is made
 * once. */
const char *object_path(const char *flags, const char *source);
/* Return the object's bytes, which file_free() frees. If the source cannot be compiled, the test is skipped. */
struct file object(const char *flags, const char *source);
/* Write a file in the scratch directory. Return its path, valid until the next call. */
const char *scratch_file(const char *name, const char *content);

/* Return a descriptor that reads those bytes, or the functions of the file. The caller closes both. */
int object_descriptor(const struct file *file);
struct functions *object_functions(const struct file *file);

struct opened {
    struct image *image; /* NULL: refused, see `fault` */
    struct elf_error fault;
    void *map;
    size_t map_size;
};

struct opened object_open(const struct file *file, uint16_t require_type);
void object_close(struct opened *opened);
/* Require that opening `file` as a patch fails with `code` and a text. */
void assert_refused(const struct file *file, enum elf_error_code code);
/* Open the object that dlopen() has loaded under `path`, as dl_iterate_phdr() reports it. */
struct opened object_open_mapped(const char *path);

/* All symbols of an image, or all relocations; -1: damaged. Valid until the next call. */
struct symbols {
    struct image_symbol items[512];
    size_t count;
    struct elf_error fault;
    int result;
};
struct symbols *symbols_of(const struct image *image);
/* Return the first symbol of that name, or NULL. */
const struct image_symbol *symbol_named(const struct symbols *symbols, const char *name);

struct relocations {
    struct image_relocation items[512];
    size_t count;
    struct elf_error fault;
    int result;
};
struct relocations *relocations_of(const struct image *image);
const struct image_relocation *relocation_of(const struct relocations *relocations,
                                             const char *symbol);

#endif
