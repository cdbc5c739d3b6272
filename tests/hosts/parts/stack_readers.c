/*
 * stack_readers.c - functions whose names say how many bytes of arguments they read from the stack:
 * bytes_N_..., or unknown_... test_stack_arguments.c builds it with each optimisation.
 */
#include <alloca.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SIX int a, int b, int c, int d, int e, int f

struct big {
    long words[5];
};

int bytes_0_none(SIX)
{
    return a + b + c + d + e + f;
}

int bytes_8_one(SIX, int g)
{
    return a * g;
}

int bytes_24_last_of_three(SIX, int g, int h, char i)
{
    (void)g, (void)h;
    return a - i;
}

__attribute__((noinline, noclone)) int other(int n)
{
    __asm__ volatile("" : "+r"(n));
    return n;
}

int bytes_16_over_calls(SIX, int g, int h)
{
    int sum = 0;

    for (int i = 0; i < a; i++)
        sum += other(i + b) * other(c + d) + other(e ^ f);
    return sum + other(g) + h;
}

/* On one path alone. */
int bytes_8_on_a_branch(SIX, int g)
{
    if (a > 17)
        return other(g);
    return other(b) + other(c);
}

int bytes_8_in_a_switch(SIX, int g)
{
    char text[64];

    snprintf(text, sizeof(text), "%d", a);
    switch (b) {
    case 0:
        return other(c) + text[0];
    case 1:
        return other(d) * 3 + text[1];
    case 2:
        return other(e) - 7 + text[2];
    case 3:
        return other(f) ^ 9;
    case 4:
        return other(g) + text[3];
    case 5:
        return other(a) | 3;
    default:
        return other(a + b) + text[4];
    }
}

double bytes_16_floating(double a, double b, double c, double d, double e, double f, double g,
                         double h, double i, float j)
{
    return a + b + c + d + e + f + g + h * i - j;
}

long double bytes_16_long_double(int a, long double b)
{
    return b * a;
}

long bytes_40_structure(struct big big)
{
    return big.words[0] + big.words[4];
}

int bytes_8_frame_of_its_own_size(SIX, int g)
{
    char *text = alloca((size_t)a + 16);

    memset(text, b, (size_t)a + 16);
    return other(text[c]) + g;
}

int bytes_8_aligned_frame(SIX, int g)
{
    _Alignas(16) char text[48];

    memset(text, b, sizeof(text));
    return other(text[c & 31]) + g;
}

/* It passes its own on, untouched, or a new one in its place. */
int bytes_8_handed_on(SIX, int g)
{
    return bytes_8_one(a + 1, b, c, d, e, f, g);
}

int bytes_0_written(SIX, int g)
{
    (void)g;
    return bytes_8_one(a + 1, b, c, d, e, f, 7);
}

/* The ninth is not in a register; with AVX its load has a VEX prefix. */
double bytes_8_ninth(double a, double b, double c, double d, double e, double f, double g, double h,
                     double i)
{
    return i * 3;
}

int unknown_variadic(int a, ...)
{
    va_list list;
    int sum = 0;

    va_start(list, a);
    while (a-- > 0)
        sum += va_arg(list, int);
    va_end(list);
    return sum;
}

__attribute__((noinline, noclone)) void taken(void *address)
{
    __asm__ volatile("" : : "r"(address) : "memory");
}

int unknown_address(SIX, int g)
{
    taken(&g);
    return g + a + b + c + d + e + f;
}

long unknown_index(int i, struct big big)
{
    return big.words[i];
}
