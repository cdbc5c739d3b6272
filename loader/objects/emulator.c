/*
 * emulator.c - see emulator.h. The kernel itself is asked whether a processor may run this very function where it lies:
 * under an emulator no page of the program is executable for it. /proc/thread-self/maps is the kernel's;
 * /proc/self/maps would be the emulator's own account.
 */
#include "loader/objects/emulator.h"

#include <stdint.h>
#include <sys/mman.h>

#include "loader/objects/maps.h"
#include "loader/objects/maps_at.h"

static enum { NOT_ASKED, NATIVE, EMULATED } answer;

/* Where the mappings cannot be read, entries are refused for want of room near them. */
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
