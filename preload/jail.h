/*
 * jail.h - how a process is reached in a root directory that has no runtime directory (chroot(2)).
 *
 * The listener's private descriptor table then holds a pipe for requests, a pipe for replies and a
 * datagram socket. The command opens the pipes as /proc/PID/task/TID/fd/N: nothing appears in the jail.
 * What the engine must read and the jail does not have, /proc first of all, the command opens on request
 * and sends as a descriptor (unix(7), SCM_RIGHTS): outside_open().
 *
 * Listener, but for jail_in() and jail_reset().
 */
#ifndef HOTPATCH_JAIL_H
#define HOTPATCH_JAIL_H

#include <stdbool.h>
#include <stddef.h>

/* Make pipes and socket, unless they exist. Return false where no descriptor is left for them. */
bool jail_open(void);
/* Return whether they exist. Any thread. */
bool jail_in(void);
/* Return the end of the pipe that requests are read from; -1: there is none. */
int jail_requests(void);
/* Return a descriptor for one reply, which the caller closes, or -errno. */
int jail_reply(void);
/* Around each request that came by the pipe: its sender waits, and replies to questions. */
void jail_request_begin(void);
void jail_request_end(void);
bool jail_asks(void);  /* between the two, while the sender can be asked */
void jail_reset(void); /* the table with the descriptors is gone, or another process's */

/* ---- questions to the sender ---- */

/*
 * Open `path` as open(2) does, or, where this root directory does not have it, let the command open it.
 * The command gives only what belongs to this process: files of its own /proc/PID, files that it has
 * mapped. Read-only. Any thread: others than the listener get what the root directory has.
 */
int outside_open(const char *path, int flags);
/*
 * Let the command open `what`, whatever the root directory has. `text` gets the words of its reply.
 * Descriptor, or -errno; -ENOLINK: there is no command to ask.
 */
int outside_ask(const char *what, char *text, size_t size);

/* ---- for jail_bring.c, on the worker too ---- */

#define JAIL_NAME_SIZE 16

/* A datagram socket in the caller's descriptor table, and its abstract name; or -errno. */
int jail_socket(char name[JAIL_NAME_SIZE]);
/* Ask the command to reply to the socket `to`. Return the question's number. Listener. */
unsigned jail_question(const char *what, const char *to);
/* Wait for the reply: the descriptor that came with it, or -errno. */
int jail_receive(int socket, unsigned number, char *text, size_t size);

#endif
