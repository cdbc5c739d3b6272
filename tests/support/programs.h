/*
 * programs.h - the build's files, the command hotpatch and other programs.
 */
#ifndef PROGRAMS_H
#define PROGRAMS_H

#include <stdbool.h>
#include <sys/types.h>

struct host;

/* BUILD/NAME and the source tree's NAME; the string is good for the life of the program. */
const char *built(const char *format, ...) __attribute__((format(printf, 1, 2)));
const char *source_file(const char *name);
const char *patch_file(const char *name); /* BUILD/patches/NAME.so */
bool sanitized(void);                     /* this build has a sanitizer in it */
bool sanitized_for_threads(void);         /* TSan, whose own thread blocks every signal */

/* Fails the test where a program that scripts/setup installs is not there. */
void need_program(const char *name);
/* DIRECTORY/NAME; the string is good for the life of the program. */
const char *path_of(const char *directory, const char *name);
/* A process number in digits, good until eight more were asked for. */
const char *pid_text(pid_t pid);

struct output {
    int status;  /* exit status; 128 + N after signal N */
    char *out;   /* standard output */
    char *error; /* standard error */
};

/* Runs argv (argv[0]: a path, or a name for PATH) with the host's HOTPATCH_DIR if given. */
struct output *run_program(struct host *host, const char *const *argv);
/* `hotpatch ARGS...`, NULL at the end. */
struct output *hotpatch(struct host *host, ...) __attribute__((sentinel));
void output_free(struct output *output);
/* The exit status, and what the program printed, or did not, to standard output or error; NULL: anything.
 * Frees the output. */
void output_must(struct output *output, int status, const char *said, const char *not_said);

#endif
