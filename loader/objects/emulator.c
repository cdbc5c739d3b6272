/*
 * emulator.c - see emulator.h. This file asks the kernel whether the function emulator_problem() lies in an executable
 * page. Under an emulator no page of the program is executable for the kernel. The kernel writes
 * /proc/thread-self/maps; an emulator writes /proc/self/maps itself.
 */
#include "loader/objects/emulator.h"

#include <stdint.h>
#include <sys/mman.h>

#include "loader/objects/maps.h"
#include "loader/objects/maps_at.h"

static enum { NOT_ASKED, NATIVE, EMULATED } answer;

/* Read the mapping of emulator_problem(). If the mappings cannot be read, the answer is NATIVE: near_alloc.c then
 * refuses the entries, because it finds no near memory. */
static void ask(void)
{
    struct mapping mapping;

    answer = maps_at((uintptr_t)emulator_problem, &mapping) && !(mapping.protection & PROT_EXEC)
                 ? EMULATED
                 : NATIVE;
}

const char *emulator_problem(void)
{
    if (answer == NOT_ASKED)
        ask();
    return answer == EMULATED ? "an emulator runs the program, and translates its code" : NULL;
}
