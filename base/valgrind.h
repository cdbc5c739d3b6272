/* valgrind.h - is the process run by valgrind, which has the signals and the code? Any thread. */
#ifndef HOTPATCH_VALGRIND_H
#define HOTPATCH_VALGRIND_H

#include <stdbool.h>

/* Return what valgrind's RUNNING_ON_VALGRIND (valgrind.h) returns. */
bool valgrind_runs(void);

#endif
