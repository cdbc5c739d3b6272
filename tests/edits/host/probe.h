/*
 * probe.h - the state that an edit must keep: a variable of each storage class, counted up by each PROBE().
 *
 * It serves C and C++. PROBE() stands in answer(), which nearly every edit replaces. It prints "#", the variables, which are all equal to
 * the number of answers so far, whether a stored function pointer is still the function's address (1), "@", and the
 * addresses of all of them, which must stay the same for ever.
 */
#ifndef PROBE_H
#define PROBE_H

#include <stdio.h>

#ifdef __cplusplus
extern "C"
#endif
    void
    answer(int n);

int probe_exported;
long probe_initialised = 0x7000;
static int probe_scalar;
static struct {
    short small;
    int count;
} probe_struct;
static int probe_array[8];
static __thread int probe_tls;
__thread int probe_exported_tls;
static int (*probe_pointer)(int);

static int probe_successor(int n)
{
    return n + 1;
}

#define PROBE()                                                                              \
    do {                                                                                     \
        static int probe_local;                                                              \
        probe_exported++, probe_initialised++, probe_scalar++, probe_struct.count++;         \
        probe_array[5]++, probe_tls++, probe_exported_tls++, probe_local++;                  \
        if (!probe_pointer)                                                                  \
            probe_pointer = probe_successor;                                                 \
        printf("#%d %ld %d %d %d %d %d %d %d@%p %p %p %p %p %p %p %p %p", probe_exported,    \
               probe_initialised - 0x7000, probe_scalar, probe_struct.count, probe_array[5], \
               probe_tls, probe_exported_tls, probe_local,                                   \
               probe_pointer == probe_successor && probe_pointer(41) == 42,                  \
               (void *)&probe_exported, (void *)&probe_initialised, (void *)&probe_scalar,   \
               (void *)&probe_struct, (void *)probe_array, (void *)&probe_tls,               \
               (void *)&probe_exported_tls, (void *)&probe_local, (void *)&probe_pointer);   \
    } while (0)

#endif
