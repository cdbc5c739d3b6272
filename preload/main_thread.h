/*
 * main_thread.h - the end of the host's main thread by pthread_exit(3). The process then ends with its last thread, and
 * the threads of the shim must not be the ones that it waits for. (The end by exit(2): main_exit.h.)
 */
#ifndef HOTPATCH_MAIN_THREAD_H
#define HOTPATCH_MAIN_THREAD_H

#include <stdbool.h>

/* Constructor: watch the calling thread, the main one. Return false where there is no memory for it. */
bool main_thread_start(void);
/* Forked child: watch the calling thread, which is the main one of this process. */
void main_thread_watch(void);

#endif
