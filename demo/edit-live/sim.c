/*
 * sim.c - balls that fly and bounce in a terminal. Its rules are in rules.c.
 *
 * The main loop never returns, so an edit of main() is not run until the program is started again; status says so.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sim.h"

#define BALLS 9
#define FRAME_US 60000

static struct ball balls[BALLS];
static unsigned frame;

static void draw(void)
{
    const char *cells[HEIGHT][WIDTH] = {{0}};
    unsigned bounces = 0;

    for (int i = 0; i < BALLS; i++) {
        cells[balls[i].y / UNIT][balls[i].x / UNIT] = glyph(&balls[i]);
        bounces += balls[i].bounces;
    }
    if (isatty(STDOUT_FILENO))
        fputs("\033[H", stdout);
    printf("frame %u, %u bounces\n", frame, bounces);
    for (int y = 0; y < HEIGHT; y++) {
        putchar('|');
        for (int x = 0; x < WIDTH; x++)
            fputs(cells[y][x] ? cells[y][x] : " ", stdout);
        puts("|");
    }
    fflush(stdout);
}

static void begin(void)
{
    for (int i = 0; i < BALLS; i++)
        balls[i] = (struct ball){.x = (i * 5 + 3) * UNIT, .y = i * UNIT, .vx = 3 + i % 4};
    if (isatty(STDOUT_FILENO))
        fputs("\033[H\033[2J", stdout);
}

int main(void)
{
    begin();
    for (frame = 1;; frame++) {
        for (int i = 0; i < BALLS; i++)
            move(&balls[i]);
        draw();
        usleep(FRAME_US);
    }
}
