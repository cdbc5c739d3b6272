/* watch_options.h - the command line of hotpatch watch. */
#ifndef HOTPATCH_WATCH_OPTIONS_H
#define HOTPATCH_WATCH_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

struct watch_options {
    const char *target;       /* PID or @NAME; NULL: `program` */
    char **program;           /* PROGRAM ARG..., ends in NULL; or NULL */
    const char *build_dir;    /* NULL: `compiler` */
    const char *source_dir;   /* or NULL */
    const char *debug;        /* file, or NULL */
    const char *compiler;     /* --cc, or NULL */
    const char *const *files; /* with --cc */
    size_t file_count;
    const char
        *log; /* file for the lines that are printed; NULL: stdout or, beside a program, stderr */
    bool force_types;
    bool revert_at_exit;
    bool json;
};

/* Read the command line. Return 0; else the verb ends with *exit_code, and the message was printed. */
int watch_options_read(int argc, char **argv, struct watch_options *watch_options, int *exit_code);

#endif
