/* give_way.h - the host's own threads and processes come before the two threads of the shim. */
#ifndef HOTPATCH_GIVE_WAY_H
#define HOTPATCH_GIVE_WAY_H

#include <stdbool.h>

/* Host thread, after a call that makes a thread or a process has failed with `error`: end the threads of the shim where
 * they may be what the limit has no place for. Return true where they have ended: the call may be made again. */
bool give_way(int error);

#endif
