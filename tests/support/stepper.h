/*
 * stepper.h - run an original prologue and its relocated copy in a traced child, one instruction at a time, from equal
 * registers and memory, and compare the results.
 *
 * Code, scratch memory and stack lie in one shared arena, at the same address in test and child.
 */
#ifndef HOTPATCH_TEST_STEPPER_H
#define HOTPATCH_TEST_STEPPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "arch/arch.h"

enum {
    STEPPER_COPIES = 1 << 16, /* bytes for relocated prologues */
    STEPPER_SCRATCH = 1 << 16
};
/* Unmapped bytes around the scratch memory, so that no displacement from it reaches other memory. */
#define STEPPER_GAP (((size_t)1 << 31) + ((size_t)1 << 20))

struct stepper {
    pid_t child;
    uint8_t *arena;
    size_t size;
    uint8_t *copies;   /* place of relocated prologues */
    uint8_t *scratch;  /* the memory that the registers point to, and the stack */
    uint8_t *image;    /* place of the program */
    bool shadow_stack; /* for arch_move(); false at first */
};

enum step_outcome {
    STEP_EQUAL, /* both ran to the end with the same result */
    /* both raised the same signal: kind, address, instruction, registers and memory */
    STEP_FAULTED,
    STEP_SKIPPED, /* no comparison is possible: see comparable.h, or the code repeats too long */
    STEP_DIFFERENT
};

/* Start a child with memory for a program of `span` bytes. Return false if the system forbids tracing. */
bool stepper_start(struct stepper *stepper, size_t span);
void stepper_stop(struct stepper *stepper);
/* Wait for the child by waitpid(2). Return its status. */
int stepper_await(pid_t child);

/* Compare a prologue and its copy. With `pointers` the registers point into scratch memory; otherwise they hold small
 * numbers. `why` has room for 200 characters. */
enum step_outcome step_prologue(const struct stepper *stepper, const struct arch_prologue *prologue,
                                bool pointers, char *why);

#endif
