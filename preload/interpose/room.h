/* room.h - the host's own threads and processes come before ours. */
#ifndef HOTPATCH_ROOM_H
#define HOTPATCH_ROOM_H

#include <stdbool.h>

/* Host thread, after a call that makes a thread or a process has failed with `error`. True: our threads have ended, the
 * call may be made again. */
bool room_make(int error);

#endif
