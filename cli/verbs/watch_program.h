/* watch_program.h - the program that hotpatch watch starts and ends with. */
#ifndef HOTPATCH_WATCH_PROGRAM_H
#define HOTPATCH_WATCH_PROGRAM_H

#include <stdbool.h>
#include <sys/types.h>

/* Start it with the library in it, as `hotpatch run` does. It gets the terminal: this process ignores SIGINT
 * and SIGQUIT from then on, which a keyboard sends to both. Return its PID; -1 where no process can be made. */
pid_t watch_program_start(char **argv, bool json);
/* Return whether it has ended; `wait`: wait for that. Its wait status is in *status then. */
bool watch_program_ended(pid_t pid, bool wait, int *status);
/* End it with SIGTERM. Return its wait status. */
int watch_program_end(pid_t pid);
/* Return the exit code for the wait status; end as the program did, where a signal ended it. */
int watch_program_exit(int status);

#endif
