/* valgrind.h - checks whether valgrind runs the process: it handles the signals and the code then. Any thread. */
#ifndef HOTPATCH_VALGRIND_H
#define HOTPATCH_VALGRIND_H

#include <stdbool.h>

/* Return the value of valgrind's RUNNING_ON_VALGRIND (valgrind.h). */
bool valgrind_runs(void);

#endif
