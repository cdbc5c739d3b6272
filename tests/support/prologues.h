/*
 * prologues.h - the functions of a real program or library, as its unwind table tells them.
 */
#ifndef HOTPATCH_TEST_PROLOGUES_H
#define HOTPATCH_TEST_PROLOGUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct routine {
    uint64_t address; /* before load bias */
    size_t size;      /* with the padding behind it */
    bool piece;       /* a cold piece of a function: no call leads there */
    const uint8_t *code;
};

struct program {
    const uint8_t *bytes; /* the file, mapped */
    size_t size;
    uint64_t low, high; /* what its PT_LOADs span */
    struct routine *routines;
    size_t count;
};

/* False: there is no such file. A file that cannot be read as expected fails the test. */
bool program_open(struct program *program, const char *path);
void program_close(struct program *program);
/* Its PT_LOADs to where address program->low goes. */
void program_load(const struct program *program, uint8_t *to);

#endif
