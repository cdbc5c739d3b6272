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
bool replies_give_spare(void); /* closes them; false: there were none */
/* Before the request is looked at, which may cost the right to do it. Descriptor, -1: none. */
int replies_open(const char *name);
/* The request whose reply goes there is being answered; -1: none is. */
void replies_answer(int fd);
/* Nobody is left who could read that reply. */
bool replies_abandoned(void);
/* Takes both over; `text` is malloc'd or NULL. */
void replies_send(int fd, char *text);
/* Fills one entry for each reply under way; how many. */
size_t replies_poll(struct pollfd *fds);
/* Returns whether a byte went out, or a reply is over. */
bool replies_continue(const struct pollfd *fds, size_t count);
uint64_t replies_limit(void); /* when the first of them is given up, ms; 0: there is none */
void replies_drop(void);
void replies_forget(void); /* in a forked child, where their descriptors are not open */

#endif
