/*
 * compile_commands.h - compile_commands.json (Clang's "JSON Compilation Database"), as cmake, meson and bear write it.
 */
#ifndef HOTPATCH_COMPILE_COMMANDS_H
#define HOTPATCH_COMPILE_COMMANDS_H

#include <stddef.h>

#include "base/refusal.h"
#include "cli/build/words.h"

/* One compilation of one file. */
struct compile_entry {
    char *directory;            /* absolute; the compiler runs there */
    char *file;                 /* absolute, without "." and ".." */
    struct word_list arguments; /* the compiler, its arguments */
    const char *problem;        /* why the command cannot be read; NULL: it can */
};

struct compile_commands {
    struct compile_entry *list;
    size_t count;
};

/* Read `text`, which ends in a zero byte, of the file `name` in the directory `base` (absolute). Return 0, or -1 with
 * HP-COMMANDS. Entries that are no compilation of C or C++ to an object are left out. */
int compile_commands_read(struct compile_commands *commands, const char *text, const char *name,
                          const char *base, struct refusal *why);
/* Add what `compiler` (words of a shell command) does with each of `files`, in `directory`. */
int compile_commands_add(struct compile_commands *commands, const char *compiler,
                         const char *const *files, size_t count, const char *directory,
                         struct refusal *why);
void compile_commands_free(struct compile_commands *commands);

#endif
