/*
 * compared.c - a program of what compilers and linkers make of C, for tests/unit/resolve/test_baseline.c: each of its
 * functions is compared with the linked program. Never run by a test. compared_ext.c and compared_twin.c (twice) belong
 * to it.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define APART __attribute__((noinline, noclone))

/* ---- data ---- */

int common_int;
char common_buffer[100];
extern int shared_counter;
extern __thread int extern_tls;
__thread int own_tls = 5;
static __thread long static_tls[4];
extern int weak_missing(int) __attribute__((weak));
extern int weak_data __attribute__((weak));
__attribute__((visibility("hidden"))) int hidden_data = 3;
static int local_array[16];
int global_array[16];

/* ---- functions that linkers treat apart ---- */

__attribute__((weak)) APART int weak_here(int a)
{
    return a * 3;
}

__attribute__((weak)) APART int weak_elsewhere(int a)
{
    return a * 5;
}

__attribute__((visibility("hidden"))) APART int hidden_function(int a)
{
    return a + hidden_data;
}

__attribute__((visibility("protected"))) APART int protected_function(int a)
{
    return a - hidden_data;
}

static int one_more(int x)
{
    return x + 1;
}

static int two_more(int x)
{
    return x + 2;
}

static int (*pick(void))(int)
{
    return getenv("MORE") ? one_more : two_more;
}

#ifndef __clang__
static int local_ifunc(int) __attribute__((ifunc("pick"), used));
#else
#define local_ifunc one_more
#endif
int global_ifunc(int) __attribute__((ifunc("pick")));

APART int aliased(int x)
{
    return x ^ 5;
}
int alias_of(int) __attribute__((alias("aliased")));

__attribute__((section("own_section"))) APART int sectioned(int x)
{
    return x + global_array[1];
}

APART int never_called(int x)
{
    return x * global_array[2];
}

/* ---- constants ---- */

struct entry {
    const char *name;
    int (*function)(int);
    const double *numbers;
};

static const double numbers[] = {1.5, 2.5, 3.5, 4.5};
static const struct entry entries[] = {{"one", one_more, numbers},
                                       {"two", hidden_function, numbers + 1},
                                       {"three", global_ifunc, numbers + 2},
                                       {0}};
struct entry written_entries[] = {{"four", one_more, numbers}, {"five", hidden_function, numbers}};

APART int jump_table(int v)
{
    switch (v) {
    case 0:
        return puts("zero");
    case 1:
        return puts("first case");
    case 2:
        return global_array[2];
    case 3:
        abort();
    case 4:
        return errno;
    case 5:
        return local_array[3];
    case 6:
        return printf("%d\n", v);
    case 7:
        return 77;
    case 9:
        return -5;
    default:
        return v * 3;
    }
}

APART const char *table_of_names(int v)
{
    switch (v) {
    case 0:
        return "alpha";
    case 1:
        return "beta";
    case 2:
        return "gamma";
    case 3:
        return "delta";
    case 4:
        return "epsilon";
    case 5:
        return "lon";
    }
    return "none";
}

APART int table_of_values(int v)
{
    switch (v) {
    case 0:
        return 17;
    case 1:
        return 33;
    case 2:
        return 99;
    case 3:
        return 12345;
    case 4:
        return 7;
    case 5:
        return 3;
    }
    return 0;
}

APART int labels(const unsigned char *p)
{
    static const void *const to[] = {&&a, &&b, &&c, &&d};
    int n = 0;

    goto *to[*p & 3];
a:
    n += 1;
    goto *to[*++p & 3];
b:
    n += 10;
    goto *to[*++p & 3];
c:
    n *= 3;
    goto *to[*++p & 3];
d:
    return n;
}

APART const char *tails(int i)
{
    return i == 0 ? "hello world" : i == 1 ? "world" : i == 2 ? "orld" : &"yonder"[i & 1];
}

APART double numbers_of_eight(double x, float f)
{
    return -x * 3.25 + (x < 0 ? -x : x) + f * 2.5f + (f < 0 ? -f : f);
}

