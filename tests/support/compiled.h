/*
 * compiled.h - sources that a test compiles to object files, and their debug information: for the suites of cli/build/.
 *
 * The directory of tests/support/directory.h holds the files; directory_make() and directory_remove() are the group's setup
 * and teardown.
 */
#ifndef HOTPATCH_COMPILED_H
#define HOTPATCH_COMPILED_H

#include "cli/build/object_dwarf.h"
#include "elf/rel_object.h"
#include "elf/rel_object_read.h"
#include "tests/support/directory.h"
#include "tests/support/files.h"

struct compiled {
    struct file file;
    struct rel_object *object;
    struct object_dwarf *dwarf;
};

/* The compilers and flags that each test of debug information goes through: "gcc -gdwarf-4 -O0" and the like. */
extern const char *const compiled_ways[];
extern const size_t compiled_way_count;

/* Compile `source` as NAME.c with `command` (compiler and flags; -c -ffunction-sections -fdata-sections are added), and open the
 * object. An error fails the test. */
struct compiled compile_object(const char *command, const char *name, const char *source);
/* The same, without opening its debug information. */
struct compiled compile_plain(const char *command, const char *name, const char *source);
void compiled_close(struct compiled *compiled);

/* Return the place of the symbol. */
struct dwarf_place compiled_place(const struct compiled *compiled, const char *symbol);

#endif
