/*
 * entries_arguments.h - functions of hosts/entries.c that take and return all there is. Included once.
 */
#ifndef ENTRIES_ARGUMENTS_H
#define ENTRIES_ARGUMENTS_H

#include <stdarg.h>

#include "entries_twin.h"

static OPAQUE int sum(int count, ...)
{
    va_list arguments;
    int total = 0;

    va_start(arguments, count);
    while (count-- > 0)
        total += va_arg(arguments, int);
    va_end(arguments);
    return total;
}

struct box {
    double width, height;
    char label[24];
};

static OPAQUE struct box grow(struct box b, double by)
{
    b.width += by;
    b.height += by;
    return b;
}

static OPAQUE double mean(float a, double b, long double c)
{
    return ((double)a + b + (double)c) / 3;
}

static OPAQUE long many(int a, int b, int c, int d, int e, int f, int g, int h, int i, int j,
                        double k, double l, double m, double n, double o, double p, double q,
                        double r, double s, double t)
{
    return a + b + c + d + e + f + g + h + i + j + (long)(k + l + m + n + o + p + q + r + s + t);
}

#endif
