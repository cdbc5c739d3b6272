/* stops.h - what `spin` tells `stops` of one window. */
#ifndef BENCH_STOPS_H
#define BENCH_STOPS_H

struct window {
    double longest;   /* us between two rounds of the loop */
    long waits;       /* voluntary context switches: it slept or was made to wait */
    long preemptions; /* involuntary ones: the scheduler gave the processor to another */
    unsigned answers; /* bit N: the slot returned N */
};

#endif
