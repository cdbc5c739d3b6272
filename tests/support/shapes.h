/*
 * shapes.h - functions in assembly, one for each kind of prologue, for the suites that change
 * entries. Each returns ten times its argument and one more, its replacement a hundred times. What
 * fails here fails the running cmocka test.
 */
#ifndef HOTPATCH_TEST_SHAPES_H
#define HOTPATCH_TEST_SHAPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loader/text/site.h"

typedef long shape_function(long);

struct shape {
    const char *name;
    shape_function *call;
    const char *end;
    unsigned endbr; /* bytes before the jump */
    /* Where padding for a short jump begins and ends, counted from the entry; 0: none is told of. */
    int pad_begin, pad_end;
};

extern const struct shape shapes[];
extern const size_t shapes_count;
/* Those from here on have padding: with first instructions of two to five bytes, padding before and
 * behind them, and one gap for three of them. */
extern const size_t shapes_short;
/* Alone in its neighbourhood: five instructions of one byte each. */
extern const struct shape shape_alone;
/* Waits among its first five bytes, at offset 1 or 4, while the int at its argument is 0; 1 then. */
extern const struct shape shape_waits;
/* The same at 2 or 4: its first instruction has room for a jump to itself. */
extern const struct shape shape_waits_spinnable;
extern const struct shape shape_spins; /* the same behind them */

long shape_replacement(long argument);
const struct shape *shape_named(const char *name);
size_t shape_size(const struct shape *shape);
/* Does control come to what lies behind the first instruction, but by a return? */
bool shape_falls_through(const struct shape *shape);
uintptr_t shape_jump(const struct shape *shape); /* where the jump goes */
/* Not folded by the compiler, which could know the function by heart. */
long shape_call(const struct shape *shape, long argument);

/* The shape's site, prepared. */
struct site *shape_site(const struct shape *shape);
void shape_arm(const struct shape *shape);
void shape_disarm(const struct shape *shape);
/* Armed, switched, disarmed, with the right answers. NULL, or what was wrong; for a child. */
const char *shape_there_and_back(const struct shape *shape);
/* Of every shape; says on standard error what was wrong. */
int shapes_there_and_back(void);

/* Takes the pages where a punned stub of the shape would have to lie, for the first `choices` of
 * traps (arch_stub_other()). */
void shape_take_places(const struct shape *shape, unsigned choices);
/* The same of stubs for jumps that hold threads (arch_hold_first()). */
void shape_take_hold_places(const struct shape *shape);

/* `body` in a child of fork() that has 60 seconds; its wait status. */
int in_child(int (*body)(const void *), const void *argument);
uint64_t soon(void); /* a deadline for arming */

#endif
