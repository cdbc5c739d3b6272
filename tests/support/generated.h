/*
 * generated.h - random C programs whose functions rely on each other as gcc's -fipa-ra and -fipa-stack-alignment make
 * them: leaf helpers in loops, chains, tail calls, arguments on the stack, floating point, calls through pointers,
 * calls of another object.
 */
#ifndef HOTPATCH_GENERATED_H
#define HOTPATCH_GENERATED_H

#include <stdint.h>
#include <stdio.h>

/* Write a program. Its functions are called i<n> (long result), d<n> (double) and v<n> (void), for n from 0 to `count`
 * - 1. They call sink(long) and scale(double), which generated_sink() defines. main() prints numbers. */
void generated_program(FILE *out, uint64_t seed, unsigned count);
void generated_sink(FILE *out);

#endif
