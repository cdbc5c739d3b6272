/*
 * stepper.h - runs an original prologue and its moved copy in a traced child, one instruction at a
 * time, from equal registers and memory, and compares what they leave.
 *
 * Code, scratch memory and stack lie in one shared arena, at one address in test and child.
 */
#ifndef HOTPATCH_TEST_STEPPER_H
#define HOTPATCH_TEST_STEPPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "arch/arch.h"

enum {
    STEPPER_COPIES = 1 << 16, /* bytes for moved prologues */
    STEPPER_SCRATCH = 1 << 16
};
/* Around the scratch memory, so that no displacement from it reaches anything else. */
#define STEPPER_GAP (((size_t)1 << 31) + ((size_t)1 << 20))

struct stepper {
    pid_t child;
    uint8_t *arena;
    size_t size;
    uint8_t *copies;   /* where moved prologues go */
    uint8_t *scratch;  /* what the registers point to, and the stack */
    uint8_t *image;    /* where the program goes */
    bool shadow_stack; /* for arch_move(); false at first */
};

enum step_outcome {
    STEP_EQUAL,   /* both ran through and left the same */
    STEP_FAULTED, /* both faulted alike: kind, address, instruction, registers and memory */
    STEP_SKIPPED, /* nothing to compare: see comparable.h, or it repeats too long */
    STEP_DIFFERENT
};

/* A child with room for a program that spans `span` bytes. False: the system lets nobody trace. */
bool stepper_start(struct stepper *stepper, size_t span);
void stepper_stop(struct stepper *stepper);
/* waitpid(2) of the child: its status. */
int stepper_await(pid_t child);

/* `pointers`: the registers point into scratch memory; otherwise they hold small numbers. `why` has
 * room for 200 characters. */
enum step_outcome step_prologue(const struct stepper *stepper, const struct arch_prologue *prologue,
                                bool pointers, char *why);

#endif
