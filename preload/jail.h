/*
 * jail.h - lets the command reach a process whose root directory has no runtime directory (chroot(2)).
 *
 * The listener's private descriptor table then holds a pipe for requests, a pipe for replies and a datagram socket.
 * The command opens the pipes as /proc/PID/task/TID/fd/N: no file appears in the jail. Files that the engine must
 * read and the jail does not have, such as those of /proc, are opened by the command on request and sent as
 * descriptors (unix(7), SCM_RIGHTS): outside_open().
 *
 * Runs on the listener, except jail_in() and jail_reset().
 */
#ifndef HOTPATCH_JAIL_H
#define HOTPATCH_JAIL_H

#include <stdbool.h>
#include <stddef.h>

/* Make pipes and socket, unless they exist. Return false where no descriptor is left for them. */
bool jail_open(void);
/* Return whether pipes and socket exist. Any thread. */
bool jail_in(void);
/* Return the read end of the request pipe; -1: there is none. */
int jail_requests(void);
/* Return a descriptor for one reply, which the caller closes, or -errno. */
int jail_reply(void);
/* Call before and after each request that came by the pipe. Its sender waits and replies to questions. */
void jail_request_begin(void);
void jail_request_end(void);
bool jail_asks(void);  /* between these calls, while the sender replies */
void jail_reset(void); /* the descriptor table is closed, or is another process's */

/* ---- questions to the sender ---- */

/*
 * Open `path` as open(2) does. If this root directory does not have the file, the command opens it. The command opens
 * only files of this process: files of its own /proc/PID, and files that it has mapped. Read-only. Any thread;
 * threads other than the listener get only files of this root directory.
 */
int outside_open(const char *path, int flags);
/*
 * Let the command open `what`, whether the root directory has it or not. `text` gets the text of the reply. Return a
 * descriptor, or -errno; -ENOLINK: no command can reply.
 */
int outside_ask(const char *what, char *text, size_t size);

/* ---- for jail_bring.c, on the worker too ---- */

#define JAIL_NAME_SIZE 16

/* Make a datagram socket in the caller's descriptor table, and its abstract name. Return it, or -errno. */
int jail_socket(char name[JAIL_NAME_SIZE]);
/* Let the command reply to the socket `to`. Return the question's number. Listener. */
unsigned jail_question(const char *what, const char *to);
/* Wait for the reply. Return the descriptor that it has, or -errno. */
int jail_receive(int socket, unsigned number, char *text, size_t size);

#endif
