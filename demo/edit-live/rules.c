/* rules.c - the rules of the simulation. Edit and save this file while ./sim runs. */
#include "sim.h"

#define GRAVITY 1

static unsigned floor_hits;

static void bounce(struct ball *ball)
{
    ball->vy = -ball->vy;
    ball->bounces++;
    floor_hits++;
}

void move(struct ball *ball)
{
    ball->vy += GRAVITY;
    ball->x += ball->vx;
    ball->y += ball->vy;
    if (ball->y < 0 || ball->y >= HEIGHT * UNIT) {
        ball->y = ball->y < 0 ? 0 : HEIGHT * UNIT - 1;
        bounce(ball);
    }
    if (ball->x < 0 || ball->x >= WIDTH * UNIT) {
        ball->x = ball->x < 0 ? 0 : WIDTH * UNIT - 1;
        ball->vx = -ball->vx;
    }
}

const char *glyph(const struct ball *ball)
{
    (void)ball;
    return floor_hits % 2 ? "o" : "O";
}
