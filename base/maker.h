/*
 * maker.h - the mark on a FIFO in the runtime directory, which names the process that made it.
 *
 * Processes of several pid namespaces may share a runtime directory and may have the same number. A FIFO without a
 * reader may belong to a process that has ended, or to a process that has had no request. The mark distinguishes
 * them: it has the device of the /proc that the maker saw, and the maker's number in that /proc. No two live
 * processes have both in common. The mark is the FIFO's access time, a moment before 1979. The first request that is
 * read from the FIFO overwrites it; by then the status file has the same facts.
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

/* Return the mark of this process's FIFOs. No directory of /proc is read. */
struct maker maker_self(void);
/* 0 or -errno. */
int maker_write(int dir, const char *name, const struct maker *maker);
enum mark maker_read(const struct stat *st, struct maker *maker);

#endif
