/*
 * in_process.h - the engine in the test's own process, with a shim of the test: no FIFO, no threads.
 */
#ifndef HOTPATCH_TESTS_IN_PROCESS_H
#define HOTPATCH_TESTS_IN_PROCESS_H

#include <stdbool.h>

extern struct in_process {
    bool worker_busy;         /* the worker takes no job */
    bool at_safe_point_comes; /* the program reaches its next safe point */
    int handled;              /* number of calls of the change handler */
    unsigned sections;        /* number of commit sections */
    char *reply;              /* the last reply */
    char directory[64];       /* the runtime directory */
} in_process;

/* Setup and teardown of a group. */
int in_process_setup(void **state);
int in_process_teardown(void **state);

/* Run all lines as one transaction. Return "apply" or the first code. */
const char *in_process_run(const char *lines);
const char *in_process_load(const char *keys, const char *patch);

void assert_codes(const char *got, const char *wanted);
void must_load(const char *patch);

#endif
