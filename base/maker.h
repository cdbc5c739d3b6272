/*
 * maker.h - the mark on a FIFO in the runtime directory: which process made it.
 *
 * Processes of several pid namespaces may share a runtime directory and have the same number each. A FIFO
 * that no process reads may be of one that has ended, or of one that has not been asked for anything. The
 * mark tells them apart: the device of the /proc that the maker saw, and the maker's number in that /proc.
 * Two live processes never have both in common. The mark is the FIFO's access time, a moment before 1979;
 * the first request that is read from the FIFO overwrites it, and by then the status file says the same.
 *
 * Constructor and listener; unit tests. By system calls alone.
 */
#ifndef HOTPATCH_MAKER_H
#define HOTPATCH_MAKER_H

#include <stdint.h>
#include <sys/stat.h>

struct maker {
    uint32_t proc; /* minor number of the device of /proc; 0: not known */
    uint32_t pid;  /* this process's number in it */
};

enum mark {
    MARK_NONE,    /* read since, or not made by this library */
    MARK_UNKNOWN, /* the maker had no /proc */
    MARK_KNOWN
};

/* Return what marks the FIFOs of this process. Costs no look into a directory of /proc. */
struct maker maker_self(void);
/* 0 or -errno. */
int maker_write(int dir, const char *name, const struct maker *maker);
enum mark maker_read(const struct stat *st, struct maker *maker);

#endif
