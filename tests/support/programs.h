/*
 * programs.h - the build's files, the command hotpatch and other programs.
 */
#ifndef PROGRAMS_H
#define PROGRAMS_H

#include <stdbool.h>
#include <sys/types.h>

struct host;

/* Return BUILD/NAME, or the source tree's NAME; the string is valid until the program ends. */
const char *built(const char *format, ...) __attribute__((format(printf, 1, 2)));
const char *source_file(const char *name);
const char *patch_file(const char *name); /* BUILD/patches/NAME.so */
bool sanitized(void);                     /* this build has a sanitizer */
/* Return whether this build has TSan, whose own thread blocks every signal. */
bool sanitized_for_threads(void);

/* Fail the test if a program that scripts/setup installs does not exist. */
void need_program(const char *name);
/* Return DIRECTORY/NAME; the string is valid until the program ends. */
const char *path_of(const char *directory, const char *name);
/* Return a process number in digits, valid until eight more were requested. */
const char *pid_text(pid_t pid);

struct output {
    int status;  /* exit status; 128 + N after signal N */
    char *out;   /* standard output */
    char *error; /* standard error */
};

/* Run argv (argv[0]: a path, or a name for PATH), with the host's HOTPATCH_DIR if a host is given. */
struct output *run_program(struct host *host, const char *const *argv);
/* Run `hotpatch ARGS...`; the arguments end in NULL. */
struct output *hotpatch(struct host *host, ...) __attribute__((sentinel));
void output_free(struct output *output);
/* Require the exit status, a text that the program printed to standard output or error, and a text that it did not
 * print; NULL: any. Frees the output. */
void output_must(struct output *output, int status, const char *said, const char *not_said);

#endif
