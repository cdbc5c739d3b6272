/*
 * replies.h - sends replies to clients that read slowly or not at all.
 *
 * Listener only. A reply that is longer than a pipe is sent in pieces from the listener's ppoll loop, so that no
 * client delays another. Replies into one FIFO are sent one after the other, each as a whole.
 */
#ifndef HOTPATCH_REPLIES_H
#define HOTPATCH_REPLIES_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REPLIES_MAX 128

/* Keep two descriptors in reserve, for a program that may open no more (RLIMIT_NOFILE). Called at the listener's
 * start, where they get the lowest numbers of the table, and after each wait. */
void replies_keep_spare(void);
/* Close the reserved descriptors. Return false if there were none. */
bool replies_give_spare(void);
/* Open the reply FIFO `name`, before the request is run: the request may lose the right to open it. Return a
 * descriptor; -1: none. */
int replies_open(const char *name);
/* Set the descriptor for the reply to the present request; -1: no request is run. */
void replies_answer(int fd);
/* Return whether no reader of that reply is left. */
bool replies_abandoned(void);
/* Send the reply `text`, which is malloc'd or NULL, and close `fd` after it. Both are freed by this module. */
void replies_send(int fd, char *text);
/* Fill one entry for each reply that is being sent. Return their number. */
size_t replies_poll(struct pollfd *fds);
/* Send as many bytes as the FIFOs of `fds` take. Return whether a byte was sent, or a reply is complete. */
bool replies_continue(const struct pollfd *fds, size_t count);
uint64_t replies_limit(void); /* when the first reply is given up */
void replies_drop(void);
void replies_forget(void); /* in a forked child, where their descriptors are not open */

#endif
