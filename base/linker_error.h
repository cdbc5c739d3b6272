/*
 * linker_error.h - what the dynamic linker says of a failure, in English.
 *
 * Any thread that has just called dlopen(3) or its kin; not a signal handler: dlerror(3) allocates.
 */
#ifndef HOTPATCH_LINKER_ERROR_H
#define HOTPATCH_LINKER_ERROR_H

/* The calling thread's last failure, or NULL; valid until its next call. */
const char *linker_error(void);

#endif
