/*
 * main_thread.h - the end of the host's main thread by pthread_exit(3). The process then ends with its last thread,
 * which must not be a thread of the shim. (The end by exit(2): main_exit.h.)
 */
#ifndef HOTPATCH_MAIN_THREAD_H
#define HOTPATCH_MAIN_THREAD_H

#include <stdbool.h>

/* Watch the calling thread, the main thread, in the constructor. Return false if memory is short. */
bool main_thread_start(void);
/* Watch the calling thread, in a forked child: it is the main thread of this process. */
void main_thread_watch(void);

#endif
