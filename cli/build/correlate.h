/*
 * correlate.h - which function and which variable of the edited object is which of the unedited one.
 *
 * Functions go by name, in whatever binding. Variables of functions, whose symbols have numbers that change with every
 * edit, go by what the debug information says of them: function, name, block. What is not clear so goes by use: a
 * function that is the same but for the variable it names shows which variable that is. So does a renamed variable. What
 * stays unclear is marked ambiguous; it is a refusal if the patch needs it.
 *
 * Compiled into the command; one thread.
 */
#ifndef HOTPATCH_CORRELATE_H
#define HOTPATCH_CORRELATE_H

#include "cli/build/unit_compare.h"

/* Match functions and variables, and make the pairs. Return 0, or -1: no memory. */
int correlate(struct unit_compare *compare);

#endif
