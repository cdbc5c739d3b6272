/*
 * old_calls.h - system calls that later machines do not have (asm-generic/unistd.h): there a number that no call has.
 */
#ifndef HOTPATCH_OLD_CALLS_H
#define HOTPATCH_OLD_CALLS_H

#include <sys/syscall.h>

#ifndef SYS_access
#define SYS_access (-1001)
#endif
#ifndef SYS_epoll_wait
#define SYS_epoll_wait (-1002)
#endif

#endif
