/*
 * self_calls.h - does an object call a function of its own directly? A patch that names the function
 * without its OBJECT switches what others import, and such calls keep the old code.
 */
#ifndef HOTPATCH_SELF_CALLS_H
#define HOTPATCH_SELF_CALLS_H

#include <stdbool.h>
#include <stdint.h>

struct self_calls;

/* Of the ELF file that is open at `file`, which remains the caller's. NULL: it cannot be read. Takes
 * some 10 ms for each MB of code. */
struct self_calls *self_calls_open(int file);
void self_calls_close(struct self_calls *calls); /* NULL is allowed */

/* Does another function of the object call or jump to the one at `address`? */
bool self_calls_reach(struct self_calls *calls, uint64_t address);

#endif
