/* variadic, by value, floating and many arguments */
#include <hotpatch.h>

#include <stdarg.h>

struct box {
    double width, height;
    char label[24];
};

HOTPATCH_MODULE("calls", "1");

HOTPATCH_REPLACE(int, sum, (int count, ...))
{
    va_list arguments;
    int total = 1000;
    va_start(arguments, count);
    while (count-- > 0)
        total += va_arg(arguments, int);
    va_end(arguments);
    return total;
}

HOTPATCH_REPLACE(struct box, grow, (struct box b, double by))
{
    b.width *= 10 * by;
    b.label[0] = 'B';
    return b;
}

HOTPATCH_REPLACE(double, mean, (float a, double b, long double c))
{
    return 2 * HOTPATCH_ORIGINAL(mean)(a, b, c);
}

HOTPATCH_REPLACE(long, many,
                 (int a, int b, int c, int d, int e, int f, int g, int h, int i, int j, double k,
                  double l, double m, double n, double o, double p, double q, double r, double s,
                  double t))
{
    return -HOTPATCH_ORIGINAL(many)(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t);
}
