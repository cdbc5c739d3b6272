/* give_way.h - the host's own threads and processes come before the two threads of the shim. */
#ifndef HOTPATCH_GIVE_WAY_H
#define HOTPATCH_GIVE_WAY_H

#include <stdbool.h>

/* End the threads of the shim, on a host thread after a call that makes a thread or a process has failed with
 * `error`, if the limit may be reached because of them. Return true if they have ended: the call may be made again. */
bool give_way(int error);

#endif
