/*
 * build_types.h - what goes into the pipeline and what comes out: see build.h.
 */
#ifndef HOTPATCH_BUILD_TYPES_H
#define HOTPATCH_BUILD_TYPES_H

#include <stdbool.h>
#include <stddef.h>

struct build_options {
    const char
        *target; /* path of the binary as it was linked; /proc/PID/exe and /proc/self/fd/N do */
    const char *debug;        /* file with its symbols and types, or NULL */
    const char *build_dir;    /* has compile_commands.json; NULL: `compiler` is given */
    const char *source_dir;   /* paths of an edit begin here; NULL: the build directory */
    const char *compiler;     /* --cc: a command of a shell's form, such as "gcc -O2 -g"; or NULL */
    const char *const *files; /* with `compiler`: the sources of the target */
    size_t file_count;
    bool force_types;
    bool explain; /* say of a function whose source did not change why its code did */
};

/* One file of an edit. Texts need not end in a zero byte. */
struct edit_file {
    const char *path;     /* absolute, without "." and ".." */
    const char *old_text; /* what the target was built from; NULL: the file was not there */
    size_t old_size;
    const char *new_text; /* NULL: the edit removes the file */
    size_t new_size;
};

struct edit {
    const struct edit_file *files;
    size_t file_count;
};

struct build_output {
    const char *path;    /* of the .hpo; it is replaced by rename(2) */
    const char *name;    /* of the module */
    const char *version; /* of the module; NULL: "1" */
};

struct build_function {
    char *name;   /* symbol, as the target spells it */
    char *source; /* path */
    unsigned line;
    char *why;     /* "its code changed" */
    bool replaces; /* false: a function that only the edit has */
};

/* Milliseconds on the wall. */
struct build_times {
    double compile; /* both compilers, from the first start to the last end */
    double
        compare; /* the unedited objects with the binary; 0 where the result is kept from an earlier call */
    double select;
    double write;
};

struct build_result {
    struct build_function *functions;
    size_t function_count;
    char **notes; /* one sentence each: ignored files of the edit, initial values that changed */
    size_t note_count;
    char *compiler_words; /* what the compilers wrote to stderr, where one failed; or NULL */
    struct build_times times;
    size_t unit_count; /* that were compared */
    size_t
        other_constants; /* functions of the unedited units whose code is the binary's, and whose constants are not */
};

#endif
