/*
 * replies.h - replies on their way to clients that read slowly or not at all.
 *
 * Listener only. A reply longer than a pipe is sent piece by piece from the listener's ppoll, so
 * that no client holds up another. Replies into one FIFO follow each other, each of them whole.
 */
#ifndef HOTPATCH_REPLIES_H
#define HOTPATCH_REPLIES_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REPLIES_MAX 128

/* Two descriptors are held back, for a program that may open no more (RLIMIT_NOFILE). Called at the
 * listener's start, where they get the lowest numbers of the table, and after each wait. */
void replies_keep_spare(void);
/* Close them. Return false where there were none. */
bool replies_give_spare(void);
/* Open the reply FIFO `name`, before the request is run, which may cost the right to do it. Return a descriptor; -1:
 * none. */
int replies_open(const char *name);
/* The request that is run now has its reply there; -1: no request is run. */
void replies_answer(int fd);
/* Return whether no reader of that reply is left. */
bool replies_abandoned(void);
/* Send the reply `text`, which is malloc'd or NULL, and close `fd` after it. Both are freed by this module. */
void replies_send(int fd, char *text);
/* Fill one entry for each reply under way. Return how many. */
size_t replies_poll(struct pollfd *fds);
/* Send what the FIFOs of `fds` take. Return whether a byte was sent, or a reply is complete. */
bool replies_continue(const struct pollfd *fds, size_t count);
uint64_t replies_limit(void); /* when the first of them is given up, ms; 0: there is none */
void replies_drop(void);
void replies_forget(void); /* in a forked child, where their descriptors are not open */

#endif
