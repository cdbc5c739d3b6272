/*
 * libc_thread.h - libc's own functions for threads, not those that the shim exports. Host threads.
 */
#ifndef HOTPATCH_LIBC_THREAD_H
#define HOTPATCH_LIBC_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

/* Look the functions up, in the constructor. libc_thread_create() and libc_thread_least_stack() may then be called in
 * the doorbell's handler, where dlsym(3) would discard the text that the host's dlerror(3) is to return. */
void libc_thread_start(void);
/* Call pthread_create(3). */
int libc_thread_create(pthread_t *thread, const pthread_attr_t *attributes,
                       void *(*function)(void *), void *argument);
/* Return the bytes of stack that libc uses for itself and for thread-local data; 0: not known. */
size_t libc_thread_least_stack(void);
/* Return whether libc has made no thread in this process. A constructor of another library may have made one. */
bool libc_thread_is_single(void);

#endif
