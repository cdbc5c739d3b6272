/*
 * ring_workers.h - worker threads of io_uring in a host: the kernel makes them in the process for
 * requests that block. Included once.
 */
#ifndef RING_WORKERS_H
#define RING_WORKERS_H

#include <linux/io_uring.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { RING_ENTRIES = 8 };

/* Submit `count` reads of an empty pipe, each of which a worker waits in for ever. Return NULL, or why the
 * kernel does not let the program have a ring. */
static const char *start_ring_workers(int count)
{
    static char byte;
    struct io_uring_params p = {0};
    int pipes[2], ring = (int)syscall(SYS_io_uring_setup, RING_ENTRIES, &p);
    struct io_uring_sqe *entries;
    char *rings;
    unsigned *tail, *array;

    if (ring < 0 || pipe(pipes) != 0)
        return strerror(errno);
    rings = mmap(NULL, p.sq_off.array + RING_ENTRIES * sizeof(*array), PROT_READ | PROT_WRITE,
                 MAP_SHARED, ring, IORING_OFF_SQ_RING);
    entries = mmap(NULL, RING_ENTRIES * sizeof(*entries), PROT_READ | PROT_WRITE, MAP_SHARED, ring,
                   IORING_OFF_SQES);
    if (rings == MAP_FAILED || entries == MAP_FAILED)
        return strerror(errno);
    tail = (unsigned *)(void *)(rings + p.sq_off.tail);
    array = (unsigned *)(void *)(rings + p.sq_off.array);
    for (int i = 0; i < count && i < RING_ENTRIES; i++) {
        entries[i] = (struct io_uring_sqe){.opcode = IORING_OP_READ,
                                           .flags = IOSQE_ASYNC,
                                           .fd = pipes[0],
                                           .addr = (unsigned long)&byte,
                                           .len = 1};
        array[i] = (unsigned)i;
        __atomic_store_n(tail, (unsigned)i + 1, __ATOMIC_RELEASE);
    }
    if (syscall(SYS_io_uring_enter, ring, count, 0, 0, NULL, 0) != count)
        return strerror(errno);
    return NULL;
}

#endif