typedef float four __attribute__((vector_size(16)));
APART four numbers_of_sixteen(four a)
{
    return a * (four){1, 2, 3, 4} + (four){5, 6, 7, 8};
}

/* ---- code ---- */

APART int before_the_array(int i)
{
    local_array[i & 15]++;
    return local_array[i - 4] + global_array[i - 8] + local_array[i + 20];
}

APART int static_of_one(void)
{
    static int counter = 1;
    static const char *text = "first text";

    text += counter++ & 1;
    return counter + text[0];
}

APART int static_of_two(void)
{
    static int counter = 2;
    static const char *text = "second text";

    text += counter & 1;
    counter += 2;
    return counter + text[0];
}

APART int assembly(int x)
{
    int y;

    __asm__ volatile("1: dec %1\n\tjne 1b\n\tlea (%1,%1), %0\n\t.p2align 4\n\tnop\n\t"
                     "lea common_int(%%rip), %%rcx\n"
                     : "=r"(y), "+r"(x)::"rcx", "cc");
    return y;
}

__asm__(".pushsection .text.whole_assembly,\"ax\"\n.globl whole_assembly\n"
        ".type whole_assembly,@function\nwhole_assembly: mov 1f(%rip), %eax\n jmp 2f\n"
        "1: .long 0x90909090\n2: ret\n.size whole_assembly,.-whole_assembly\n.popsection");
int whole_assembly(void);

APART int thread_locals(int i)
{
    static __thread int of_function;

    extern_tls += i;
    own_tls++;
    static_tls[i & 3] += own_tls;
    of_function += 3;
    return extern_tls + errno + of_function + (int)static_tls[1];
}

__attribute__((cold)) APART void cold_function(const char *s)
{
    fprintf(stderr, "%s %s\n", s, __func__);
    exit(3);
}

__attribute__((hot)) APART int hot_function(int x)
{
    if (x > 100)
        cold_function("big");
    for (int i = 0; i < x; i++)
        global_array[i & 15] += local_array[i & 7] ^ i;
    return global_array[3];
}

__attribute__((constructor)) static void constructor(void)
{
    common_int = 4;
}

static __attribute__((noinline)) int sum(int *p, int n)
{
    int s = 0;

    for (int i = 0; i < n; i++) {
        if (p[i] < 0) {
            fprintf(stderr, "negative %d %d\n", i, n);
            abort();
        }
        s += p[i];
    }
    return s;
}

int with_parts(int *p, int n)
{
    return n > 5 ? sum(p, 5) : sum(p, n);
}

__attribute__((target_clones("avx2", "default"))) int clones(int *p)
{
    int s = 0;

    for (int i = 0; i < 64; i++)
        s += p[i];
    return s;
}

int compare_ints(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

int twin_one(int), twin_two(int);

int main(int count, char **arguments)
{
    int n = count;

    for (const struct entry *e = entries; e->name; e++)
        n += e->function(count) + (int)*e->numbers + (int)strlen(e->name);
    n += written_entries[count & 1].function(count);
    if (weak_missing)
        n += weak_missing(count);
    if (&weak_data)
        n += weak_data;
    qsort(global_array, 16, sizeof(int), compare_ints);
    n += local_ifunc(count) + global_ifunc(count) + weak_here(count) + weak_elsewhere(count);
    n += hidden_function(count) + protected_function(count) + before_the_array(8);
    n += jump_table(count) + table_of_values(count) + labels((const unsigned char *)"\0\1\3");
    n += tails(count)[0] + (int)numbers_of_eight(count, count) + static_of_one() + static_of_two();
    n += (int)numbers_of_sixteen((four){1})[0] + assembly(3) + whole_assembly();
    n += thread_locals(count) + hot_function(count) + with_parts(global_array, count);
    n += alias_of(count) + sectioned(count) + clones(global_array) + table_of_names(count)[0];
    n += twin_one(count) + twin_two(count) + shared_counter + (stdout != NULL);
    common_buffer[0] = (char)n;
    return printf("%s %d\n", arguments[0], n + (int)sizeof common_buffer) < 0;
}
