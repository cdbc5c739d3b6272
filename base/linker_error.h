/*
 * linker_error.h - the dynamic linker's error messages, in English.
 *
 * Any thread that has just called dlopen(3) or its kin; not in a signal handler: dlerror(3) allocates.
 */
#ifndef HOTPATCH_LINKER_ERROR_H
#define HOTPATCH_LINKER_ERROR_H

/* Return the calling thread's last failure, or NULL; valid until the thread's next call. */
const char *linker_error(void);

#endif
