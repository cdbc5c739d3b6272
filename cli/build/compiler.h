/*
 * compiler.h - running compilers: several at a time, with the rights of the build directory's owner, their words kept.
 */
#ifndef HOTPATCH_COMPILER_H
#define HOTPATCH_COMPILER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "cli/build/rights.h"
#include "cli/build/words.h"

/* One run. */
struct compile_job {
    struct word_list words; /* the program and its arguments */
    const char *directory;  /* where it runs; also its $PWD */
    char *output;           /* file for what it writes to stdout and stderr */
    char *failure; /* why it could not be started or how it ended; NULL: it returned `status` */
    int status;    /* its exit code */
    pid_t pid;
    int report; /* descriptor: why it could not be started */
    int end;    /* descriptor: it has ended */
};

/* Run all jobs, as many at a time as there are processors. `scratch`: where compilers make their own temporary files.
 * `group`: the process group that compilers run in (scratch.h); 0: the caller's. Compilers end at a SIGINT, SIGTERM or SIGHUP
 * that the caller holds back; it stays pending. */
void compiler_run(struct compile_job *jobs, size_t count, const struct build_owner *owner,
                  const char *scratch, pid_t group);
/* Return whether the job did what it was asked for. */
bool compiler_done(const struct compile_job *job);
/* Return what the job wrote, malloc'd; "" where it wrote nothing. */
char *compiler_words(const struct compile_job *job);
/* Return the first line of `words` that says "error", or the first line at all; malloc'd. */
char *compiler_first_error(const char *words);
void compiler_job_free(struct compile_job *job);

#endif
