/*
 * await.h - bounded waits for states that no event reports: a field of /proc, the end of a thread, the removal of a
 * file.
 *
 * Called only in the test program. A wait that reaches HARNESS_TIMEOUT_MS fails the running test.
 */
#ifndef AWAIT_H
#define AWAIT_H

#include <stdint.h>
#include <sys/types.h>

#define HARNESS_TIMEOUT_MS 30000

/* Return CLOCK_MONOTONIC in milliseconds. */
int64_t milliseconds(void);
/* Return the milliseconds until `deadline`, a value of milliseconds(); 0 after the deadline. */
int ms_until(int64_t deadline);
/* Sleep for a millisecond. After `deadline`, fail the test: "WHAT: not within ... ms". */
void await_again(int64_t deadline, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Evaluate `condition` until it is true. The other arguments are those of printf and name the awaited state. */
#define AWAIT(condition, ...)                                    \
    do {                                                         \
        int64_t deadline_ = milliseconds() + HARNESS_TIMEOUT_MS; \
        while (!(condition))                                     \
            await_again(deadline_, __VA_ARGS__);                 \
    } while (0)

/* Wait until `fd` is readable or at its end. */
void await_input(int fd, const char *what);
/* Wait until a child of this program has ended, and return its wait status. A child that does not end is killed. */
int await_end(pid_t child);

#endif
