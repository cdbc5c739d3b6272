/*
 * prologues.h - the functions of a real program or library, by its unwind table.
 */
#ifndef HOTPATCH_TEST_PROLOGUES_H
#define HOTPATCH_TEST_PROLOGUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct routine {
    uint64_t address; /* before load bias */
    size_t size;      /* with the padding after it */
    bool piece;       /* a cold piece of a function: no call leads there */
    const uint8_t *code;
};

struct program {
    const uint8_t *bytes; /* the file, mapped */
    size_t size;
    uint64_t low, high; /* the range of its PT_LOADs */
    struct routine *routines;
    size_t count;
};

/* Open the program. Return false if the file does not exist. A file that cannot be read as expected fails the test. */
bool program_open(struct program *program, const char *path);
void program_close(struct program *program);
/* Copy the program's PT_LOADs; the address program->low goes to `to`. */
void program_load(const struct program *program, uint8_t *to);

#endif
