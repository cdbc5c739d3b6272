/*
 * objects.h - compiles tiny ELF objects for the suites of elf/, and opens them in memory
 * that faults where a byte outside the file is read or a byte inside is written.
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

/* Group fixtures: a scratch directory. */
int objects_setup(void **state);
int objects_teardown(void **state);

/* The path of what $CC makes of `source` with `flags`; NULL where it cannot. Made once. */
const char *object_path(const char *flags, const char *source);
/* Its bytes, free with file_free(); what cannot be compiled skips the test. */
struct file object(const char *flags, const char *source);
/* A file in the scratch directory with that content; its path is good until the next call. */
const char *scratch_file(const char *name, const char *content);

/* A descriptor that reads those bytes, and the functions of the file; close both. */
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
/* Opening `file` as a patch fails with `code` and says why. */
void assert_refused(const struct file *file, enum elf_error_code code);
/* The object loaded by dlopen() under `path`, as dl_iterate_phdr() tells of it. */
struct opened object_open_mapped(const char *path);

/* All symbols of an image, or relocations; -1: damaged. They stay good until the next call. */
struct symbols {
    struct image_symbol items[512];
    size_t count;
    struct elf_error fault;
    int result;
};
struct symbols *symbols_of(const struct image *image);
/* The first of that name, or NULL. */
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
