/*
 * shapes.h - functions in assembly, one for each kind of prologue, for the suites that change entries. Each function
 * returns ten times its argument and one more; its replacement returns a hundred times. An error in these functions
 * fails the running cmocka test.
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
    /* The begin and end of padding for a short jump, counted from the entry; 0: no padding is reported. */
    int pad_begin, pad_end;
};

extern const struct shape shapes[];
extern const size_t shapes_count;
/* The index of the first shape that has padding. These shapes have first instructions of two to five bytes, padding
 * before and after them, and one gap for three of them. */
extern const size_t shapes_short;
/* A shape without neighbours: five instructions of one byte each. */
extern const struct shape shape_alone;
/* A shape that waits among its first five bytes, at offset 1 or 4, while the int at its argument is 0. Returns 1
 * then. */
extern const struct shape shape_waits;
/* A shape that waits at offset 2 or 4: its first instruction has room for a jump to itself. */
extern const struct shape shape_waits_spinnable;
extern const struct shape shape_spins; /* waits after its first five bytes */

long shape_replacement(long argument);
const struct shape *shape_named(const char *name);
size_t shape_size(const struct shape *shape);
/* Return whether control comes to the code after the first instruction in another way than by a return. */
bool shape_falls_through(const struct shape *shape);
uintptr_t shape_jump(const struct shape *shape); /* the address of the jump */
/* Call the shape. The call is not folded: the compiler could compute the function's result. */
long shape_call(const struct shape *shape, long argument);

/* Return the shape's site, prepared. */
struct site *shape_site(const struct shape *shape);
void shape_arm(const struct shape *shape);
void shape_disarm(const struct shape *shape);
/* Arm, switch and disarm the shape, and check the answers. Return NULL, or the error; for a child. */
const char *shape_there_and_back(const struct shape *shape);
/* Do so for every shape; write the errors to standard error. */
int shapes_there_and_back(void);

/* Map the pages where a punned stub of the shape would have to lie, for the first `choices` choices of traps
 * (arch_stub_other()). */
void shape_take_places(const struct shape *shape, unsigned choices);
/* Map the pages where stubs for jumps that hold threads (arch_hold_first()) would have to lie. */
void shape_take_hold_places(const struct shape *shape);

/* Run `body` in a child of fork() that has 60 seconds. Return its wait status. */
int in_child(int (*body)(const void *), const void *argument);
uint64_t soon(void); /* a deadline for arming */

#endif
