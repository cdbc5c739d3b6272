/*
 * talker.h - a program that runs while a test goes on, and whose output the test waits for.
 */
#ifndef HOTPATCH_TALKER_H
#define HOTPATCH_TALKER_H

#include <stdbool.h>
#include <sys/types.h>

struct talker {
    pid_t pid;
    int from;
    char text[65536]; /* standard output and error */
    size_t size, heard;
};

/* Start `hotpatch ARGS...` (`argv` begins with the verb and ends in NULL) with this HOTPATCH_DIR. */
void talker_start(struct talker *talker, const char *directory, const char *const *argv);
/* Wait until it prints `text`, after all that was waited for before. */
void talker_await(struct talker *talker, const char *text);
/* Return whether `text` is in what it has printed so far, after what was waited for. */
bool talker_said(struct talker *talker, const char *text);
/* Wait for its end. Return the wait status. */
int talker_wait(struct talker *talker);
/* Send it SIGINT, and wait for its end. */
int talker_interrupt(struct talker *talker);
/* End it, if it runs. */
void talker_stop(struct talker *talker);

#endif
