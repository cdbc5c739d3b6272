/* sim.h - what the simulation and its rules share. */
#ifndef SIM_H
#define SIM_H

#define WIDTH 48
#define HEIGHT 12
#define UNIT 16 /* parts of a cell: positions are whole numbers of them */

struct ball {
    int x, y, vx, vy; /* parts of a cell, and parts in a frame */
    unsigned bounces;
};

/* rules.c: edit these while the program runs. */
void move(struct ball *ball);
const char *glyph(const struct ball *ball);

#endif
